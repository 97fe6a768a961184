from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from deixis.base.boxes import Box
from deixis.errors import ModelFileError
from deixis.tools.centerface import CenterFace, bodies
from deixis.weights.model_files import resolve

pytestmark = pytest.mark.slow

SKIMAGE = "pypi:scikit-image==0.26.0/skimage/data/"
ASTRONAUT = (
    f"{SKIMAGE}astronaut.png"
    "#sha256=88431cd9653ccd539741b555fb0a46b61558b301d4110412b5bc28b5e3ea6cb5"
)
CAT = (
    f"{SKIMAGE}chelsea.png#sha256=596aa1e7cb875eb79f437e310381d26b338a81c2da23439704a73c4651e8c4bb"
)
COFFEE = (
    f"{SKIMAGE}coffee.png#sha256=cc02f8ca188b167c775a7101b5d767d1e71792cf762c33d6fa15a4599b5a8de7"
)
HOPPER = (
    "pypi:matplotlib==3.11.2/matplotlib/mpl-data/sample_data/grace_hopper.jpg"
    "#sha256=a8ca6d734765703b09728ab47fe59f473d93ae3967fc24c7c0288c3c7adb7130"
)
# Noted by hand, in pixels: brow to chin; all that is seen of the person.
ASTRONAUT_BOXES = ((179.0, 60.0, 274.0, 182.0), (20.0, 15.0, 362.0, 512.0))
HOPPER_BOXES = ((165.0, 125.0, 360.0, 338.0), (12.0, 22.0, 512.0, 600.0))


def load(spec: str) -> NDArray[np.uint8]:
    return np.asarray(Image.open(resolve(spec)).convert("RGB"))


def iou(a: Box, b: Box) -> float:
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    both = max(width, 0.0) * max(height, 0.0)
    return both / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - both)


@pytest.fixture(scope="module")
def detector() -> CenterFace:
    return CenterFace()


@pytest.mark.extra
@pytest.mark.parametrize(("spec", "noted"), [(ASTRONAUT, ASTRONAUT_BOXES), (HOPPER, HOPPER_BOXES)])
def test_finds_the_one_face_and_its_body(
    detector: CenterFace, spec: str, noted: tuple[Box, Box]
) -> None:
    picture = load(spec)
    found = detector.detect(picture, ["person", "dog", "face", "face"])
    assert sorted(detection.label for detection in found) == ["face", "person"]
    for detection in found:
        assert iou(detection.box, noted[detection.label == "person"]) > 0.6
        assert 0.7 < detection.score <= 1
        x1, y1, x2, y2 = detection.box
        assert 0 <= x1 < x2 <= picture.shape[1] and 0 <= y1 < y2 <= picture.shape[0]


@pytest.mark.extra
@pytest.mark.parametrize("spec", [CAT, COFFEE])
def test_sees_no_face_where_there_is_none(detector: CenterFace, spec: str) -> None:
    assert detector.detect(load(spec), ["face", "person"]) == []


@pytest.mark.extra
@pytest.mark.parametrize("factor", [0.25, 0.6, 3.0])
def test_boxes_scale_with_the_picture(detector: CenterFace, factor: float) -> None:
    image = Image.fromarray(load(ASTRONAUT))
    side = round(512 * factor)
    (found,) = detector.detect(np.asarray(image.resize((side, side))), ["face"])
    x1, y1, x2, y2 = (value / factor for value in found.box)
    assert iou((x1, y1, x2, y2), ASTRONAUT_BOXES[0]) > 0.6


@pytest.mark.extra
def test_boxes_are_right_in_a_slender_picture_of_two(detector: CenterFace) -> None:
    """A size that is no multiple of 32, and two people side by side."""
    pair = np.concatenate([load(ASTRONAUT)[:401, 5:], load(ASTRONAUT)[:401, 5:]], axis=1)
    found = detector.detect(pair, ["face"])
    assert len(found) == 2
    left, right = sorted(found, key=lambda detection: detection.box[0])
    x1, y1, x2, y2 = ASTRONAUT_BOXES[0]
    assert iou(left.box, (x1 - 5, y1, x2 - 5, y2)) > 0.6
    assert iou(right.box, (x1 + 502, y1, x2 + 502, y2)) > 0.6


def test_phrases_it_does_not_know_are_ignored(detector: CenterFace) -> None:
    assert detector.detect(load(ASTRONAUT), ["flag", "Face of a person", ""]) == []
    assert detector.detect(load(ASTRONAUT), []) == []


@pytest.mark.extra
def test_threshold_drops_faces() -> None:
    assert CenterFace(threshold=0.99).detect(load(ASTRONAUT), ["face"]) == []


@pytest.mark.extra
@pytest.mark.parametrize("size", [(1, 1), (8, 8), (1, 3000), (3000, 1), (300, 400)])
def test_blank_pictures_of_any_shape_have_no_face(
    detector: CenterFace, size: tuple[int, int]
) -> None:
    assert detector.detect(np.full((*size, 3), 127, dtype=np.uint8), ["face", "person"]) == []


@pytest.mark.extra
def test_threads_share_one_detector() -> None:
    detector = CenterFace()
    pictures = [load(ASTRONAUT), load(HOPPER)] * 3
    with ThreadPoolExecutor(6) as pool:
        found = list(pool.map(lambda picture: detector.detect(picture, ["face"]), pictures))
    assert found[0] == found[2] == found[4]
    assert found[1] == found[3] == found[5]


@pytest.mark.extra
@pytest.mark.parametrize("content", [b"", b"not a model", b"\x08\x07" * 400])
def test_damaged_model_file_is_said(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes(content)
    with pytest.raises(ModelFileError, match=r"model\.onnx") as caught:
        CenterFace(str(path)).detect(load(ASTRONAUT), ["face"])
    assert "\n" not in str(caught.value)


@pytest.mark.extra
def test_cut_off_model_file_is_said(tmp_path: Path) -> None:
    path = tmp_path / "half.onnx"
    path.write_bytes(resolve(CenterFace.MODEL).read_bytes()[:3_000_000])
    with pytest.raises(ModelFileError, match=r"half\.onnx"):
        CenterFace(str(path)).detect(load(ASTRONAUT), ["face"])


def test_missing_model_file_is_said_on_first_use() -> None:
    detector = CenterFace("no/such/file.onnx")
    assert detector.detect(load(ASTRONAUT), ["flag"]) == []
    with pytest.raises(ModelFileError, match=r"no/such/file\.onnx"):
        detector.detect(load(ASTRONAUT), ["face"])


def test_body_of_a_face_alone_is_a_standing_person() -> None:
    ((x1, y1, x2, y2),) = bodies([(480.0, 100.0, 520.0, 150.0)], 1000, 1000)
    assert (x1 + x2) / 2 == 500
    assert 55 < y1 < 100
    assert 8 < (y2 - y1) / 50 < 11
    assert 0.2 < (x2 - x1) / (y2 - y1) < 0.4


def test_bodies_end_between_neighbours() -> None:
    left, right = bodies([(100.0, 100.0, 150.0, 160.0), (190.0, 110.0, 240.0, 170.0)], 800, 800)
    assert left[2] == right[0] == 170
    assert left[0] == pytest.approx(42.5) and right[2] == pytest.approx(297.5)


def test_body_ends_at_the_hair_of_who_sits_in_front() -> None:
    behind, front = bodies([(100.0, 100.0, 150.0, 160.0), (110.0, 300.0, 160.0, 360.0)], 800, 900)
    assert 160 < behind[3] < 300
    assert front[3] > 800


def test_small_face_in_the_back_cuts_nothing_off() -> None:
    near = (400.0, 200.0, 560.0, 400.0)
    assert (
        bodies([near, (620.0, 300.0, 640.0, 325.0)], 1000, 900)[0] == bodies([near], 1000, 900)[0]
    )


def test_bodies_stay_in_the_picture() -> None:
    for box in bodies([(0.0, 0.0, 40.0, 50.0), (60.0, 60.0, 100.0, 100.0)], 100, 100):
        assert 0 <= box[0] < box[2] <= 100 and 0 <= box[1] < box[3] <= 100
