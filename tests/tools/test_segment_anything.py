"""The authors' own SAM package: a tiny model with random weights, saved as checkpoints are.

The package wants torchvision when it is imported, for two functions of it that turn an array into
a PIL image and resize that. Where torchvision is not installed, stand-ins do the same while the
package is imported.
"""

import sys
from collections.abc import Callable, Iterator
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from deixis.base.boxes import Box
from deixis.errors import MissingExtraError, ModelFileError, ToolError
from deixis.settings import Spec
from deixis.tools import registry
from deixis.tools.base import Picture
from deixis.tools.segment_anything import SegmentAnything

pytestmark = [pytest.mark.slow, pytest.mark.extra]

BOXES: list[Box] = [(5.0 * n, 3.0 * n, 5.0 * n + 40, 45.0) for n in range(8)]
SEED = 47
"""Of which the weights differ on which of the masks is the best."""


class Payload:
    """What a pickle may hold: an object whose making runs code."""

    def __reduce__(self) -> Any:
        return print, ("this must never be printed",)


def _torchvision() -> dict[str, ModuleType]:
    names = ("", ".transforms", ".transforms.functional", ".ops", ".ops.boxes")
    modules = {f"torchvision{name}": ModuleType(f"torchvision{name}") for name in names}

    def resize(image: Image.Image, size: tuple[int, int]) -> Image.Image:
        return image.resize(size[::-1], Image.Resampling.BILINEAR)

    functional, boxes = (
        modules["torchvision.transforms.functional"],
        modules["torchvision.ops.boxes"],
    )
    functional.resize, functional.to_pil_image = resize, Image.fromarray  # type: ignore[attr-defined]
    boxes.batched_nms = boxes.box_area = None  # type: ignore[attr-defined]
    return modules


@pytest.fixture(scope="module")
def package() -> Iterator[Any]:
    """The package, imported for this module only."""
    stand_ins = {} if find_spec("torchvision") else _torchvision()
    sys.modules.update(stand_ins)
    try:
        import segment_anything
    finally:
        for name in stand_ins:
            del sys.modules[name]
    yield segment_anything
    for name in [name for name in sys.modules if name.split(".")[0] == "segment_anything"]:
        del sys.modules[name]


def _tiny(package: Any) -> Any:
    """Make SAM small, and its weights random and wide enough for masks to differ."""
    parts = package.modeling
    encoder = parts.ImageEncoderViT(
        img_size=64, patch_size=8, embed_dim=16, depth=2, num_heads=2, out_chans=16,
        use_rel_pos=True, window_size=3, global_attn_indexes=(1,),
        norm_layer=partial(torch.nn.LayerNorm, eps=1e-6),
    )  # fmt: skip
    prompts = parts.PromptEncoder(16, (8, 8), (64, 64), 4)
    decoder = parts.MaskDecoder(
        transformer_dim=16,
        transformer=parts.TwoWayTransformer(2, 16, 2, 32),
        iou_head_hidden_dim=16,
    )
    model = parts.Sam(encoder, prompts, decoder).eval()
    for weight in model.parameters():
        if weight.ndim > 1:
            torch.nn.init.normal_(weight, std=0.3)
    return model


@pytest.fixture(scope="module")
def checkpoint(package: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(SEED)
    path: Path = tmp_path_factory.mktemp("models") / "sam_vit_b.pth"
    torch.save(_tiny(package).state_dict(), path)
    return path


@pytest.fixture(autouse=True)
def tiny(package: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let the package's vit_b be tiny; one thread, for more would wait for each other."""
    monkeypatch.setitem(package.sam_model_registry, "vit_b", lambda: _tiny(package))
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def draw(height: int, width: int) -> Picture:
    random = np.random.default_rng(height * width)
    small = Image.fromarray(random.integers(0, 256, (6, 6, 3), dtype=np.uint8))
    return np.asarray(small.resize((width, height)))


@pytest.mark.parametrize(("height", "width"), [(48, 90), (90, 48), (3, 50), (1300, 700), (1, 1)])
def test_masks_are_those_of_the_packages_own_predictor(
    package: Any, checkpoint: Path, height: int, width: int
) -> None:
    picture = draw(height, width)
    scale = np.array([width / 90, height / 48] * 2)
    boxes = [tuple((np.minimum(box, (90, 48, 90, 48)) * scale).tolist()) for box in BOXES]
    found = SegmentAnything("vit_b", str(checkpoint)).find(picture, boxes)
    model = _tiny(package)
    model.load_state_dict(torch.load(checkpoint))
    predictor, chosen = package.SamPredictor(model), set()
    predictor.set_image(picture)
    for each, box in zip(found, boxes, strict=True):
        logits, ious, _ = predictor.predict(box=np.array(box), return_logits=True)
        best = int(ious.argmax())
        chosen.add(best)
        clear = np.abs(logits[best]) > 1e-5  # nearer to the cut, rounding may decide
        assert clear.mean() > 0.9
        if each is None:
            assert not (logits[best] > 1e-5).any()
            continue
        assert each.iou == pytest.approx(ious[best], abs=1e-4)
        assert (each.mask.to_array() == (logits[best] > 0))[clear].all()
    if min(height, width) > 40:
        assert len(chosen) > 1, "it matters which mask is the best"


def test_it_does_not_matter_how_many_boxes_are_decoded_together(checkpoint: Path) -> None:
    picture = draw(48, 90)
    few = SegmentAnything("vit_b", str(checkpoint), boxes_at_once=3).segment(picture, BOXES)
    assert few == SegmentAnything("vit_b", str(checkpoint)).segment(picture, BOXES)
    assert any(few)


def test_boxes_outside_and_pictures_too_narrow(checkpoint: Path) -> None:
    sam = SegmentAnything("vit_b", str(checkpoint))
    whole, outside = sam.segment(draw(48, 90), [(-9.0, -9.0, 999.0, 999.0), (90.0, 0.0, 99.0, 9.0)])
    assert whole is not None and whole.size == (48, 90) and outside is None
    with pytest.raises(ToolError, match="segment-anything: a picture of 200 x 1 pixels is too"):
        sam.segment(draw(1, 200), [(0.0, 0.0, 100.0, 1.0)])


def test_without_a_box_nothing_is_loaded() -> None:
    assert SegmentAnything("vit_b").segment(draw(48, 90), []) == []


def refused(checkpoint: Path | None) -> str:
    with pytest.raises(ModelFileError) as caught:
        SegmentAnything("vit_b", checkpoint and str(checkpoint)).segment(draw(48, 90), BOXES)
    return str(caught.value)


def test_a_checkpoint_that_cannot_be_used_is_told(
    checkpoint: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "write segment-anything:vit_b?checkpoint=FILE with vit_b's .pth" in refused(None)
    assert "no file or folder" in refused(tmp_path / "gone.pth")
    assert "is a folder, not a file; name the file in it" in refused(tmp_path)
    made: dict[str, Callable[[Path], object]] = {
        "code": lambda path: torch.save({"a": Payload()}, path),
        "torn": lambda path: path.write_bytes(checkpoint.read_bytes()[:2000]),
    }
    for name, make in made.items():
        make(tmp_path / name)
        assert "it is no file of bare tensors" in refused(tmp_path / name)
    assert "never be printed" not in capsys.readouterr().out
    other = {name: tensor[:1] for name, tensor in torch.load(checkpoint).items()}
    for weights in (other, list(other)):
        torch.save(weights, tmp_path / "other.pth")
        assert "does not have the weights of vit_b; write the size" in refused(
            tmp_path / "other.pth"
        )


def test_a_missing_package_is_told(checkpoint: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("segment_anything", "segment_anything.utils.transforms"):
        monkeypatch.setitem(sys.modules, name, None)
    copy = checkpoint.rename(checkpoint.with_name("not_loaded_yet.pth"))
    try:
        with pytest.raises(
            MissingExtraError, match=r"segment-anything is not .*\[segment-anything\]"
        ):
            SegmentAnything("vit_b", str(copy)).segment(draw(48, 90), BOXES)
    finally:
        copy.rename(checkpoint)


def test_a_spec_names_size_and_checkpoint(checkpoint: Path) -> None:
    spec = f"segment-anything:vit_b?checkpoint={checkpoint}&boxes_at_once=4"
    tool = registry.find(spec, "segmenter")
    assert tool.target == "deixis.tools.segment_anything:SegmentAnything"
    made = SegmentAnything(**registry._arguments(SegmentAnything, Spec.parse(spec)))
    assert len(made.segment(draw(48, 90), BOXES)) == len(BOXES)
