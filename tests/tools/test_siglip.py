"""SigLIP, SigLIP 2 and CLIP, tiny and with random weights, image_text as real models are.

What they say means nothing; but it must be what transformers' own processors and models say with
the same weights.
"""

import math
import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import transformers as hf
from PIL import Image

from deixis.errors import ModelFileError, SettingsError, ToolError
from deixis.tools import registry, siglip
from deixis.tools.base import Picture, listening
from deixis.tools.siglip import Clip, Siglip, load

pytestmark = [pytest.mark.slow, pytest.mark.extra]

TEXTS = ["a tall woman", "a blue logo, on a shirt", "cat"]
ODD = [
    "",
    " ",
    "猫",
    "الكلب",
    "🐈 cat",
    "</s>",
    "<eos>cat<|endoftext|>",
    "a" * 5000,
    "b\n\x00\ud83d",
]


KINDS = ["siglip", "siglip2", "clip"]


@pytest.fixture
def tool(image_text: dict[str, Path]) -> Callable[..., Any]:
    """Make a tool for one of the three models, with some options."""

    def make(kind: str, query: str = "") -> Any:
        return registry.load(f"{kind.rstrip('2')}:{image_text[kind]}?{query}", "entailer")

    return make


def picture(height: int = 60, width: int = 80, seed: int = 0) -> Picture:
    random = np.random.default_rng(seed)
    coarse = random.integers(0, 256, (5, 7, 3), dtype=np.uint8)
    rows, columns = np.arange(height) * 5 // height, np.arange(width) * 7 // width
    return coarse[rows][:, columns]


def logits(folder: Path, kind: str, shown: Picture, texts: list[str]) -> Any:
    """Return what transformers' own processor and model say, one text at a time."""
    model = hf.AutoModel.from_pretrained(folder).eval()
    processor = hf.AutoProcessor.from_pretrained(folder, backend="pil")
    padding: Any = True if kind == "clip" else "max_length"
    found = []
    for text in texts:
        inputs = processor(
            text=[text],
            images=Image.fromarray(shown),
            padding=padding,
            max_length=24,
            truncation=True,
            return_tensors="pt",
        )
        if kind != "clip":  # trained without
            inputs.pop("attention_mask", None)
        with torch.no_grad():
            found.append(model(**inputs).logits_per_image[0, 0].double().item())
    scale = model.logit_scale.exp().item()
    return np.array(found) / (scale if kind == "clip" else 1.0)


@pytest.mark.parametrize("size", [(60, 80), (81, 50), (16, 16), (64, 64), (100, 230)])
@pytest.mark.parametrize("kind", KINDS)
def test_it_says_what_transformers_says(
    image_text: dict[str, Path], tool: Any, kind: str, size: tuple[int, int]
) -> None:
    shown = picture(*size)
    wanted = logits(image_text[kind], kind, shown, TEXTS)
    assert len(set(wanted.round(3))) == 3, "the weights tell things apart"
    found = tool(kind, "threshold=0&slope=1").entail(shown, TEXTS)
    assert found == pytest.approx(1 / (1 + np.exp(-wanted)), abs=1e-5)
    found = tool(kind, "threshold=0.2&slope=3").entail(shown, TEXTS)
    assert found == pytest.approx(1 / (1 + np.exp(-3 * (wanted - 0.2))), abs=1e-5)


def test_the_defaults_are_what_is_documented(image_text: dict[str, Path], tool: Any) -> None:
    wanted = logits(image_text["siglip"], "siglip", picture(), TEXTS)
    assert tool("siglip").entail(picture(), TEXTS) == pytest.approx(1 / (1 + np.exp(-wanted)))
    wanted = logits(image_text["clip"], "clip", picture(), TEXTS)
    said = 1 / (1 + np.exp(-50 * (wanted - 0.25)))
    assert tool("clip").entail(picture(), TEXTS) == pytest.approx(said, abs=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_pictures_and_texts_count(tool: Any, kind: str) -> None:
    one, other = (tool(kind, "slope=1").entail(picture(seed=seed), TEXTS) for seed in (0, 1))
    assert all(abs(here - there) > 1e-4 for here, there in zip(one, other, strict=True))
    both = tool(kind).entail(picture(), ["A Tall WOMAN", "a tall woman"])
    assert both[0] == pytest.approx(both[1]), "upper case is nothing that the models know"


@pytest.mark.parametrize("kind", KINDS)
def test_an_expression_fits_the_same_alone_and_among_many(
    monkeypatch: pytest.MonkeyPatch, tool: Any, kind: str
) -> None:
    many = [f"{a} {b}" for a in "abcdefghi" for b in ("cats", "a dog", "me")]
    together = tool(kind).entail(picture(), many)
    monkeypatch.setattr(siglip, "_EXPRESSIONS", 4)
    assert tool(kind).entail(picture(), many) == pytest.approx(together, abs=1e-5)
    for text, fit in list(zip(many, together, strict=True))[::13]:
        assert tool(kind).entail(picture(), [text]) == pytest.approx([fit], abs=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_odd_expressions_get_a_probability(tool: Any, kind: str) -> None:
    found = tool(kind).entail(picture(), [*ODD, "cat"])
    assert len(found) == len(ODD) + 1 and all(0.0 <= each <= 1.0 for each in found)
    assert found[-1] == pytest.approx(tool(kind).entail(picture(), ["cat"])[0], abs=1e-5)
    start, longer = tool(kind).entail(picture(), ["a" * 40, "a" * 40 + " dog"])
    assert start == pytest.approx(longer), "what is too long is cut off"


@pytest.mark.parametrize(
    ("kind", "one", "other"),
    [
        ("siglip", "a", "a<pad>"),
        ("siglip2", "a", "a<pad>"),
        ("clip", "dog<|endoftext|>cat", "dog<|endoftext|>me"),
    ],
)
def test_control_tokens_are_read_as_letters(tool: Any, kind: str, one: str, other: str) -> None:
    fits = tool(kind, "slope=1").entail(picture(), [one, other])
    assert abs(fits[0] - fits[1]) > 1e-4


@pytest.mark.parametrize("size", [(1, 1), (1, 300), (700, 2), (1500, 2000), (3, 40), (9, 30000)])
@pytest.mark.parametrize("kind", KINDS)
def test_pictures_of_any_size_and_shape(tool: Any, kind: str, size: tuple[int, int]) -> None:
    shown = picture(*size)
    grey = np.repeat(shown[:, :, :1], 3, axis=2)
    for each in (shown, grey):
        assert all(0.0 < fit < 1.0 for fit in tool(kind, "slope=1").entail(each, TEXTS))


@pytest.mark.parametrize("make", [Siglip, Clip])
def test_without_expressions_no_model_is_loaded(make: Any) -> None:
    assert make("no/such/folder/anywhere").entail(picture(), []) == []
    with pytest.raises(ModelFileError, match=r"no config\.json in the folder no/such/folder"):
        make("no/such/folder/anywhere").entail(picture(), ["a cat"])


def test_threads_load_a_model_once_and_find_the_same(image_text: dict[str, Path]) -> None:
    folder = str(image_text["siglip"])
    tools = [Siglip(folder, slope=number + 1.0) for number in range(4)]
    with ThreadPoolExecutor(4) as pool:
        loaded = list(pool.map(lambda _: load("siglip", folder, "cpu", "auto"), range(4)))
        found = list(pool.map(lambda each: each.entail(picture(), ["a cat"])[0], tools))
    assert len({id(each.model) for each in loaded}) == 1
    scores = [math.log(p / (1 - p)) / (number + 1) for number, p in enumerate(found)]
    assert scores == pytest.approx([scores[0]] * 4, abs=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_threads_share_passes_and_say_what_each_says_alone(
    image_text: dict[str, Path], tool: Any, crowded: Any, kind: str
) -> None:
    made = tool(kind)
    asked = [
        (picture(60 + 10 * (seed % 3), 80, seed), [f"a {each}" for each in "abcdefgh"[: 1 + seed]])
        for seed in range(8)
    ]
    alone = [made.entail(*each) for each in asked]
    turns = load(*made._source).turn
    together, served = crowded(turns, [lambda it=it: made.entail(*it) for it in asked])
    assert served == [1, 4, 3]
    for one, other in zip(together, alone, strict=True):
        assert one == pytest.approx(other, abs=1e-4)


def test_short_memory_halves_the_batch_once(tool: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    whole, runs, real = tool("siglip").entail(picture(), TEXTS), [], Siglip._read

    def short(*args: Any) -> Any:
        runs.append(len(args[2]))
        if len(runs) == 1:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB")
        return real(*args)

    monkeypatch.setattr(Siglip, "_read", short)
    with listening() as warned:
        assert tool("siglip").entail(picture(), TEXTS) == pytest.approx(whole)
    assert runs == [3, 2, 1]
    assert warned == ["siglip: out of memory with 3 items; went on with 2"]


def test_numbers_that_overflow_are_told(image_text: dict[str, Path], tmp_path: Path) -> None:
    folder = shutil.copytree(image_text["siglip"], tmp_path / "model")
    model = hf.SiglipModel.from_pretrained(folder)
    with torch.no_grad():
        model.logit_scale.fill_(1000.0)
    model.save_pretrained(folder)
    with pytest.raises(ToolError, match="siglip: the numbers overflow"):
        Siglip(str(folder)).entail(picture(), ["a cat"])


def test_another_kind_of_model_is_told(image_text: dict[str, Path]) -> None:
    with pytest.raises(ModelFileError, match="of the type siglip2, and clip is needed here"):
        Clip(str(image_text["siglip2"])).entail(picture(), ["a cat"])
    with pytest.raises(ModelFileError, match="the type clip, and siglip or siglip2 is needed"):
        Siglip(str(image_text["clip"])).entail(picture(), ["a cat"])


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("treshold=0.3", "no option 'treshold' (did you mean 'threshold'?"),
        ("slope=0", "option slope: Input should be greater than 0"),
        ("threshold=nan", "option threshold: Input should be a finite number"),
        ("device=cuda:99", "torch finds no device cuda:99 here"),
        ("dtype=int8", "option dtype: Input should be 'auto'"),
    ],
)
def test_a_wrong_option_is_told(tool: Any, query: str, said: str) -> None:
    with pytest.raises(SettingsError) as caught:
        tool("clip", query).entail(picture(), ["a cat"])
    assert said in str(caught.value)
