from pathlib import Path
from typing import Any

import numpy as np
import pytest

from deixis.agents.context.media import VIDEOS
from deixis.agents.muie.watch import watch
from deixis.base.video import OpenedVideo
from deixis.testing.media import film

from .crossing_film import film_of, frames_of, movie, toolbox_of_muie

pytestmark = pytest.mark.extra("av")


def moving(count: int) -> list[list[tuple[str, int, int] | None]]:
    return [[("red ball", 20 + 110 * number // count, 40)] for number in range(count)]


def test_frames_are_evenly_spread(run: Any) -> None:
    state = movie(film_of(moving(40)))
    update = run(watch, state, toolbox_of_muie(frames=4))
    assert [frame["index"] for frame in update["watched"]] == [5, 15, 25, 35]
    assert [frame["time"] for frame in update["watched"]] == pytest.approx([0.5, 1.5, 2.5, 3.5])


def test_frames_of_one_colour_and_repeated_ones_are_passed_over(run: Any) -> None:
    frames = frames_of(moving(40))
    frames[3:8] = 0  # around the middle of the first part
    frames[14:17] = frames[7:8] = frames[5]
    state = movie(film(frames, 10, crf="5"))
    update = run(watch, state, toolbox_of_muie(frames=4))
    indices = [frame["index"] for frame in update["watched"]]
    assert indices[0] in {2, 8} and indices[1] in {12, 13, 17, 18} and indices[2:] == [25, 35]


def test_a_short_video_shows_each_frame_once(run: Any) -> None:
    state = movie(film_of(moving(3)))
    update = run(watch, state, toolbox_of_muie(frames=8))
    assert [frame["index"] for frame in update["watched"]] == [0, 1, 2]


def test_a_video_of_one_colour_shows_it(run: Any) -> None:
    state = movie(film(np.zeros((20, 32, 32, 3), dtype=np.uint8), 10))
    assert run(watch, state, toolbox_of_muie(frames=2))["watched"]


def test_without_a_video_nothing_is_chosen(run: Any) -> None:
    toolbox = toolbox_of_muie()
    assert run(watch, {"film": None}, toolbox) == {}


def test_a_video_is_gone_through_twice_at_most(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    rounds: list[int] = []
    each = OpenedVideo.each

    def counted(video: OpenedVideo, times: Any) -> Any:
        rounds.append(len(times))
        return each(video, times)

    monkeypatch.setattr(OpenedVideo, "each", counted)
    run(watch, movie(film_of(moving(40))), toolbox_of_muie(frames=4))
    assert rounds == [4]
    run(watch, movie(film(np.zeros((40, 32, 32, 3), np.uint8), 10)), toolbox_of_muie(frames=4))
    assert rounds == [4, 4, 8]


def test_a_video_that_is_gone_or_changed_is_told(run: Any, tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    path.write_bytes(film_of(moving(20)))
    state = movie(str(path))
    for content in (film_of(moving(10)), None):
        VIDEOS.kept.clear()
        path.write_bytes(content) if content else path.unlink()
        update = run(watch, state, toolbox_of_muie())
        (told,) = update["notices"].values()
        assert update["watched"] == [] and told["message"].startswith("no frames are shown: ")
