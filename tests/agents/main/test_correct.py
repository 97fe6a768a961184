"""correct: doubts are put to a language model, and nothing else is."""

import json
from typing import Any

import pytest

from deixis.agents.main.correct import correct
from deixis.agents.main.recognize import recognize
from deixis.agents.reading.mention import TypedSpan

TEXT = "Ann Lee of Rome met Rome FC"
ANN, ANN_LEE = TypedSpan(0, 3, "PER", 0.4, 0.5), TypedSpan(0, 7, "PER", 0.55, 0.6)
ROME, ROME_FC = TypedSpan(11, 15, "LOC", 0.95, 0.1), TypedSpan(20, 27, "ORG", 0.45, 0.2)
SECOND_ROME = TypedSpan(20, 24, "LOC", 0.35, 0.1)


class Corrector:
    """A model with fixed verdicts by candidate, that keeps what it was asked."""

    def __init__(self, *verdicts: str) -> None:
        self.verdicts = verdicts
        self.asked: list[tuple[str, dict[str, Any]]] = []

    def __call__(self, name: str, messages: list[Any], options: dict[str, Any]) -> str:
        assert name == "corrector"
        self.asked.append((messages[1].text, options["json_schema"]))
        names = options["json_schema"]["properties"]
        return json.dumps(dict(zip(names, self.verdicts, strict=True)))


@pytest.fixture
def box(toolbox_of: Any) -> Any:
    return lambda script, **more: toolbox_of(script, corrector="scripted:corrector", **more)


def kinds(found: list[Any]) -> dict[str, str]:
    return {TEXT[each.mention.start : each.mention.end]: each.mention.type for each in found}


def test_the_sure_are_not_asked_about_and_stay(box: Any) -> None:
    found, update = correct(TEXT, [ROME], [ANN._replace(confidence=0.29)], box(None))
    assert update == {} and [each.mention for each in found] == [ROME]


def test_without_a_corrector_nothing_is_asked(toolbox_of: Any) -> None:
    found, update = correct(TEXT, [ANN_LEE], [ANN], toolbox_of())
    assert update == {} and [each.mention for each in found] == [ANN_LEE]


def test_all_doubts_of_a_text_are_one_call(box: Any) -> None:
    script = Corrector("none", "PER", "none", "ORG")
    found, update = correct(TEXT, [ANN_LEE, ROME, ROME_FC], [ANN, SECOND_ROME], box(script))
    assert kinds(found) == {"Rome": "LOC", "Ann Lee": "PER", "Rome FC": "ORG"}
    ((user, schema),) = script.asked
    assert f"<post>{TEXT}</post>" in user
    lines = user.splitlines()[1:]
    assert lines == ["c1: Ann", "c2: Ann Lee", "c3: Rome (occurrence 2)", "c4: Rome FC"]
    assert schema["properties"]["c1"]["enum"] == ["PER", "LOC", "ORG", "OTHER", "none"]
    assert list(update["calls"]) == ["correct/1/1"] and update["notices"] == {}


def test_a_confirmed_mention_gains_confidence_and_a_new_type_is_less_sure(box: Any) -> None:
    (same,), _ = correct(TEXT, [ROME_FC], [], box(Corrector("ORG")))
    (other,), _ = correct(TEXT, [ROME_FC], [], box(Corrector("LOC")))
    assert same.mention.confidence == pytest.approx(4 * 0.45 / (4 * 0.45 + 0.55))
    half = 0.55 / 2
    assert other.mention.confidence == pytest.approx(4 * half / (4 * half + 1 - half))
    assert other.mention.type == "LOC" and other.first == ROME_FC
    assert "the corrector said LOC" in other.reason and "ORG, 0.45" in other.reason


def test_what_overlaps_the_sure_is_no_candidate(box: Any) -> None:
    sure = ANN_LEE._replace(confidence=0.9)
    assert correct(TEXT, [sure], [ANN], box(None))[1] == {}


def test_of_overlapping_answers_the_likelier_stays(box: Any) -> None:
    found, _ = correct(TEXT, [ANN_LEE], [ANN], box(Corrector("PER", "PER")))
    assert kinds(found) == {"Ann Lee": "PER"}


def test_none_drops_a_mention(box: Any) -> None:
    assert correct(TEXT, [ROME_FC], [], box(Corrector("none")))[0] == []


@pytest.mark.parametrize("reply", ["no", ValueError("down"), '{"c1": "SHIP"}'])
def test_a_corrector_that_fails_changes_nothing(box: Any, reply: Any) -> None:
    found, update = correct(TEXT, [ANN_LEE], [ANN], box(lambda *_: reply))
    assert [each.mention for each in found] == [ANN_LEE]
    assert len(update["notices"]) == 1


def test_the_gate_is_a_setting(box: Any) -> None:
    assert correct(TEXT, [ANN_LEE], [ANN], box(None, gate=0.5))[1] == {}
    script = Corrector("LOC")
    found, _ = correct(TEXT, [ROME], [], box(script, gate=1.0))
    assert kinds(found) == {"Rome": "LOC"} and len(script.asked) == 1


@pytest.mark.extra
def test_a_decision_names_the_corrector(box: Any, run: Any) -> None:
    def script(name: str, messages: list[Any], options: dict[str, Any]) -> str:
        return json.dumps(dict.fromkeys(options["json_schema"]["properties"], "OTHER"))

    update = run(recognize, {"text": "saw the Foo at Bar"}, box(script, gate=1.0))
    mentions = update["mentions"]
    assert mentions and {each["type"] for each in mentions.values()} == {"OTHER"}
    for entity, each in mentions.items():
        decided = update["decisions"][f"{entity}/correct/type"]
        assert decided["outcome"] == "OTHER" and decided["model"] == "scripted:corrector"
        assert decided["confidence"] == each["confidence"]
        assert decided["replies"] == ["correct/1/1"]
        assert f"{entity}/recognize/type" in update["decisions"]


def test_a_chat_recognizer_can_be_corrected(box: Any, run: Any) -> None:
    def script(name: str, messages: list[Any], options: dict[str, Any]) -> str:
        if name == "corrector":
            return '{"c1": "LOC"}'
        items = [("Rome", 0.9), ("Ann Lee", 0.3)]
        given = [{"text": text, "type": "PER", "confidence": sure} for text, sure in items]
        return json.dumps({"entities": given})

    toolbox = box(script, recognizer="scripted:r")
    update = run(recognize, {"text": TEXT}, toolbox)
    types = {each["text"]: each["type"] for each in update["mentions"].values()}
    assert types == {"Ann Lee": "LOC", "Rome": "PER"}
    assert sorted(update["calls"]) == ["correct/1/1", "recognize/1/1"]
