"""Pointing at the marked names of a text, for the agents that weigh what was seen."""

import re
from typing import Any

import pytest

from deixis.agents.main.entail import entail
from deixis.agents.main.ground import ground
from deixis.errors import ToolError
from deixis.testing import tools
from deixis.tools.base import Detection

MARKED = re.compile(r"\[(.+?)\|(\w+)(?:\.(\w+))?\]")
SHOWN = {"PER": 0.65, "LOC": 0.09, "ORG": 0.27, "OTHER": 0.26}
"""How often such mentions are shown, over Twitter-GMNER's train split."""


class Knowing:
    """A detector that knows some labels and finds nothing but at a second look."""

    name = "knowing"
    labels = ("person", "dog", "cat", "horse", "car", "truck", "bus", "cell phone")

    def __init__(self) -> None:
        self.faint: list[Detection] | ToolError = []
        self.asked: list[list[str]] = []

    def detect(self, *_: Any) -> list[Any]:
        return []

    def glimpse(self, picture: Any, phrases: Any) -> list[Detection]:
        self.asked.append([*phrases])
        if isinstance(self.faint, ToolError):
            raise self.faint
        return [detection for detection in self.faint if detection.label in phrases]


@pytest.fixture
def knowing() -> Knowing:
    return Knowing()


@pytest.fixture
def noticed() -> list[Any]:
    return []


@pytest.fixture
def pointed(
    mention: Any, toolbox_of: Any, run: Any, noticed: list[Any], knowing: Knowing, opened: Any
) -> Any:
    """Point at the marked names of a text: name to the ids of what it is given, and the reasons.

    Seen are ``dog``, ``bus*2`` (twice as broad), each beside the last; writing is ``bus=IRIZAR``.
    """

    def point(marked: str, *seen: str, objects: Any = None, **more: Any) -> tuple[Any, Any]:
        text, mentions = "", {}
        last = 0
        for match in MARKED.finditer(marked):
            text += marked[last : match.start()]
            record = mention(match[1], len(text), match[2], SHOWN[match[2]])
            mentions[f"e{len(mentions) + 1}"] = {**record, "fine_type": match[3]}
            text, last = text + match[1], match.end()
        observation: dict[str, Any] = {"caption": None, "objects": [], "words": []}
        observation["looking"] = more.pop("looking", {"people": "looked", "words": "looked"})
        left = 0.0
        for number, label in enumerate(seen):
            what, _, written = label.partition("=")
            what, _, size = what.partition("*")
            box = [left, 0.0, left + 50.0 * float(size or 1), 300.0]
            left = box[2] + 10
            thing = {"id": f"{what}{number}", "label": what, "box": box, "score": 0.8}
            observation["objects"] += [thing] if what else []
            sign = [box[0] + 10, 100.0, box[2] - 10, 110.0]
            word = {"id": f"w{number}", "text": written, "box": sign, "score": 0.9}
            observation["words"] += [word] if written else []
        state = {
            "text": text + marked[last:],
            "picture": opened(1000, 300),
            "mentions": mentions,
            "observation": observation,
        }
        with tools(knowing=more.pop("detector", knowing), sign=[]):
            toolbox = toolbox_of(detector="knowing", reader="sign", **more)
            judged = run(entail, state, toolbox)
            placed = run(ground, {**state, **judged}, toolbox)
        boxes = {tuple(thing["box"]): thing["id"] for thing in observation["objects"]}
        if not isinstance(knowing.faint, ToolError):
            boxes |= {tuple(faint.box): f"faint {faint.label}" for faint in knowing.faint}
        given = {
            mentions[entity]["text"]: [boxes.get(tuple(region["box"]), "line") for region in own]
            for entity, own in placed.get("regions", {}).items()
        }
        noticed.extend(judged["notices"].values())
        reasons = {
            mentions[key.partition("/")[0]]["text"]: record["evidence"]
            for key, record in judged["decisions"].items()
        }
        return given, reasons

    return point
