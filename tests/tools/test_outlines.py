"""Outlines: people by their shape, other things by their colour."""

import json
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from deixis.base.boxes import Box
from deixis.errors import ModelFileError
from deixis.tools.grabcut import GrabCut
from deixis.tools.outlines import Outlines
from deixis.weights.model_files import resolve

pytestmark = [pytest.mark.slow, pytest.mark.extra]

SKIMAGE = "pypi:scikit-image==0.26.0/skimage/data/"
ROCKET = (
    f"{SKIMAGE}rocket.jpg#sha256=c2dd0de7c538df8d111e479619b129464d0269d0ae5fd18ca91d33a7fdfea95c"
)
# Outlines drawn by hand, in pixels.
COLLINS = [
    *((232, 15), (270, 22), (295, 50), (301, 85), (292, 115), (270, 132), (256, 172), (285, 200)),
    *((304, 235), (335, 260), (352, 300), (362, 345), (330, 362), (300, 395), (282, 440)),
    *((278, 512), (25, 512), (22, 440), (20, 400), (28, 345), (45, 285), (70, 245), (105, 215)),
    *((113, 190), (130, 165), (155, 150), (185, 148), (180, 130), (160, 110), (153, 85)),
    *((156, 55), (190, 35), (210, 20)),
]
HOPPER = [
    *((252, 23), (290, 32), (345, 65), (358, 85), (370, 100), (372, 180), (376, 190), (362, 255)),
    *((350, 300), (332, 312), (370, 340), (430, 368), (480, 385), (500, 420), (512, 450)),
    *((512, 600), (10, 600), (20, 500), (30, 425), (50, 388), (90, 368), (150, 348), (195, 318)),
    *((200, 305), (165, 280), (158, 240), (153, 195), (160, 165), (150, 105), (165, 90)),
    *((185, 60), (215, 40)),
]
COLLINS_BOX, HOPPER_BOX = (15.0, 4.0, 362.0, 512.0), (4.0, 18.0, 510.0, 600.0)
TIE, HELMET = (222.0, 407.0, 292.0, 541.0), (275.0, 340.0, 500.0, 512.0)

Mask = NDArray[np.bool_]


def load(path: Path) -> NDArray[np.uint8]:
    return np.asarray(Image.open(path).convert("RGB"))


def overlap(a: Mask, b: Mask) -> float:
    return float((a & b).sum() / (a | b).sum())


def filled(points: list[tuple[int, int]], size: tuple[int, int]) -> Mask:
    drawn = Image.new("1", size)
    ImageDraw.Draw(drawn).polygon(points, fill=1)
    return np.asarray(drawn)


@pytest.fixture(scope="module")
def segmenter() -> Outlines:
    return Outlines()


def cut(segmenter: Outlines | GrabCut, picture: NDArray[np.uint8], *boxes: Box) -> list[Mask]:
    masks = segmenter.segment(picture, boxes)
    return [mask.to_array() if mask else np.zeros(picture.shape[:2], bool) for mask in masks]


def test_people_are_cut_out_with_all_their_clothes(
    segmenter: Outlines, collins: Path, hopper: Path
) -> None:
    for path, points, box in ((collins, COLLINS, COLLINS_BOX), (hopper, HOPPER, HOPPER_BOX)):
        picture = load(path)
        drawn = filled(points, picture.shape[1::-1])
        (mask,), (by_colour,) = cut(segmenter, picture, box), cut(GrabCut(), picture, box)
        assert overlap(mask, drawn) > 0.94
        assert overlap(mask, drawn) > overlap(by_colour, drawn) + 0.05


def test_a_cat_has_a_shape_too(segmenter: Outlines, chelsea: Path) -> None:
    (mask,) = cut(segmenter, load(chelsea), (2.0, 0.0, 433.0, 298.0))
    assert 0.8 < mask[:298, 2:433].mean() < 0.97


def test_a_part_of_a_person_and_a_thing_are_cut_out_by_colour(
    segmenter: Outlines, hopper: Path
) -> None:
    for picture, box in (
        (load(hopper), TIE),
        (load(resolve(ROCKET)), (285.0, 80.0, 350.0, 420.0)),
    ):
        (mask,), (by_colour,) = cut(segmenter, picture, box), cut(GrabCut(), picture, box)
        assert mask.any() and (mask == by_colour).all()


def test_boxes_of_all_kinds_keep_their_order(segmenter: Outlines, hopper: Path) -> None:
    picture = load(hopper)
    together = cut(segmenter, picture, TIE, HOPPER_BOX, (5.0, 5.0, 9.0, 9.0), HOPPER_BOX)
    assert (together[0] == cut(segmenter, picture, TIE)[0]).all()
    assert (together[1] == cut(segmenter, picture, HOPPER_BOX)[0]).all()
    assert not together[2].any() and (together[3] == together[1]).all()
    assert segmenter.segment(picture, []) == []


def test_what_two_have_goes_to_the_nearer(segmenter: Outlines, collins: Path) -> None:
    """Two of her, one half behind the other; boxes overlap, masks do not."""
    picture = load(collins)
    pair = np.concatenate([picture[:, :330], picture[:, 10:]], axis=1)
    left, right = (15.0, 4.0, 362.0, 512.0), (325.0, 4.0, 682.0, 512.0)
    alone = [cut(segmenter, pair, box)[0] for box in (left, right)]
    one, other = cut(segmenter, pair, left, right)
    assert (alone[0] & alone[1]).any() and not (one & other).any()
    assert ((one | other) == (alone[0] | alone[1])).all()
    assert other[:, 362:].sum() == alone[1][:, 362:].sum()


def test_masks_stay_wholly_inside_their_boxes(segmenter: Outlines, collins: Path) -> None:
    (mask,) = cut(segmenter, load(collins), (100.6, 80.3, 330.4, 470.7))
    rows, columns = np.nonzero(mask)
    assert columns.min() >= 101 and columns.max() < 330
    assert rows.min() >= 81 and rows.max() < 470


@pytest.mark.parametrize("box", [(-50.0, -9.0, 700.0, 900.0), (0.0, 0.0, 3.0, 512.0)])
def test_boxes_beyond_the_picture_and_slender_ones(
    segmenter: Outlines, collins: Path, box: Box
) -> None:
    (mask,) = segmenter.segment(load(collins), [box])
    assert (mask is None) == (box[2] == 3)


def test_its_file_is_told() -> None:
    assert Outlines().files() == [Outlines.MODEL]


def test_a_graph_of_something_else_is_told(tmp_path: Path) -> None:
    about = {"name": "x:0", "tensorShape": {"dim": [{"size": "1"}]}}
    signature = {"inputs": {"x": about}, "outputs": {"y": {"name": "y"}}}
    nodes = [{"name": "x", "op": "Placeholder"}, {"name": "y", "op": "Relu", "input": ["x"]}]
    graph = {"signature": signature, "modelTopology": {"node": nodes}, "weightsManifest": []}
    path = tmp_path / "other.json"
    path.write_text(json.dumps(graph))
    with pytest.raises(ModelFileError, match=r"other\.json is not the selfie segmentation"):
        Outlines(str(path)).segment(np.zeros((90, 90, 3), np.uint8), [(9.0, 9.0, 50.0, 50.0)])
