"""observe: what is looked for in a picture whatever the text says, and the caption of it."""

import sys
from collections.abc import Iterator, Sequence
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from deixis.agents.context import pictures
from deixis.agents.main.entail import entail
from deixis.agents.observe import observe
from deixis.errors import ToolError
from deixis.tools import registry
from deixis.tools.base import Detection, Picture

BOXES = {"person": (0.0, 0.0, 80.0, 200.0), "logo": (10.0, 10.0, 30.0, 30.0)}


class Eye:
    """A detector that finds one of each thing it has a box for."""

    name = "eye"
    asked: Sequence[str] = ()
    broken = False

    def __init__(self, labels: str = "") -> None:
        self.labels = tuple(labels.split(",")) if labels else None

    def detect(self, picture: Picture, phrases: Sequence[str]) -> list[Detection]:
        type(self).asked = list(phrases)
        if self.broken:
            raise ToolError("it is broken")
        return [Detection(each, BOXES[each], 0.5) for each in phrases if each in BOXES]


@pytest.fixture
def eye(monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Eye]]:
    module = ModuleType("eye_in_test")
    module.Eye = Eye  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "eye_in_test", module)
    monkeypatch.setitem(
        registry.TOOLS, "eye", registry.Tool("eye_in_test:Eye", "detector", "test", {})
    )
    monkeypatch.setattr(Eye, "broken", False)
    registry._load.cache_clear()
    yield Eye
    registry._load.cache_clear()


@pytest.fixture
def state(mention: Any, templates: Any) -> dict[str, Any]:
    opened = pictures.take_in(np.full((200, 100, 3), 7, np.uint8), 1_000_000)
    picture = {"width": 100, "height": 200, "source": "array", "sha256": opened.sha256}
    return {
        "text": "Ann met NASA",
        "picture": picture,
        "mentions": {"e1": mention("Ann")},
        "templates": templates("person"),
    }


@pytest.mark.parametrize(
    ("spec", "asked", "caption"),
    [
        ("eye", ["person", "logo", "cat"], "Seen: 1 person; 1 logo"),
        ("eye?labels=person,dog", ["person"], "Seen: 1 person"),
    ],
)
def test_people_and_the_objects_of_the_settings_are_looked_for(
    state: Any, toolbox_of: Any, run: Any, eye: Any, spec: str, asked: list[str], caption: str
) -> None:
    toolbox = toolbox_of(detector=spec, objects=["logo", "person", "cat"])
    seen = run(observe, state, toolbox)["observation"]
    assert list(eye.asked) == asked
    assert seen["caption"] == caption and seen["looking"]["people"] == "looked"
    assert [each["id"] for each in seen["objects"]] == ["o1", "o2"][: len(seen["objects"])]


def test_what_is_no_person_is_no_candidate_for_one(
    state: Any, toolbox_of: Any, run: Any, eye: Any
) -> None:
    toolbox = toolbox_of(detector="eye?labels=person,logo", objects=["logo"])
    state |= run(observe, state, toolbox)
    (candidate,) = run(entail, state, toolbox)["verdicts"]["e1"]["candidates"]
    assert candidate["box"] == list(BOXES["person"]) and "1 of 1" in candidate["what"]


def test_a_broken_detector_leaves_a_notice(
    state: Any, toolbox_of: Any, run: Any, eye: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Eye, "broken", True)
    update = run(observe, state, toolbox_of(detector="eye"))
    assert update["observation"]["looking"]["people"] == "failed"
    assert update["observation"]["caption"] is None
    assert "it is broken" in next(iter(update["notices"].values()))["message"]


def test_without_a_picture_nobody_looks(toolbox_of: Any, run: Any, eye: Any) -> None:
    eye.asked = ()
    update = run(observe, {"text": "a", "picture": None}, toolbox_of(detector="eye"))
    assert update["observation"]["objects"] == [] and eye.asked == ()
