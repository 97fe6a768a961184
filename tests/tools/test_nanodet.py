"""NanoDet: people and things in photographs."""

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from deixis.base.boxes import Box, box_iou
from deixis.errors import ModelFileError
from deixis.tools.centerface import CenterFace
from deixis.tools.coco import NAMES
from deixis.tools.nanodet import NanoDet
from deixis.weights.model_files import resolve

pytestmark = [pytest.mark.slow, pytest.mark.extra("onnxruntime")]

COFFEE = (
    "pypi:scikit-image==0.26.0/skimage/data/coffee.png"
    "#sha256=cc02f8ca188b167c775a7101b5d767d1e71792cf762c33d6fa15a4599b5a8de7"
)
# Drawn by hand, in pixels: all that is seen of it.
COLLINS = (20.0, 15.0, 362.0, 512.0)
HOPPER = (12.0, 22.0, 512.0, 600.0)
CHELSEA = (0.0, 0.0, 435.0, 300.0)
CUP = (150.0, 15.0, 420.0, 300.0)


def load(path: Path) -> NDArray[np.uint8]:
    return np.asarray(Image.open(path).convert("RGB"))


@pytest.fixture(scope="module")
def detector() -> NanoDet:
    return NanoDet()


def best(detector: NanoDet, path: Path, label: str) -> Box:
    found = detector.detect(load(path), NAMES)
    assert found == sorted(found, key=lambda detection: -detection.score)
    return next(detection.box for detection in found if detection.label == label)


def test_it_knows_the_80_classes() -> None:
    assert len(set(NAMES)) == 80 and NanoDet.labels == NAMES
    assert (NAMES[0], NAMES[15], NAMES[79]) == ("person", "cat", "toothbrush")


def test_people_and_things_have_boxes(
    detector: NanoDet, collins: Path, hopper: Path, chelsea: Path
) -> None:
    assert box_iou(best(detector, collins, "person"), COLLINS) > 0.9
    assert box_iou(best(detector, hopper, "person"), HOPPER) > 0.9
    assert box_iou(best(detector, chelsea, "cat"), CHELSEA) > 0.85
    assert box_iou(best(detector, resolve(COFFEE), "cup"), CUP) > 0.8


def test_bodies_have_better_boxes_than_those_derived_from_faces(
    detector: NanoDet, collins: Path
) -> None:
    (derived,) = CenterFace().detect(load(collins), ["person"])
    assert box_iou(derived.box, COLLINS) < box_iou(best(detector, collins, "person"), COLLINS)


def test_a_face_tells_that_a_doubtful_body_is_a_person(detector: NanoDet, collins: Path) -> None:
    picture = load(collins)
    without = NanoDet(threshold=0.75, faces=False)
    assert without.detect(picture, ["person"]) == []
    (person,) = NanoDet(threshold=0.75).detect(picture, ["person"])
    assert person.score > 0.8 and box_iou(person.box, COLLINS) > 0.9


def test_a_cat_is_neither_a_dog_nor_a_person(detector: NanoDet, chelsea: Path) -> None:
    picture = load(chelsea)
    assert [seen.label for seen in detector.detect(picture, NAMES)] == ["cat"]
    assert detector.detect(picture, ["person"]) == []
    labels = {seen.label for seen in detector.glimpse(picture, ["cat", "dog", "cup"])}
    assert labels == {"cat", "dog"}, "where the text names a dog, it may be one"


def test_only_what_is_asked_for_is_told(detector: NanoDet, hopper: Path) -> None:
    picture = load(hopper)
    assert {seen.label for seen in detector.detect(picture, ["tie", "face", "A tie"])} == {"tie"}
    assert detector.detect(picture, ["cat"]) == detector.detect(picture, []) == []


def test_a_mirrored_picture_has_mirrored_boxes(detector: NanoDet, collins: Path) -> None:
    picture = load(collins)
    detector = NanoDet(faces=False)
    (one,), (other,) = (detector.detect(view, ["person"]) for view in (picture, picture[:, ::-1]))
    assert one.score == pytest.approx(other.score, abs=1e-4)
    x1, y1, x2, y2 = other.box
    assert one.box == pytest.approx((512 - x2, y1, 512 - x1, y2), abs=0.1)


@pytest.mark.parametrize("size", [(1, 1), (8, 8), (1, 3000), (3000, 1), (300, 400)])
def test_blank_pictures_of_any_shape_show_nothing(detector: NanoDet, size: tuple[int, int]) -> None:
    assert detector.detect(np.full((*size, 3), 127, dtype=np.uint8), NAMES) == []


@pytest.mark.parametrize(("width", "height"), [(512, 180), (180, 512)])
def test_boxes_lie_in_slender_pictures(collins: Path, width: int, height: int) -> None:
    picture = load(collins)[:height, 100 : 100 + width]
    found = NanoDet(threshold=0.2).detect(picture, NAMES)
    assert found
    for x1, y1, x2, y2 in (seen.box for seen in found):
        assert 0 <= x1 < x2 <= picture.shape[1] and 0 <= y1 < y2 <= picture.shape[0]


def test_threads_share_one_detector(collins: Path, hopper: Path) -> None:
    detector = NanoDet()
    pictures = [load(collins), load(hopper)] * 3
    with ThreadPoolExecutor(6) as pool:
        found = list(pool.map(lambda picture: detector.detect(picture, NAMES), pictures))
    assert found[0] == found[2] == found[4] and found[1] == found[3] == found[5]


def test_its_files_are_told() -> None:
    assert NanoDet().files() == [NanoDet.MODEL, CenterFace.MODEL]
    assert NanoDet(faces=False).files() == [NanoDet.MODEL]


def test_a_graph_of_something_else_is_told(tmp_path: Path) -> None:
    about = {"name": "x:0", "tensorShape": {"dim": [{"size": "1"}]}}
    signature = {"inputs": {"x": about}, "outputs": {"y": {"name": "y"}}}
    nodes = [{"name": "x", "op": "Placeholder"}, {"name": "y", "op": "Relu", "input": ["x"]}]
    graph = {"signature": signature, "modelTopology": {"node": nodes}, "weightsManifest": []}
    path = tmp_path / "other.json"
    path.write_text(json.dumps(graph))
    with pytest.raises(ModelFileError, match=r"other\.json is not NanoDet at 416 x 416"):
        NanoDet(str(path)).detect(np.zeros((9, 9, 3), np.uint8), ["person"])
