import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from deixis.base.boxes import Box
from deixis.errors import ToolError
from deixis.schema import Mask
from deixis.tools.grabcut import GrabCut
from deixis.weights.model_files import resolve

pytestmark = [pytest.mark.slow, pytest.mark.extra]

ASTRONAUT = (
    "pypi:scikit-image==0.26.0/skimage/data/astronaut.png"
    "#sha256=88431cd9653ccd539741b555fb0a46b61558b301d4110412b5bc28b5e3ea6cb5"
)


def disc(height: int, width: int, x: float, y: float, radius: float) -> NDArray[np.bool_]:
    rows, columns = np.mgrid[:height, :width]
    inside: NDArray[np.bool_] = (columns + 0.5 - x) ** 2 + (rows + 0.5 - y) ** 2 < radius**2
    return inside


def draw(shape: NDArray[np.bool_]) -> NDArray[np.uint8]:
    noise = np.random.default_rng(0).integers(-12, 13, (*shape.shape, 3))
    colours = np.where(shape[..., None], (200, 60, 40), (40, 90, 160))
    return (colours + noise).clip(0, 255).astype(np.uint8)


def cut(picture: NDArray[np.uint8], box: Box) -> NDArray[np.bool_]:
    (mask,) = GrabCut().segment(picture, [box])
    assert mask is not None
    return mask.to_array()


def overlap(a: NDArray[np.bool_], b: NDArray[np.bool_]) -> float:
    return float((a & b).sum() / (a | b).sum())


@pytest.mark.parametrize(
    "box",
    [
        (60.0, 40.0, 160.0, 140.0),
        (40.5, 25.2, 185.7, 170.9),
        (0.0, 0.0, 300.0, 200.0),  # the whole picture: no background outside
        (-20.0, -5.0, 400.0, 500.0),  # beyond it
    ],
)
def test_cuts_disc_out(box: Box) -> None:
    shape = disc(200, 300, 110, 90, 45)
    assert overlap(cut(draw(shape), box), shape) > 0.9


def test_mask_of_large_picture_is_made_small_and_comes_back_large() -> None:
    shape = disc(1500, 2000, 900, 700, 500)
    mask = cut(draw(shape), (380.0, 180.0, 1420.0, 1220.0))
    assert mask.shape == (1500, 2000)
    assert overlap(mask, shape) > 0.95


def test_mask_stays_wholly_inside_box() -> None:
    shape = disc(200, 300, 110, 90, 45)
    mask = cut(draw(shape), (67.6, 47.3, 152.4, 132.7))  # the disc reaches 2 pixels farther
    rows, columns = np.nonzero(mask)
    assert columns.min() >= 68 and columns.max() + 1 <= 152
    assert rows.min() >= 48 and rows.max() + 1 <= 132
    assert overlap(mask, shape) > 0.85


def test_specks_are_dropped_and_holes_filled() -> None:
    shape = disc(200, 300, 110, 90, 45) & ~disc(200, 300, 110, 90, 8)
    shape |= disc(200, 300, 165, 140, 4)
    mask = cut(draw(shape), (50.0, 30.0, 180.0, 155.0))
    assert mask[90, 110]
    assert not mask[135:146, 160:171].any()


def test_object_cut_off_by_lower_edge_keeps_its_lower_corners() -> None:
    shape = np.zeros((200, 200), dtype=np.bool_)
    shape[90:, 20:180] = True
    shape |= disc(200, 200, 100, 60, 30)
    assert overlap(cut(draw(shape), (10.0, 25.0, 190.0, 200.0)), shape) > 0.9


@pytest.mark.parametrize(
    "box",
    [
        (50.0, 50.0, 51.0, 51.0),
        (50.0, 50.0, 57.9, 150.0),
        (50.2, 50.2, 50.8, 50.8),
        (400.0, 300.0, 500.0, 400.0),  # outside
    ],
)
def test_tiny_box_gives_none(box: Box) -> None:
    assert GrabCut().segment(draw(disc(200, 300, 110, 90, 45)), [box]) == [None]


@pytest.mark.parametrize("size", [(8, 8), (1, 3000), (200, 300)])
def test_blank_picture_gives_none_or_mask_of_its_size(size: tuple[int, int]) -> None:
    blank = np.full((*size, 3), 128, dtype=np.uint8)
    (mask,) = GrabCut().segment(blank, [(0.0, 0.0, float(size[1]), float(size[0]))])
    assert mask is None or mask.size == size


def test_no_boxes_no_masks() -> None:
    assert GrabCut().segment(draw(disc(50, 50, 25, 25, 10)), []) == []


def test_same_input_gives_same_masks_in_order() -> None:
    picture = np.asarray(Image.open(resolve(ASTRONAUT)).convert("RGB"))
    boxes = [(60.0, 5.0, 380.0, 512.0), (0.0, 0.0, 2.0, 2.0), (280.0, 345.0, 500.0, 512.0)]
    first = GrabCut().segment(picture, boxes)
    assert first == GrabCut().segment(picture, boxes)
    assert isinstance(first[0], Mask) and first[1] is None
    helmet = first[2]
    assert helmet is not None
    assert helmet.to_array()[430, 400]  # the visor
    person = first[0].to_array()
    assert person[110, 225] and person[330, 120]  # the face and the suit
    assert not person[30, 90]  # the wall


def test_picture_that_opencv_cannot_take_is_a_tool_error() -> None:
    grey = np.zeros((50, 50, 1), dtype=np.uint8)
    with pytest.raises(ToolError, match="grabcut failed"):
        GrabCut().segment(grey, [(5.0, 5.0, 40.0, 40.0)])


def test_what_looks_like_its_surroundings_is_tried_again() -> None:
    """Too little of the disc differs from the surroundings to be told from them at first."""
    shape = disc(200, 300, 150, 100, 16)
    picture = draw(disc(200, 300, 150, 100, 140) & ~shape)
    rows, columns = np.nonzero(cut(picture, (120.0, 70.0, 180.0, 130.0)))
    assert columns.size and 130 < columns.mean() < 170 and 80 < rows.mean() < 120
