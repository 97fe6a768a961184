"""observe: what is looked for in a picture whatever the text says, and the caption of it."""

from collections.abc import Sequence
from typing import Any

import pytest

from deixis.agents.main.entail import entail
from deixis.agents.observe import observe
from deixis.errors import ToolError
from deixis.testing import tools
from deixis.tools.base import Detection, Picture

BOXES = {"person": (0.0, 0.0, 80.0, 200.0), "logo": (10.0, 10.0, 30.0, 30.0)}


class Eye:
    """A detector that finds one of each thing it has a box for."""

    def __init__(self, *labels: str) -> None:
        self.labels = labels or None
        self.asked: Sequence[str] = ()
        self.broken = False

    def detect(self, picture: Picture, phrases: Sequence[str]) -> list[Detection]:
        self.asked = list(phrases)
        if self.broken:
            raise ToolError("it is broken")
        return [Detection(phrase, BOXES[phrase], 0.5) for phrase in phrases if phrase in BOXES]


@pytest.fixture
def state(opened: Any, mention: Any, templates: Any) -> dict[str, Any]:
    return {
        "text": "Ann met NASA",
        "picture": opened(100, 200),
        "mentions": {"e1": mention("Ann")},
        "templates": templates("person"),
    }


@pytest.mark.parametrize(
    ("eye", "asked", "caption"),
    [
        (Eye(), ["person", "logo", "cat"], "Seen: 1 person, 1 logo"),
        (Eye("person", "dog"), ["person", "dog"], "Seen: 1 person"),
        (Eye("face", "dog", "logo"), ["logo", "dog"], "Seen: 1 logo"),
    ],
)
def test_people_and_the_objects_of_the_settings_are_looked_for(
    state: Any, toolbox_of: Any, run: Any, eye: Eye, asked: list[str], caption: str
) -> None:
    with tools(eye=eye):
        toolbox = toolbox_of(detector="eye", objects=["logo", "person", "cat"])
        seen = run(observe, state, toolbox)["observation"]
    assert list(eye.asked) == asked
    assert seen["caption"] == caption and seen["looking"]["people"] == "looked"
    assert [each["id"] for each in seen["objects"]] == ["o1", "o2"][: len(seen["objects"])]


def test_what_is_no_person_is_no_candidate_for_one(state: Any, toolbox_of: Any, run: Any) -> None:
    with tools(eye=Eye("person", "logo")):
        toolbox = toolbox_of(detector="eye", objects=["logo"])
        state |= run(observe, state, toolbox)
        (candidate,) = run(entail, state, toolbox)["verdicts"]["e1"]["candidates"]
    assert candidate["box"] == list(BOXES["person"]) and "1 of 1" in candidate["what"]


def test_a_broken_detector_leaves_a_notice(state: Any, toolbox_of: Any, run: Any) -> None:
    eye = Eye()
    eye.broken = True
    with tools(eye=eye):
        update = run(observe, state, toolbox_of(detector="eye"))
    assert update["observation"]["looking"]["people"] == "failed"
    assert update["observation"]["caption"] is None
    assert "it is broken" in next(iter(update["notices"].values()))["message"]


def test_without_a_picture_nobody_looks(toolbox_of: Any, run: Any) -> None:
    eye = Eye()
    with tools(eye=eye):
        update = run(observe, {"text": "a", "picture": None}, toolbox_of(detector="eye"))
    assert update == {} and eye.asked == ()


def test_a_caption_counts_people_first_and_in_the_plural(
    state: Any, toolbox_of: Any, run: Any
) -> None:
    class Crowd(Eye):
        def detect(self, picture: Picture, phrases: Sequence[str]) -> list[Detection]:
            seen = ["bus", "bus", "sheep", "sheep", "person", "person", "knife", "wine glass"]
            seen += ["knife", "wine glass", "puppy", "puppy", "donkey", "donkey"]
            return [Detection(label, BOXES["logo"], 0.5) for label in seen]

    with tools(eye=Crowd()):
        whole = run(observe, state, toolbox_of(detector="eye", top_k=14))["observation"]
        some = run(observe, state, toolbox_of(detector="eye", top_k=3))["observation"]
    assert whole["caption"] == (
        "Seen: 2 people, 2 buses, 2 sheep, 2 knives, 2 wine glasses, 2 puppies, 2 donkeys"
    )
    assert some["caption"] == "Seen: 2 people, 1 bus, 11 more"
    assert [seen["label"] for seen in whole["objects"]][:3] == ["person", "person", "bus"]
