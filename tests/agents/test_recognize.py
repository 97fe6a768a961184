"""recognize: spans are ours, whoever names the entities."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deixis.agents.mention import locate
from deixis.agents.recognize import recognize


def reply(*found: tuple[str, str], confidence: Any = 0.5) -> str:
    entities = [{"text": text, "type": kind, "confidence": confidence} for text, kind in found]
    return json.dumps({"entities": entities})


@pytest.fixture
def by_model(toolbox_of: Any, run: Any) -> Any:
    def recognise(text: str, answer: Any) -> dict[str, Any]:
        toolbox = toolbox_of(lambda *_: answer, recognizer="scripted:recognizer")
        update: dict[str, Any] = run(recognize, {"text": text}, toolbox)
        for each in update["mentions"].values():
            assert text[each["start"] : each["end"]] == each["text"]
        return update

    return recognise


def spans(update: dict[str, Any]) -> dict[str, tuple[int, int]]:
    return {key: (each["start"], each["end"]) for key, each in update["mentions"].items()}


def test_the_tagger_finds_spans_types_and_priors(toolbox_of: Any, run: Any) -> None:
    text = "Grace Hopper taught at Harvard University"
    update = run(recognize, {"text": text}, toolbox_of())
    first, second = update["mentions"].values()
    assert (first["text"], first["type"]) == ("Grace Hopper", "PER")
    assert (second["text"], second["type"]) == ("Harvard University", "ORG")
    assert list(update["mentions"]) == ["e1", "e2"]
    assert all(0 < each["confidence"] < 1 and 0 < each["prior"] < 1 for each in (first, second))
    assert set(update["templates"]) == {"person", "organization"}
    said = update["decisions"]["e1/recognize/type"]
    assert (said["outcome"], said["model"]) == ("PER", "crf")
    assert "calibrated" in said["evidence"][0]
    assert update["notices"] == {}


def test_a_tag_becomes_the_first_type_that_it_may_be(toolbox_of: Any, run: Any) -> None:
    update = run(recognize, {"text": "She lives in Paris"}, toolbox_of(schema="fmnerg"))
    assert [each["type"] for each in update["mentions"].values()] == ["location"]
    assert set(update["templates"]) == {"location"}, "only what is asked is written"


def test_a_tag_without_a_type_is_not_looked_for(tmp_path: Any, toolbox_of: Any, run: Any) -> None:
    path = tmp_path / "people.yaml"
    path.write_text("types: [{name: SOMEBODY, crf: PER, template: person}]")
    state = {"text": "Grace Hopper taught at Harvard University"}
    update = run(recognize, state, toolbox_of(schema=str(path)))
    assert [each["type"] for each in update["mentions"].values()] == ["SOMEBODY"]


def test_a_text_without_names_has_no_mention(toolbox_of: Any, run: Any, by_model: Any) -> None:
    update = run(recognize, {"text": "good morning to all of you"}, toolbox_of())
    assert update["mentions"] == update["templates"] == update["decisions"] == {}
    assert by_model("good morning", reply())["mentions"] == {}


def test_a_name_that_is_there_twice_has_two_spans(by_model: Any) -> None:
    update = by_model("Ann saw Ann", reply(("Ann", "PER"), ("Ann", "PER"), ("Ann", "PER")))
    assert spans(update) == {"e1": (0, 3), "e2": (8, 11)}
    (notice,) = update["notices"].values()
    assert notice["message"] == "the recognizer named 'Ann', not in the text"


def test_mentions_are_numbered_in_the_order_of_the_text_and_do_not_overlap(by_model: Any) -> None:
    answer = reply(("Navy", "ORG"), ("Ann", "PER"), ("US Navy", "ORG"), ("Bob", "PER"))
    update = by_model("Ann of the US Navy", answer)
    assert spans(update) == {"e1": (0, 3), "e2": (14, 18)}
    said = {each["message"] for each in update["notices"].values()}
    assert said == {
        f"the recognizer named {name!r}, not in the text" for name in ("US Navy", "Bob")
    }


def test_a_model_knows_no_prior_and_its_confidence_is_its_own(by_model: Any) -> None:
    update = by_model("Ann", reply(("Ann", "PER"), confidence=0.25))
    assert update["mentions"]["e1"]["prior"] is None
    assert update["mentions"]["e1"]["confidence"] == 0.25
    said = update["decisions"]["e1/recognize/type"]
    assert said["evidence"] == ["confidence is the model's own word, not calibrated"]


@pytest.mark.parametrize(
    "answer",
    [
        "",
        "none",
        ValueError("down"),
        reply(("Ann", "MISC")),
        reply(("", "PER")),
        reply(("A" * 201, "PER")),
        reply(("Ann", "PER"), confidence=1.5),
        reply(("Ann", "PER"), confidence=float("nan")),
        reply(*[("Ann", "PER")] * 61),
        '{"entities": [{"text": "Ann", "type": "PER", "confidence": 1, "start": 0}]}',
    ],
)
def test_without_a_usable_reply_there_are_no_mentions_and_a_notice(
    by_model: Any, answer: Any
) -> None:
    update = by_model("Ann", answer)
    assert update["mentions"] == {}
    (notice,) = update["notices"].values()
    assert "recognizer scripted:recognizer gave no answer" in notice["message"]


@pytest.mark.parametrize(
    ("text", "wanted", "span"),
    [
        ("Grace Hopper", "Grace Hopper", (0, 12)),
        ("GRACE hopper", "Grace Hopper", (0, 12)),
        ("grace, Grace", "Grace", (7, 12)),
        ("🚀 NASA", "nasa", (2, 6)),
        ("İİ met ANN", "ANN", (7, 10)),
        ("İİ met ANN", "ann", None),
        ("İstanbul", "İstanbul", (0, 8)),
        ("e\u0301 Ann", "Ann", (3, 6)),
        ("MUSIC for the US", "US", (14, 16)),
        ("MUSIC for us", "US", (10, 12)),
        ("#GraceHopper", "Hopper", (6, 12)),
        ("我爱北京天安门", "北京", (2, 4)),
        ("Ann", "  Ann ", (0, 3)),
        ("Ann", "Anna", None),
        ("Ann", "   ", None),
        ("a.b", ".", (1, 2)),
        ("Ann\nLee", "Ann Lee", None),
    ],
)
def test_a_name_is_located(text: str, wanted: str, span: tuple[int, int] | None) -> None:
    assert locate(text, wanted, []) == span


def test_a_span_that_is_taken_is_not_given_again() -> None:
    assert locate("Ann Ann", "Ann", [(0, 3)]) == (4, 7)
    assert locate("Annan Ann", "Ann", [(6, 9)]) == (0, 3)
    assert locate("Ann", "Ann", [(1, 2)]) is None


@given(st.text(max_size=30), st.text(max_size=6), st.integers(0, 30), st.integers(0, 5))
def test_what_is_located_stands_there(text: str, wanted: str, start: int, size: int) -> None:
    taken = [(start, start + size)] if size else []
    found = locate(text, wanted, taken)
    if found is not None:
        assert text[found[0] : found[1]].lower() == wanted.strip().lower()
        assert all(found[1] <= s or e <= found[0] for s, e in taken)
    elif wanted.strip() and not taken:
        assert wanted.strip() not in text


def test_a_confidence_is_a_number_and_nothing_that_could_be_read_as_one(
    toolbox_of: Any, run: Any
) -> None:
    reply = '{"entities": [{"text": "Ann", "type": "PER", "confidence": true}]}'
    update = run(recognize, {"text": "Ann"}, toolbox_of(lambda *_: reply, recognizer="scripted:r"))
    assert update["mentions"] == {} and len(update["notices"]) == 1
