"""OWLv2, tiny and with random weights, saved as real models are.

What it finds means nothing; but it must be what transformers' own processor and model find with
the same weights, one phrase at a time.
"""

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
from deixis.tools import owlv2, registry
from deixis.tools.base import Detection, Picture
from deixis.tools.owlv2 import Owlv2, load

pytestmark = [pytest.mark.slow, pytest.mark.extra]

LETTERS = "abcdefghijklmnopqrstuvwxyz<>|[]!"
OPEN = "threshold=0&nms=1&limit=900"
ODD = ["猫", "الكلب", "🐈 cat", "<|endoftext|>", "cat<|endoftext|>dog", "a" * 500, "cat\ndog"]


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a tiny OWLv2 that looks at 64 x 64 pixels."""
    folder = tmp_path_factory.mktemp("models") / "owl"
    pieces = ["!", *(end for each in LETTERS[:-1] for end in (each, f"{each}</w>")), "!</w>"]
    known = [*pieces, "<|startoftext|>", "<|endoftext|>"]
    tokenizer = hf.CLIPTokenizer(
        vocab={piece: number for number, piece in enumerate(known)},
        merges=[],
        pad_token="!",
        model_max_length=16,
    )
    small = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2}
    config = hf.Owlv2Config(
        text_config={
            **small,
            "num_attention_heads": 2,
            "vocab_size": len(known),
            "bos_token_id": len(known) - 2,
            "eos_token_id": len(known) - 1,
        },
        vision_config={**small, "num_attention_heads": 2, "image_size": 64, "patch_size": 16},
        projection_dim=32,
    )
    hf.Owlv2Processor(
        hf.Owlv2ImageProcessor(size={"height": 64, "width": 64}), tokenizer
    ).save_pretrained(folder)
    torch.manual_seed(1)
    model = hf.Owlv2ForObjectDetection(config)
    with torch.no_grad():  # wide weights let what comes in tell in what comes out
        for weight in model.parameters():
            if weight.dim() > 1:
                weight.normal_(std=1.5 * weight.shape[-1] ** -0.5)
    model.save_pretrained(folder)
    return folder


@pytest.fixture
def detector(saved: Path) -> Callable[..., Owlv2]:
    """Make the detector with some options."""
    return lambda query="": registry.load(f"owlv2:{saved}?{query}", "detector")


def picture(height: int = 60, width: int = 80, seed: int = 0) -> Picture:
    random = np.random.default_rng(seed)
    coarse = random.integers(0, 256, (5, 7, 3), dtype=np.uint8)
    rows, columns = np.arange(height) * 5 // height, np.arange(width) * 7 // width
    return coarse[rows][:, columns]


def reference(saved: Path, shown: Picture, phrase: str) -> list[Detection]:
    """Return what transformers' own processor and model find."""
    model = hf.Owlv2ForObjectDetection.from_pretrained(saved).eval()
    processor = hf.Owlv2Processor.from_pretrained(saved)
    image = Image.fromarray(shown)
    inputs = processor(images=image, text=[[phrase]], return_tensors="pt")
    with torch.no_grad():
        outputs = model(**inputs)
    (found,) = processor.post_process_grounded_object_detection(
        outputs, threshold=0.0, target_sizes=torch.tensor([shown.shape[:2]])
    )
    edges = np.array([shown.shape[1], shown.shape[0]] * 2)
    boxes = found["boxes"].numpy().clip(0, edges).tolist()
    both = zip(boxes, found["scores"].tolist(), strict=True)
    all_found = [Detection(phrase, tuple(box), score) for box, score in both]
    inside = [one for one in all_found if one.box[0] < one.box[2] and one.box[1] < one.box[3]]
    return sorted(inside, key=lambda each: -each.score)


def check_equal(found: list[Detection], wanted: list[Detection], box: float = 0.01) -> None:
    assert len(found) == len(wanted)
    for one, other in zip(found, wanted, strict=True):
        assert one.label == other.label
        assert one.score == pytest.approx(other.score, abs=1e-4)
        assert one.box == pytest.approx(other.box, abs=box)


def check_sound(found: list[Detection], shown: Picture) -> None:
    height, width = shown.shape[:2]
    assert [each.score for each in found] == sorted((each.score for each in found), reverse=True)
    for each in found:
        x1, y1, x2, y2 = each.box
        assert 0 <= x1 < x2 <= width and 0 <= y1 < y2 <= height and 0 <= each.score <= 1


@pytest.mark.parametrize("size", [(60, 80), (81, 50), (16, 16), (64, 64), (100, 230)])
def test_it_finds_what_transformers_finds(
    saved: Path, detector: Any, size: tuple[int, int]
) -> None:
    shown = picture(*size)
    phrases = ["a cat", "the red flag", "woman in hat"]
    found = detector(OPEN).detect(shown, phrases)
    assert len({round(each.score, 3) for each in found}) > 8, "the weights tell things apart"
    for phrase in phrases:
        wanted = reference(saved, shown, phrase)
        check_equal([each for each in found if each.label == phrase], wanted)


@pytest.mark.parametrize("size", [(93, 130), (130, 130), (129, 50)])
def test_a_large_picture_is_brought_down_and_its_boxes_up_again(
    detector: Any, size: tuple[int, int]
) -> None:
    small = picture(*size)
    large = np.kron(small, np.ones((7, 7, 1), dtype=np.uint8))[:-3, :-2]
    found = detector(OPEN).detect(large, ["a cat"])
    check_sound(found, large)
    wanted = detector(OPEN).detect(small, ["a cat"])
    edges = [large.shape[1], large.shape[0]] * 2
    for one, other in zip(found, wanted, strict=True):
        assert one.score == pytest.approx(other.score, abs=1e-3)
        assert one.box == pytest.approx(np.minimum(np.multiply(other.box, 7), edges), abs=0.1)


def test_a_phrase_finds_the_same_alone_and_among_many(detector: Any) -> None:
    shown, phrases = picture(), [f"{a} {b}" for a in "abcdefghi" for b in ("cats", "dog", "me")]
    together = detector(OPEN).detect(shown, phrases * 2)
    check_sound(together, shown)
    for phrase in phrases[::13]:
        alone = detector(OPEN).detect(shown, [phrase])
        check_equal([each for each in together if each.label == phrase], alone)


def test_more_phrases_than_one_pass_takes(detector: Any) -> None:
    phrases = [f"{a} {b}" for a in "abcdefghijklm" for b in "nopqrs"]
    found = detector(f"{OPEN}&limit=1").detect(picture(), phrases)
    assert sorted(each.label for each in found) == sorted(phrases) and len(phrases) > 32


@pytest.mark.parametrize("at_once", [1, 4])
def test_pictures_together_find_what_each_finds_alone(
    detector: Any, monkeypatch: pytest.MonkeyPatch, at_once: int
) -> None:
    monkeypatch.setitem(owlv2.AT_ONCE, "cpu", at_once)
    pictures = [picture(60, 80, seed) for seed in range(5)] + [picture(90, 40)]
    phrases = [["a cat"], ["a dog", "a cat"], [], ["", "  "], ["dog"] * 3, ["a"]]
    found, warning = detector(OPEN).detect_all(pictures, phrases)
    assert warning is None and [bool(each) for each in found] == [1, 1, 0, 0, 1, 1]
    for shown, asked, together in zip(pictures, phrases, found, strict=True):
        check_equal(together, detector(OPEN).detect(shown, asked))


@pytest.mark.parametrize("phrase", ODD)
def test_odd_phrases_find_something_sound(detector: Any, phrase: str) -> None:
    found = detector(OPEN).detect(picture(), [phrase, "a cat"])
    check_sound(found, picture())
    assert {each.label for each in found} == {"a cat", phrase}


@pytest.mark.parametrize("size", [(1, 1), (1, 300), (700, 2), (1500, 2000), (3, 40)])
def test_pictures_of_any_size_and_shape(detector: Any, size: tuple[int, int]) -> None:
    shown = picture(*size)
    check_sound(detector(OPEN).detect(shown, ["a cat"]), shown)
    grey = np.repeat(shown[:, :, :1], 3, axis=2)
    check_sound(detector(OPEN).detect(grey, ["a cat"]), grey)


def test_threshold_overlap_and_limit(detector: Any) -> None:
    everything = detector(OPEN).detect(picture(), ["a cat"])
    middle = everything[4].score
    found = detector(f"{OPEN}&threshold={middle}").detect(picture(), ["a cat"])
    assert found == everything[:4]
    assert detector(f"{OPEN}&limit=2").detect(picture(), ["a cat"]) == everything[:2]
    apart = detector(f"{OPEN}&nms=0").detect(picture(), ["a cat"])
    assert 0 < len(apart) < len(everything) and apart[0] == everything[0]


def test_without_phrases_no_model_is_loaded() -> None:
    detector = Owlv2("no/such/folder/anywhere")
    assert detector.detect(picture(), ["", " "]) == []
    with pytest.raises(ModelFileError, match=r"no config\.json in the folder no/such/folder"):
        detector.detect(picture(), ["a cat"])


def test_threads_load_a_model_once_and_find_the_same(saved: Path) -> None:
    detectors = [Owlv2(str(saved), threshold=0, limit=number + 1) for number in range(4)]
    with ThreadPoolExecutor(4) as pool:
        loaded = list(pool.map(lambda _: load(str(saved), "cpu", "auto"), range(4)))
        found = list(pool.map(lambda each: each.detect(picture(), ["a cat"]), detectors))
    assert len({id(each.model) for each in loaded}) == 1
    assert [each[0] for each in found] == [found[0][0]] * 4


def test_threads_share_passes_and_find_what_each_finds_alone(detector: Any, crowded: Any) -> None:
    tool = detector(OPEN)
    asked = [
        (picture(60 + 10 * (seed % 3), 80, seed), [f"a {each}" for each in "abcdefgh"[: 1 + seed]])
        for seed in range(8)
    ]
    alone = [tool.detect(*each) for each in asked]
    turns = load(*tool._source).turn
    together, served = crowded(turns, [lambda it=it: tool.detect(*it) for it in asked])
    assert served == [1, 4, 3]
    for one, other in zip(together, alone, strict=True):
        check_equal(one, other)


@pytest.mark.parametrize("fails", [1, 2])
def test_short_memory_halves_the_batch_once(
    detector: Any, monkeypatch: pytest.MonkeyPatch, fails: int
) -> None:
    monkeypatch.setitem(owlv2.AT_ONCE, "cpu", 4)
    pictures, runs, real = [picture(seed=seed) for seed in range(3)], [], owlv2._seen
    whole = detector(OPEN).detect_all(pictures, [["a cat"]] * 3).results

    def short(*args: Any) -> Any:
        runs.append(len(args[1]))
        if len(runs) <= fails:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB")
        return real(*args)

    monkeypatch.setattr(owlv2, "_seen", short)
    if fails == 2:
        with pytest.raises(ToolError, match="owlv2: out of memory, also with 2 items"):
            detector(OPEN).detect_all(pictures, [["a cat"]] * 3)
        return
    found, warning = detector(OPEN).detect_all(pictures, [["a cat"]] * 3)
    assert runs == [3, 2, 1]
    assert warning == "owlv2: out of memory with 3 items; went on with 2"
    for one, other in zip(found, whole, strict=True):
        check_equal(one, other)


def test_pickles_are_never_read(saved: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(saved, tmp_path / "model")
    (folder / "model.safetensors").unlink()
    torch.save({}, folder / "pytorch_model.bin")
    with pytest.raises(ModelFileError, match=r"only weights in \.safetensors files are read"):
        Owlv2(str(folder)).detect(picture(), ["a cat"])


def test_another_kind_of_model_is_told(tiny_dino: Path) -> None:
    with pytest.raises(
        ModelFileError, match="of the type grounding-dino, and owlv2 is needed here"
    ):
        Owlv2(str(tiny_dino)).detect(picture(), ["a cat"])


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("treshold=0.3", "no option 'treshold' (did you mean 'threshold'?"),
        ("nms=2", "option nms: Input should be less than or equal to 1"),
        ("device=cuda:99", "torch finds no device cuda:99 here"),
    ],
)
def test_a_wrong_option_is_told(detector: Any, query: str, said: str) -> None:
    with pytest.raises(SettingsError) as caught:
        detector(query).detect(picture(), ["a cat"])
    assert said in str(caught.value)
