"""Vectors of posts: by letters and colours, and by tiny image-text models with random weights."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from deixis.errors import ModelFileError, SettingsError, ToolError
from deixis.tools import registry
from deixis.tools.base import Picture
from deixis.tools.centerface import CenterFace
from deixis.tools.colours import COLOURS, EDGES
from deixis.tools.fusion import fused
from deixis.tools.hashed import BUCKETS
from deixis.tools.minilm import MiniLm
from deixis.tools.siglip import Clip, Siglip, load
from deixis.weights import model_files

pytestmark = [pytest.mark.slow, pytest.mark.extra]

TEXTS = ["a tall woman", "", "猫 🐈", "b\n\x00\ud83d", "a" * 5000]


def picture(seed: int = 0, height: int = 60, width: int = 80) -> Picture:
    random = np.random.default_rng(seed)
    coarse = random.integers(0, 256, (5, 7, 3), dtype=np.uint8)
    return np.asarray(Image.fromarray(coarse).resize((width, height), Image.Resampling.NEAREST))


def test_the_fused_cosine_is_the_mean_of_both() -> None:
    one, other = fused([1.0, 0.0], [0.6, 0.8], 2), fused([0.8, 0.6], [0.6, 0.8], 2)
    assert one @ other == pytest.approx((0.8 + 1.0) / 2)
    alone = fused([0.8, 0.6], None, 2)
    assert alone.tolist() == pytest.approx([0.8, 0.6, 0, 0])
    assert one @ alone == pytest.approx(0.8 / 2**0.5)


@pytest.fixture(params=["hashed", "minilm", "siglip", "siglip2", "clip"])
def embedder(request: pytest.FixtureRequest, image_text: dict[str, Path]) -> Any:
    kind = request.param
    spec = kind if kind in ("hashed", "minilm") else f"{kind.rstrip('2')}:{image_text[kind]}"
    return registry.load(spec, "embedder")


@pytest.mark.parametrize("shown", [None, picture(), picture(1, 8, 300), np.zeros((9, 9, 3), "u1")])
@pytest.mark.parametrize("text", [each for each in TEXTS if each])
def test_a_vector_has_length_one_and_one_size(embedder: Any, shown: Any, text: str) -> None:
    vector = embedder.embed(shown, text)
    assert (vector.dtype, vector.ndim) == (np.float32, 1)
    assert np.linalg.norm(vector) == pytest.approx(1.0, abs=1e-5)
    assert len(vector) == len(embedder.embed(None, "other"))
    assert np.array_equal(vector, embedder.embed(shown, text)), "the same every time"


def test_text_and_picture_count_alike(embedder: Any) -> None:
    """Posts that share the text or the picture are closer than those that share neither."""
    one = embedder.embed(picture(1), "grace hopper and the navy")
    same_text = embedder.embed(picture(2), "grace hopper and the navy")
    same_picture = embedder.embed(picture(1), "zq xw jv kb")
    other = embedder.embed(picture(2), "zq xw jv kb")
    assert min(one @ same_text, one @ same_picture) > one @ other


@pytest.mark.parametrize("kind", ["siglip", "siglip2", "clip"])
def test_the_features_are_those_that_are_compared(image_text: dict[str, Path], kind: str) -> None:
    """The halves of a vector are what the entailer takes the cosine of."""
    tool = (Clip if kind == "clip" else Siglip)(str(image_text[kind]), threshold=0.0, slope=1.0)
    text, shown = "a tall woman", picture()
    halves = np.split(tool.embed(shown, text).astype(float), 2)
    cosine = 2 * halves[0] @ halves[1]
    model = load(*tool._source).model
    score = cosine
    if kind != "clip":
        score = cosine * model.logit_scale.exp().item() + model.logit_bias.item()
    assert tool.entail(shown, [text]) == pytest.approx([1 / (1 + np.exp(-score))], abs=1e-4)


def test_one_name_plays_two_roles() -> None:
    for name in ("siglip", "clip"):
        assert registry.find(name, "embedder") is registry.find(name, "entailer")
        assert name in registry.names("embedder") and name in registry.names("entailer")
    with pytest.raises(SettingsError, match="entailer: there is no tool 'hashed'"):
        registry.find("hashed", "entailer")
    with pytest.raises(SettingsError, match=r"embedder: there is no tool 'cilp' .*'clip'"):
        registry.find("cilp", "embedder")


def test_short_memory_is_told(image_text: dict[str, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    def short(*_: Any) -> Any:
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB")

    monkeypatch.setattr(Clip, "_read", short)
    with pytest.raises(ToolError, match="clip: out of memory"):
        Clip(str(image_text["clip"])).embed(None, "a cat")


def test_hashed_finds_words_letters_colours_and_edges() -> None:
    tool = registry.load("hashed", "embedder")
    assert len(tool.embed(None, "a")) == BUCKETS + COLOURS + EDGES

    def alike(one: Any, other: Any) -> float:
        return float(tool.embed(*one) @ tool.embed(*other))

    wanted = (None, "RT @NASA: a shuttle is launched")
    near, far = (None, "RT @NASA: two shuttles launched"), (None, "Happy birthday to you all")
    assert alike(wanted, near) > alike(wanted, far)
    assert alike(wanted, (None, "rt  @nasa: A SHUTTLE is launched")) == pytest.approx(1.0)
    red, blue = (np.full((40, 40, 3), colour, np.uint8) for colour in ((200, 9, 9), (9, 9, 200)))
    assert alike((red, "x"), (red[:20], "x")) == pytest.approx(1.0)
    assert alike((red, "x"), (blue, "x")) == pytest.approx(0.5)
    red_spot, blue_spot = np.full((2, 48, 48, 3), 128, np.uint8)
    red_spot[4:20, 4:20], blue_spot[4:20, 4:20] = (200, 9, 9), (9, 9, 200)
    assert alike((red_spot, "x"), (blue_spot, "x")) < 0.98, "a large plain area is not all"
    columns = np.zeros((48, 48, 3), np.uint8)
    columns[:, ::12] = columns[:, 1::12] = 255
    rows, shifted = columns.transpose(1, 0, 2).copy(), np.roll(columns, 2, axis=1)
    assert alike((columns, "x"), (shifted, "x")) > alike((columns, "x"), (rows, "x"))


def test_minilm_finds_what_is_meant() -> None:
    tool = registry.load("minilm", "embedder")
    car, other, dog = (
        tool.embed(None, text)
        for text in ("my new car is fast", "This automobile drives quickly.", "a dog ate my lunch")
    )
    assert len(car) == 384 + COLOURS + EDGES
    assert car @ other > 0.5 > 0.3 > car @ dog
    long = "car " * 2000
    assert tool.embed(None, long) @ tool.embed(None, long + "dog") == pytest.approx(1.0)


def test_minilm_takes_no_other_network(tmp_path: Path) -> None:
    file = tmp_path / "model.onnx"
    file.write_bytes(b"no network")
    with pytest.raises(ModelFileError, match=r"cannot open the model .*model\.onnx"):
        MiniLm(str(file)).embed(None, "x")
    faces = model_files.resolve(CenterFace.MODEL)
    with pytest.raises(ModelFileError, match="is not a sentence model"):
        MiniLm(str(faces)).embed(None, "x")
