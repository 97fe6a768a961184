"""The second entailer: asked about what is in doubt and nothing else; samples and their share."""

import json
from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from deixis.agents.main.entail import entail
from deixis.errors import SettingsError, ToolError
from deixis.testing import tools
from deixis.tools.base import Picture

EYES = "scripted:eyes"
SURE = 0.95


class Fits:
    """An entailer that says what a test has put into ``chances``."""

    name = "fits"

    def __init__(self) -> None:
        self.chances: dict[str, float] = {}
        self.asked: list[list[str]] = []

    def entail(self, picture: Picture, expressions: Sequence[str]) -> list[float]:
        self.asked.append(list(expressions))
        if "broken" in self.chances:
            raise ToolError("it is broken")
        return [self.chances[expression] for expression in expressions]


@pytest.fixture
def fits() -> Iterator[tuple[Fits, Fits]]:
    """The tools ``fits`` and ``dear``."""
    first, second = Fits(), Fits()
    with tools(fits=first, dear=second):
        yield first, second


def verdict(said: str, confidence: float = 0.9) -> dict[str, Any]:
    return {"visible": said, "confidence": confidence}


class Eyes:
    """A chat model that answers one after the other, and keeps what it was asked."""

    def __init__(self, *answers: dict[str, str]) -> None:
        self.answers = [{key: verdict(said) for key, said in each.items()} for each in answers]
        self.asked: list[list[str]] = []
        self.models: list[str] = []

    def __call__(self, name: str, _: Any, options: Any) -> str:
        self.models.append(name)
        self.asked.append(list(options["json_schema"]["properties"]))
        return json.dumps(self.answers[len(self.asked) - 1])


def groundable(update: dict[str, Any]) -> list[bool | None]:
    return [each["groundable"] for each in update["verdicts"].values()]


def test_nothing_is_asked_where_the_first_is_sure(
    described: Any, toolbox_of: Any, run: Any, fits: tuple[Fits, Fits]
) -> None:
    fits[0].chances.update({"a tall woman": SURE, "a blue logo": 1 - SURE})
    eyes = Eyes()
    update = run(entail, described, toolbox_of(eyes, entailer="fits", second_entailer=EYES))
    assert eyes.asked == [] and update["calls"] == {}
    assert groundable(update) == [True, False]
    assert update["decisions"]["e1/entail/groundable"]["model"] == "evidence"


@pytest.mark.parametrize(("said", "shown"), [("yes", True), ("no", False)])
def test_exactly_what_is_in_doubt_is_asked_and_the_second_has_the_last_word(
    described: Any, toolbox_of: Any, run: Any, fits: tuple[Fits, Fits], said: str, shown: bool
) -> None:
    fits[0].chances.update({"a tall woman": 0.6, "a blue logo": 1 - SURE})
    eyes = Eyes({"e1": said})
    update = run(entail, described, toolbox_of(eyes, entailer="fits", second_entailer=EYES))
    assert eyes.asked == [["e1"]]
    assert groundable(update) == [shown, False]
    decided = update["decisions"]["e1/entail/groundable"]
    assert decided["model"] == EYES and decided["replies"] == ["entail/2/1"]
    assert decided["evidence"][-1] == (
        "0.60 by evidence is doubtful at a gate of 0.7: scripted:eyes was asked"
    )
    other = update["decisions"]["e2/entail/groundable"]
    assert (other["model"], other["replies"]) == ("evidence", [])
    assert {call["role"] for call in update["calls"].values()} == {"second_entailer"}


def test_the_gate_is_the_users(
    described: Any, toolbox_of: Any, run: Any, fits: tuple[Fits, Fits]
) -> None:
    fits[0].chances.update({"a tall woman": 0.6, "a blue logo": 0.15})
    more = {"entailer": "fits", "second_entailer": "dear"}
    run(entail, described, toolbox_of(entailer_gate=0.55, **more))
    assert fits[1].asked == []
    fits[1].chances.update({"a tall woman": 0.5, "a blue logo": 0.5})
    run(entail, described, toolbox_of(entailer_gate=0.9, **more))
    assert fits[1].asked == [["a tall woman", "a blue logo"]]


def test_what_the_first_could_not_tell_is_the_second_s(
    described: Any, toolbox_of: Any, run: Any, fits: tuple[Fits, Fits]
) -> None:
    fits[0].chances["broken"] = 1
    fits[1].chances.update({"a tall woman": SURE, "a blue logo": 1 - SURE})
    update = run(entail, described, toolbox_of(entailer="fits", second_entailer="dear"))
    assert groundable(update) == [True, False]
    reasons = update["decisions"]["e1/entail/groundable"]["evidence"]
    assert reasons[-1] == "it was undecided: dear was asked"


@pytest.mark.parametrize("answer", [{"e1": "unclear"}, {"e9": "yes"}])
def test_a_second_that_does_not_tell_changes_nothing(
    described: Any, toolbox_of: Any, run: Any, fits: tuple[Fits, Fits], answer: dict[str, str]
) -> None:
    fits[0].chances.update({"a tall woman": 0.6, "a blue logo": 1 - SURE})
    asked = Eyes(answer, answer)
    update = run(entail, described, toolbox_of(asked, entailer="fits", second_entailer=EYES))
    assert groundable(update) == [True, False]
    decided = update["decisions"]["e1/entail/groundable"]
    assert decided["model"] == "evidence" and decided["confidence"] == pytest.approx(0.6)
    assert decided["evidence"][-1].endswith("scripted:eyes was asked, and it did not tell")


def test_a_chat_model_may_be_the_first(described: Any, toolbox_of: Any, run: Any) -> None:
    eyes = Eyes({"e1": "yes", "e2": "unclear"}, {"e2": "no"})
    update = run(
        entail, described, toolbox_of(eyes, entailer=EYES, second_entailer="scripted:dear")
    )
    assert list(zip(eyes.models, eyes.asked, strict=True)) == [
        ("eyes", ["e1", "e2"]),
        ("dear", ["e2"]),
    ]
    assert groundable(update) == [True, False] and len(update["calls"]) == 2


def test_of_several_samples_the_share_of_yes_is_the_probability(
    described: Any, toolbox_of: Any, run: Any
) -> None:
    answers = [("yes", "no"), ("yes", "no"), ("yes", "unclear"), ("no", "no")]
    eyes = Eyes(*({"e1": one, "e2": other} for one, other in answers))
    update = run(entail, described, toolbox_of(eyes, entailer=EYES, entailer_samples=4))
    first, second = update["verdicts"].values()
    assert first["probability"] == pytest.approx(0.75), "a prior of one half, and odds of 3"
    assert second["probability"] == pytest.approx(1 / 13), "as sure as a model can be: 1 to 12"
    said = update["decisions"]["e1/entail/groundable"]["evidence"][0]
    assert said == "scripted:eyes says yes (yes in 3 of 4 samples) (odds x 3)"
    assert "says no (yes in 0 of 3 samples)" in str(update["decisions"]["e2/entail/groundable"])
    assert sorted(update["calls"]) == [f"entail/{seat}/1" for seat in (1, 2, 3, 4)]


def test_a_box_is_as_sure_as_the_samples_that_point_there(
    described: Any, toolbox_of: Any, run: Any
) -> None:
    def point(box: Any) -> str:
        no = {**verdict("no"), "box": None}
        return json.dumps({"e1": {**verdict("yes"), "box": box}, "e2": no})

    boxes = [[0, 0, 200, 1000], [0, 0, 200, 990], [600, 0, 900, 1000], [0, 0, 205, 1000]]
    left = iter(map(point, boxes))
    toolbox = toolbox_of(lambda *_: next(left), entailer="scripted:qwen3-vl", entailer_samples=4)
    candidates = run(entail, described, toolbox)["verdicts"]["e1"]["candidates"]
    strengths = [each["strength"] for each in candidates]
    assert strengths[0] == pytest.approx(3 * strengths[1]) and len(candidates) == 2


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"second_entailer": EYES}, "nobody plays that; name a first entailer"),
        ({"entailer": EYES, "entailer_gate": 0.8}, "entailer_gate has no effect without"),
        ({"entailer_samples": 3}, "no chat model plays the entailer"),
        ({"entailer": "fits", "entailer_samples": 3}, "a tool would say the same each time"),
        ({"entailer": EYES, "second_entailer": "sam:x"}, "known: anthropic, clip,"),
    ],
)
def test_what_has_no_effect_is_an_error(
    toolbox_of: Any, fits: tuple[Fits, Fits], given: dict[str, Any], said: str
) -> None:
    with pytest.raises(SettingsError) as caught:
        toolbox_of(**given)
    assert said in str(caught.value)
