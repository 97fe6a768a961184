import numpy as np
import pytest

from deixis.base.boxes import as_box, box_iou
from deixis.errors import ToolError
from deixis.tools import registry
from deixis.tools.base import Picture, Tracked
from deixis.tools.tracking.optical_flow import OpticalFlow

from .crossing import Clip, crossing, score

pytestmark = pytest.mark.extra("starter")


def track(clip: Clip) -> list[list[Tracked | None]]:
    return OpticalFlow().track(clip.frames, [as_box(box) for box in clip.boxes[0]])


@pytest.mark.parametrize(("seed", "step"), [(101, 4.0), (102, 7.0), (103, 15.0), (104, 35.0)])
def test_objects_that_cross_keep_who_they_are(seed: int, step: float) -> None:
    clip = crossing(seed, step=step)
    assert (clip.visible.min(axis=0) < 0.5).any(), "one of them is hidden for a while"
    found = score(clip, track(clip))
    assert found.iou > 0.85
    assert found.switches == 0


def test_what_is_hidden_has_no_place_and_is_found_again() -> None:
    clip = crossing(101, step=4.0)
    tracks = track(clip)
    hidden = np.argwhere(clip.visible < 0.1).tolist()
    assert hidden
    assert all(tracks[each][number] is None for number, each in hidden)
    assert all(own[-1] is not None for own in tracks)


def test_played_backwards_it_is_followed_backwards() -> None:
    clip = crossing(105, step=8.0)
    back = Clip(clip.frames[::-1], clip.boxes[::-1], clip.visible[::-1])
    found = score(back, track(back))
    assert found.iou > 0.85
    assert found.switches == 0


def test_places_are_of_frames_as_given_and_inside_them() -> None:
    clip = crossing(102, count=12)
    large = [np.repeat(np.repeat(frame, 4, axis=0), 4, axis=1) for frame in clip.frames]
    boxes = [as_box(4 * box) for box in clip.boxes[0]]
    tracks = OpticalFlow().track(large, boxes)
    found = score(Clip(large, 4 * clip.boxes, clip.visible), tracks)
    assert found.iou > 0.85
    for place in (place for own in tracks for place in own if place):
        x1, y1, x2, y2 = place.box
        assert 0 <= x1 < x2 <= 4 * 480 and 0 <= y1 < y2 <= 4 * 270
        assert 0 <= place.score <= 1


def moving(
    places: list[tuple[int, int] | None], pole: tuple[int, int] | None = None
) -> list[Picture]:
    """Draw a square of coloured blocks, 40 pixels wide, on grey; a pole stands before it."""
    blocks = np.random.default_rng(0).integers(0, 256, (8, 8, 3), dtype=np.uint8)
    square = np.repeat(np.repeat(blocks, 5, axis=0), 5, axis=1)
    frames = []
    for place in places:
        frame = np.full((120, 320, 3), 120, dtype=np.uint8)
        frame[::8] = 90
        if place is not None:
            x, y = place
            width = max(0, min(40, 320 - x))
            frame[y : y + 40, x : x + width] = square[:, :width]
        if pole is not None:
            frame[:, pole[0] : pole[1]] = (20, 40, 30)
        frames.append(frame)
    return frames


def test_what_passes_behind_a_pole_is_found_behind_it() -> None:
    places = [(20 + 8 * number, 40) for number in range(30)]
    (own,) = OpticalFlow().track(moving([*places], pole=(120, 180)), [(20.0, 40.0, 60.0, 80.0)])
    assert any(place is None for place in own[10:18])
    last = own[-1]
    assert last is not None and box_iou(last.box, (252.0, 40.0, 292.0, 80.0)) > 0.8


def test_what_leaves_the_frame_is_lost() -> None:
    places = [(200 + 10 * number, 40) for number in range(20)]
    (own,) = OpticalFlow().track(moving([*places]), [(200.0, 40.0, 240.0, 80.0)])
    assert own[5] is not None
    assert own[-6:] == [None] * 6


def test_after_a_cut_nothing_is_followed() -> None:
    here, blank = moving([(100, 40)] * 4), moving([None] * 4)
    (own,) = OpticalFlow().track([*here, *blank], [(100.0, 40.0, 140.0, 80.0)])
    assert [place is None for place in own] == [False] * 4 + [True] * 4


def test_same_input_gives_same_places() -> None:
    clip = crossing(106, count=15)
    assert track(clip) == track(clip)


def test_without_boxes_or_frames_there_are_no_places() -> None:
    frames = moving([(100, 40)])
    assert OpticalFlow().track(frames, []) == []
    assert OpticalFlow().track([], [(1.0, 2.0, 30.0, 40.0)]) == [[]]
    assert len(OpticalFlow().track(frames, [(1.0, 2.0, 30.0, 40.0)])[0]) == 1


@pytest.mark.parametrize(
    "box", [(5.0, 5.0, 5.4, 5.4), (-20.0, -9.0, 900.0, 800.0), (318.5, 118.5, 320.0, 120.0)]
)
def test_tiny_and_huge_boxes_do_not_fail(box: tuple[float, float, float, float]) -> None:
    frames = moving([(100 + 4 * number, 40) for number in range(5)])
    (own,) = OpticalFlow().track(frames, [box])
    assert len(own) == 5 and own[0] is not None


def test_plain_frames_have_nothing_to_follow_and_do_not_fail() -> None:
    frames = [np.full((50, 60, 3), 77, dtype=np.uint8)] * 4
    (own,) = OpticalFlow().track(frames, [(10.0, 10.0, 30.0, 30.0)])
    assert len(own) == 4


def test_frames_that_opencv_cannot_take_are_a_tool_error() -> None:
    frames = [np.zeros((50, 50, 1), dtype=np.uint8)] * 2
    with pytest.raises(ToolError, match="optical-flow failed"):
        OpticalFlow().track(frames, [(5.0, 5.0, 40.0, 40.0)])


def test_a_spec_names_it() -> None:
    tool = registry.load("optical-flow?long_side=320", "tracker")
    assert isinstance(tool, OpticalFlow)
