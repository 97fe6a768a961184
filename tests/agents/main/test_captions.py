"""An entailer that reads a description: its probability in the place of the prior."""

from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from deixis.agents.context.state import DESCRIPTION
from deixis.agents.main.entail import entail
from deixis.agents.main.ground import ground
from deixis.agents.main.look import describes_first
from deixis.errors import ToolError
from deixis.testing import tools
from deixis.tools.base import CaptionMention

CAPTION = "A woman stands before a rocket."
PERSON = {"id": "o1", "label": "person", "box": [10.0, 10.0, 90.0, 290.0], "score": 0.8}
LOOKED = {"people": "looked", "words": "looked"}


class Reads:
    """A tool that says what a test has put into ``chances``."""

    name = "reads"

    def __init__(self) -> None:
        self.chances: list[float] = []
        self.asked: list[tuple[str, str, list[CaptionMention]]] = []

    def shown(self, text: str, caption: str, mentions: Sequence[CaptionMention]) -> list[float]:
        self.asked.append((text, caption, list(mentions)))
        if not self.chances:
            raise ToolError("it is broken")
        return self.chances


@pytest.fixture
def reads() -> Iterator[Reads]:
    """The tool ``reads``."""
    tool = Reads()
    with tools(reads=tool):
        yield tool


@pytest.fixture
def post(described: dict[str, Any]) -> dict[str, Any]:
    """Ann and NASA with a description; one person is seen, and no writing."""
    observation = {"caption": None, "objects": [PERSON], "words": [], "looking": LOOKED}
    return {**described, "notes": {DESCRIPTION: CAPTION}, "observation": observation}


def said(update: dict[str, Any], entity: str) -> Any:
    return update["decisions"][f"{entity}/entail/groundable"]


def test_it_is_asked_once_about_all(post: Any, toolbox_of: Any, run: Any, reads: Reads) -> None:
    reads.chances = [0.9, 0.1]
    update = run(entail, post, toolbox_of(entailer="reads"))
    asked = [CaptionMention(0, 3, "PER", None, 0.5), CaptionMention(8, 12, "ORG", None, 0.5)]
    assert reads.asked == [("Ann met NASA", CAPTION, asked)]
    assert update["calls"] == {} and update["notices"] == {}


@pytest.mark.parametrize(
    ("chance", "shown", "odds"), [(0.9, True, 36), (0.3, True, 12 / 7), (0.1, False, 4 / 9)]
)
def test_it_stands_for_the_prior_and_tools_say_where(
    post: Any,
    toolbox_of: Any,
    run: Any,
    reads: Reads,
    chance: float,
    shown: bool,
    odds: float,
) -> None:
    reads.chances, probability = [chance, 0.1], odds / (1 + odds)
    update = run(entail, post, toolbox_of(entailer="reads"))
    verdict, decided = update["verdicts"]["e1"], said(update, "e1")
    assert verdict["groundable"] is shown and bool(verdict["candidates"]) is shown
    assert verdict["probability"] == pytest.approx(probability), "odds x 4: a person"
    assert decided["model"] == "reads"
    how = "reaches" if shown else "is below"
    assert decided["evidence"][1:] == [
        f"prior {chance:.2f} (what reads reads in the description of the picture)",
        f"{probability:.2f} {how} the threshold 0.5",
    ]


def test_what_is_shown_and_at_which_nothing_points_is_undecided(
    post: Any, toolbox_of: Any, run: Any, reads: Reads
) -> None:
    reads.chances = [0.05, 0.95]
    toolbox = toolbox_of(entailer="reads")
    update = run(entail, post, toolbox)
    assert update["verdicts"]["e2"]["groundable"] is True
    assert update["verdicts"]["e1"]["groundable"] is False
    placed = run(ground, {**post, **update}, toolbox)
    assert placed["verdicts"]["e2"]["groundable"] is None


def test_without_a_picture_no_is_an_answer_and_yes_has_no_place(
    post: Any, toolbox_of: Any, run: Any, reads: Reads
) -> None:
    reads.chances = [0.8, 0.1]
    bare = {key: value for key, value in post.items() if key != "observation"}
    update = run(entail, {**bare, "picture": None}, toolbox_of(entailer="reads"))
    shown, hidden = update["verdicts"].values()
    assert (shown["groundable"], hidden["groundable"]) == (None, False)
    assert (said(update, "e1")["outcome"], said(update, "e2")["outcome"]) == ("yes", "no")
    assert said(update, "e1")["confidence"] == pytest.approx(0.8)
    assert said(update, "e2")["confidence"] == pytest.approx(0.9)
    assert said(update, "e1")["evidence"] == [
        "0.80: what reads reads in the description of the picture",
        "0.80 reaches the threshold 0.5",
        "there is no picture to point at it in",
    ]


@pytest.mark.parametrize("picture", [True, False])
def test_without_a_description_all_is_as_without_an_entailer(
    post: Any, toolbox_of: Any, run: Any, reads: Reads, picture: bool
) -> None:
    bare = {**post, "notes": {}, "picture": post["picture"] if picture else None}
    assert run(entail, bare, toolbox_of(entailer="reads")) == run(entail, bare, toolbox_of())
    assert reads.asked == []


def test_a_tool_that_fails_leaves_the_prior(
    post: Any, toolbox_of: Any, run: Any, reads: Reads
) -> None:
    update = run(entail, post, toolbox_of(entailer="reads"))
    (notice,) = update.pop("notices").values()
    assert notice["message"] == "the description was not judged: it is broken"
    plain = run(entail, post, toolbox_of())
    assert update["verdicts"] == plain["verdicts"] and update["decisions"] == plain["decisions"]


def test_a_curve_and_the_threshold_are_of_the_tool(
    post: Any, toolbox_of: Any, run: Any, reads: Reads
) -> None:
    reads.chances = [0.3, 0.9]
    curves = {"reads": {"PER": {"a": 1, "b": 0, "threshold": 0.64}}}
    update = run(entail, post, toolbox_of(entailer="reads", calibration=curves))
    assert update["verdicts"]["e1"]["groundable"] is False
    assert said(update, "e1")["evidence"][-1] == "0.63 is below the threshold 0.64"


def test_a_second_is_asked_in_doubt_and_needs_descriptions_first(
    post: Any, toolbox_of: Any, run: Any, reads: Reads
) -> None:
    reads.chances = [0.3, 0.01]
    asked: list[list[str]] = []

    def eyes(name: str, _: Any, options: Any) -> str:
        asked.append(list(options["json_schema"]["properties"]))
        return '{"e1": {"visible": "no", "confidence": 1}}'

    assert not describes_first(toolbox_of(entailer="reads"))
    toolbox = toolbox_of(eyes, entailer="reads", second_entailer="scripted:eyes")
    assert describes_first(toolbox)
    update = run(entail, post, toolbox)
    assert asked == [["e1"]] and update["verdicts"]["e1"]["groundable"] is False
    assert said(update, "e1")["model"] == "scripted:eyes"
    assert said(update, "e1")["evidence"][-1].startswith("0.63 by reads is doubtful")
