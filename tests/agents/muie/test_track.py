"""Finding what is sought in videos that av has encoded, and following it by optical flow."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from deixis.agents.context.media import VIDEOS
from deixis.agents.muie.track import found_things, track
from deixis.base.boxes import as_box, box_iou
from deixis.base.media_records import Frame
from deixis.errors import ToolError
from deixis.testing import media, tools
from deixis.weights.model_files import resolve

from .crossing_film import ColourDetector, Places, box_at, film_of, movie, toolbox_of_muie

pytestmark = [pytest.mark.extra("av"), pytest.mark.extra("starter")]

COUNT = 60
ASTRONAUT = (
    "pypi:scikit-image==0.26.0/skimage/data/astronaut.png"
    "#sha256=88431cd9653ccd539741b555fb0a46b61558b301d4110412b5bc28b5e3ea6cb5"
)


def crossing(number: int) -> Places:
    """Two balls pass through each other, green in front."""
    return [("red ball", 20 + 2 * number, 40), ("green ball", 140 - 2 * number, 46)]


def sought(**phrases: str) -> dict[str, Any]:
    mention = {"start": None, "end": None, "type": "OTHER", "confidence": 1.0, "fine_type": None}
    return {
        "mentions": {entity: {**mention, "text": text} for entity, text in phrases.items()},
        "sought": {
            entity: [{"medium": "video", "phrase": text}] for entity, text in phrases.items()
        },
    }


def follow(
    run: Any,
    state: Any,
    eyes: Any,
    tracker: str | None = "optical-flow",
    agent: Any = track,
    **options: Any,
) -> dict[str, Any]:
    with tools(eyes=eyes):
        toolbox = toolbox_of_muie(detector="eyes", tracker=tracker, **options)
        update: dict[str, Any] = run(agent, state, toolbox)
    for own in update.get("tracks", {}).values():
        for frame in own:
            Frame.model_validate(frame)
    return update


def check_places(
    own: list[dict[str, Any]], at: Callable[[int], tuple[str, int, int] | None], least: float = 0.6
) -> None:
    for frame in own:
        place = at(frame["index"])
        assert place is not None, f"nothing is there in frame {frame['index']}"
        overlap = box_iou(as_box(frame["region"]["box"]), box_at(*place[1:]))
        assert overlap > least, f"frame {frame['index']}: {overlap}"


def test_two_that_cross_are_followed_and_stay_who_they_are(run: Any) -> None:
    state = movie(film_of([crossing(number) for number in range(COUNT)]))
    state |= sought(e1="red ball", e2="green ball")
    update = follow(run, state, ColourDetector(), track_rate=10)
    assert update["looks"] == {"e1/video": "found", "e2/video": "found"}
    red, green = update["tracks"]["e1"], update["tracks"]["e2"]
    check_places(red, lambda number: crossing(number)[0])
    check_places(green, lambda number: crossing(number)[1])
    assert [frame["index"] for frame in green] == list(range(COUNT))
    assert len(red) > COUNT - 20, "it is hidden for a while"
    assert red[0]["region"]["source"] == "eyes"
    assert red[1]["region"]["source"] == "optical-flow"
    assert [frame["time"] for frame in green] == pytest.approx([n / 10 for n in range(COUNT)])


def test_without_a_tracker_there_are_the_key_frames(run: Any) -> None:
    state = movie(film_of([crossing(number) for number in range(COUNT)]))
    state |= sought(e1="red ball")
    update = follow(run, state, ColourDetector(), None)
    own = update["tracks"]["e1"]
    assert [frame["index"] for frame in own] == [0, 20, 40]
    assert {frame["region"]["source"] for frame in own} == {"eyes"}


def test_what_comes_late_is_followed_backwards_and_leaves(run: Any) -> None:
    def at(number: int) -> tuple[str, int, int] | None:
        return ("blue ball", 20 + 3 * (number - 13), 40) if 13 <= number < 47 else None

    state = movie(film_of([[at(number)] for number in range(COUNT)])) | sought(e1="blue ball")
    own = follow(run, state, ColourDetector(), track_rate=10)["tracks"]["e1"]
    check_places(own, at)
    indices = [frame["index"] for frame in own]
    assert min(indices) <= 14 and max(indices) >= 45


def test_what_is_not_there_and_what_failed_are_told_apart(run: Any) -> None:
    state = movie(film_of([crossing(number) for number in range(20)]))
    state |= sought(e1="blue ball")
    state["mentions"]["e2"] = {**state["mentions"]["e1"], "text": "somebody"}
    update = follow(run, state, ColourDetector())
    assert update["looks"] == {"e1/video": "absent"}
    assert "over-grounding" in update["decisions"]["e1/track/track"]["evidence"][0]
    assert update["decisions"]["e1/track/track"]["outcome"] == "none"
    assert "missing grounding" in update["decisions"]["e2/track/track"]["evidence"][0]
    blind = ColourDetector()
    blind.fails = True
    update = follow(run, state, blind)
    assert update["looks"] == {"e1/video": "failed"}
    assert update["decisions"]["e1/track/track"]["outcome"] is None
    assert any("the lamp is out" in key for key in update["notices"])
    update = run(track, state, toolbox_of_muie())
    assert update["looks"] == {"e1/video": "off"}


def test_one_thing_is_not_two_entities(run: Any) -> None:
    scene: list[Places] = [[("red ball", 20 + 2 * number, 40)] for number in range(30)]
    state = movie(film_of(scene)) | sought(e1="red ball", e2="crimson globe")
    eyes = ColourDetector({"crimson globe": "red ball"})
    update = follow(run, state, eyes)
    assert sorted(update["looks"].values()) == ["absent", "found"]
    missing = next(key[:2] for key, look in update["looks"].items() if look == "absent")
    assert "is another entity" in update["decisions"][f"{missing}/track/track"]["evidence"][0]


def test_who_is_gone_and_comes_back_is_the_same(run: Any) -> None:
    def at(number: int) -> tuple[str, int, int] | None:
        return None if 15 <= number < 50 else ("red ball", 30 + number, 40)

    scene: list[Places] = [[at(number), ("green ball", 130, 70)] for number in range(80)]
    state = movie(film_of(scene)) | sought(e1="red ball", e2="green ball")
    own = follow(run, state, ColourDetector())["tracks"]["e1"]
    check_places(own, at)
    indices = [frame["index"] for frame in own]
    assert min(indices) == 0 and max(indices) >= 70


def test_a_tracker_that_fails_leaves_the_key_frames_and_a_notice(run: Any) -> None:
    class Broken:
        name = "broken"

        def track(self, frames: Any, boxes: Any) -> Any:
            raise ToolError("broken: out of memory")

    state = movie(film_of([crossing(number) for number in range(COUNT)])) | sought(e1="red ball")
    with tools(broken=Broken()):
        update = follow(run, state, ColourDetector(), "broken")
    assert [frame["index"] for frame in update["tracks"]["e1"]] == [0, 20, 40, 58]
    assert [key for key in update["notices"] if "broken: out of memory" in key]


def test_more_things_than_may_be_followed_are_told_of(run: Any) -> None:
    state = movie(film_of([crossing(number) for number in range(20)]))
    state |= sought(e1="red ball", e2="green ball")
    update = follow(run, state, ColourDetector(), max_tracks=1)
    assert sorted(update["looks"].values()) == ["absent", "found"]
    assert [key for key in update["notices"] if "more than 1 things" in key]


@pytest.mark.parametrize(
    ("phrase", "kind", "labels"),
    [
        ("the man in the left", "OTHER", ["person"]),
        ("a woman with a dog", "OTHER", ["person"]),
        ("the dog on the couch", "OTHER", ["dog"]),
        ("our corgi", "OTHER", ["dog"]),
        ("Angela Merkel", "PER", ["person"]),
        ("Toyota Hilux", "OTHER", ["car", "truck"]),
        ("two fire hydrants", "OTHER", ["fire hydrant"]),
    ],
)
def test_phrases_are_brought_to_labels(run: Any, phrase: str, kind: str, labels: list[str]) -> None:
    state = movie(film_of([crossing(number) for number in range(5)])) | sought(e1=phrase)
    state["mentions"]["e1"]["type"] = kind
    eyes = ColourDetector(labels=(*labels, "person", "dog", "truck", "car", "fire hydrant"))
    follow(run, state, eyes)
    assert eyes.asked[0] == labels


def test_what_a_detector_has_no_label_for_is_not_looked_for(run: Any) -> None:
    state = movie(film_of([crossing(number) for number in range(5)])) | sought(e1="Brexit")
    eyes = ColourDetector(labels=("person",))
    update = follow(run, state, eyes)
    assert update["looks"] == {"e1/video": "off"}
    assert eyes.asked == []


def test_a_label_that_two_things_have_is_less_sure(run: Any) -> None:
    state = movie(film_of([crossing(number) for number in range(40)]))
    state |= sought(e1="Ann", e2="Bob")
    for mention in state["mentions"].values():
        mention["type"] = "PER"
    eyes = ColourDetector(labels=("person",))
    update = follow(run, state, eyes)
    assert update["looks"] == {"e1/video": "found", "e2/video": "found"}
    decided = update["decisions"]["e1/track/track"]
    assert decided["confidence"] < 0.6
    assert "one of 2 things that are called person" in decided["evidence"][1]


def test_things_of_a_video_without_words_are_named_by_their_labels(run: Any) -> None:
    state = movie(film_of([crossing(number) for number in range(COUNT)]))
    eyes = ColourDetector(labels=("person",))
    update = follow(
        run, state, eyes, agent=lambda *given: found_things(*given, first=3), track_rate=10
    )
    assert list(update["mentions"]) == ["e3", "e4"]
    assert [mention["text"] for mention in update["mentions"].values()] == ["person"] * 2
    assert update["mentions"]["e3"]["type"] == "PER"
    green, red = update["tracks"]["e3"], update["tracks"]["e4"]  # the larger one first
    check_places(red, lambda number: crossing(number)[0])
    check_places(green, lambda number: crossing(number)[1])


@pytest.mark.slow
def test_the_detector_of_the_starter_stack_finds_and_follows_a_person(run: Any) -> None:
    """The camera goes over a photograph of an astronaut."""
    photo = np.asarray(Image.open(resolve(ASTRONAUT)).convert("RGB"))
    frames = np.array([photo[: 420 - number, 2 * number :][:380, :400] for number in range(41)])
    state = movie(media.film(frames, 10, crf="12"))
    toolbox = toolbox_of_muie(detector="nanodet", tracker="optical-flow")
    named = run(found_things, state, toolbox)
    assert [mention["text"] for mention in named["mentions"].values()] == ["person"]
    assert len(named["tracks"]["e1"]) > 15
    update = run(track, state | sought(e1="the woman in the orange suit"), toolbox)
    own = update["tracks"]["e1"]
    assert update["looks"] == {"e1/video": "found"}
    for frame in own:
        left = 224 - 2 * frame["index"]  # of the middle of her face
        x1, y1, x2, y2 = frame["region"]["box"]
        assert x1 < left < x2 and y1 < 110 < y2


@pytest.mark.parametrize("agent", [track, found_things])
def test_a_video_that_is_gone_is_told(run: Any, tmp_path: Path, agent: Any) -> None:
    path = tmp_path / "a.mp4"
    path.write_bytes(film_of([crossing(number) for number in range(10)]))
    state = {**movie(str(path)), **sought(e1="red ball")}
    path.unlink()
    VIDEOS.kept.clear()
    update = follow(run, state, ColourDetector(), agent=agent)
    (told,) = update["notices"].values()
    assert told["message"].startswith("the video was not looked at: ")
    assert update.get("looks", {}) == ({"e1/video": "failed"} if agent is track else {})
