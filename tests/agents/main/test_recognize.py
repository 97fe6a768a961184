"""recognize: spans are ours, whoever names the entities."""

import json
from typing import Any

import pytest

from deixis.agents.context.toolbox import Toolbox
from deixis.agents.main.recognize import recognize
from deixis.errors import ToolError
from deixis.tools.tagger.base import TaggedSpan


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


@pytest.mark.extra
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


@pytest.mark.extra
def test_a_tag_becomes_the_first_type_that_it_may_be(toolbox_of: Any, run: Any) -> None:
    update = run(recognize, {"text": "She lives in Paris"}, toolbox_of(schema="fmnerg"))
    assert [each["type"] for each in update["mentions"].values()] == ["location"]
    assert set(update["templates"]) == {"location"}, "only what is asked is written"


@pytest.mark.extra
def test_a_tag_without_a_type_is_not_looked_for(tmp_path: Any, toolbox_of: Any, run: Any) -> None:
    path = tmp_path / "people.yaml"
    path.write_text("types: [{name: SOMEBODY, crf: PER, template: person}]")
    state = {"text": "Grace Hopper taught at Harvard University"}
    update = run(recognize, state, toolbox_of(schema=str(path)))
    assert [each["type"] for each in update["mentions"].values()] == ["SOMEBODY"]


class FineTagger:
    """A tagger that knows fine types; gives what it is given, and turns nothing down."""

    def __init__(self, *spans: TaggedSpan) -> None:
        self.spans = list(spans)

    def weigh(self, text: str, *, rivals: bool = True) -> tuple[list[TaggedSpan], list[TaggedSpan]]:
        return self.spans, []


@pytest.fixture
def by_fine_tagger(toolbox_of: Any, run: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    def recognise(text: str, *spans: TaggedSpan, toolbox: Any) -> dict[str, Any]:
        monkeypatch.setattr(Toolbox, "tagger", FineTagger(*spans))
        update: dict[str, Any] = run(recognize, {"text": text}, toolbox)
        return update

    return recognise


ARENA = TaggedSpan(0, 14, "LOC", 0.9, 0.5, "sports_facility", 0.7)


@pytest.mark.extra
def test_a_fine_type_of_the_schema_decides_the_type_until_somebody_votes(
    toolbox_of: Any, by_fine_tagger: Any
) -> None:
    update = by_fine_tagger("Wembley Arena.", ARENA, toolbox=toolbox_of(schema="fmnerg"))
    assert update["mentions"]["e1"]["type"] == "building"
    assert update["mentions"]["e1"]["fine_type"] == "sports_facility"
    assert update["kinds"] == {"e1": {"type": "building", "fine_type": "sports_facility"}}
    decided = update["decisions"]["e1/recognize/fine_type"]
    assert (decided["outcome"], decided["model"]) == ("sports_facility", "crf")
    assert decided["confidence"] == 0.7
    assert set(update["templates"]) == {"building"}


@pytest.mark.extra
def test_a_fine_type_that_the_schema_does_not_have_is_evidence_alone(
    toolbox_of: Any, by_fine_tagger: Any
) -> None:
    update = by_fine_tagger("Wembley Arena.", ARENA, toolbox=toolbox_of())
    assert update["mentions"]["e1"]["type"] == "LOC"
    assert update["mentions"]["e1"]["fine_type"] == "sports_facility"
    assert update["kinds"] == {} and "e1/recognize/fine_type" not in update["decisions"]


@pytest.mark.extra
def test_a_fine_type_that_the_schema_has_under_another_tag_does_not_count(
    tmp_path: Any, toolbox_of: Any, by_fine_tagger: Any
) -> None:
    path = tmp_path / "places.yaml"
    path.write_text(
        "types: [{name: PLACE, crf: LOC, template: location},"
        " {name: CLUB, crf: ORG, template: organization, fine_types: [sports facility]}]"
    )
    update = by_fine_tagger("Wembley Arena.", ARENA, toolbox=toolbox_of(schema=str(path)))
    assert update["mentions"]["e1"]["type"] == "PLACE" and update["kinds"] == {}


@pytest.mark.extra
def test_a_corrected_type_takes_the_fine_type_away(toolbox_of: Any, by_fine_tagger: Any) -> None:
    for kind, fine in (("building", "sports_facility"), ("organization", None)):
        toolbox = toolbox_of(
            lambda *_, kind=kind: json.dumps({"c1": kind}),
            schema="fmnerg",
            corrector="scripted:corrector",
            gate=1.0,
        )
        update = by_fine_tagger("Wembley Arena.", ARENA, toolbox=toolbox)
        assert update["mentions"]["e1"]["type"] == kind
        assert update["mentions"]["e1"]["fine_type"] == fine
        assert ("e1" in update["kinds"]) is (fine is not None)


@pytest.mark.extra
def test_a_tagger_that_fails_leaves_no_mention_and_a_notice(
    toolbox_of: Any, run: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Failing:
        def weigh(self, text: str, *, rivals: bool = True) -> None:
            raise ToolError("model.onnx failed: out of memory")

    monkeypatch.setattr(Toolbox, "tagger", Failing())
    update = run(recognize, {"text": "Wembley Arena."}, toolbox_of())
    assert update["mentions"] == update["kinds"] == update["decisions"] == {}
    (notice,) = update["notices"].values()
    assert notice["message"] == "no mention was looked for: model.onnx failed: out of memory"


@pytest.mark.extra
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


def test_a_confidence_is_a_number_and_nothing_that_could_be_read_as_one(
    toolbox_of: Any, run: Any
) -> None:
    reply = '{"entities": [{"text": "Ann", "type": "PER", "confidence": true}]}'
    update = run(recognize, {"text": "Ann"}, toolbox_of(lambda *_: reply, recognizer="scripted:r"))
    assert update["mentions"] == {} and len(update["notices"]) == 1


def test_a_tagger_says_of_mentions_that_are_given_what_it_says_of_its_own(
    toolbox_of: Any, run: Any
) -> None:
    toolbox = toolbox_of(recognizer="minilm-ner")
    text = "Grace Hopper joined the US Navy in New York"
    found = run(recognize, {"text": text}, toolbox)["mentions"]
    given = [
        {key: mention[key] for key in ("text", "type", "start", "end")}
        for mention in found.values()
    ]
    assert len(given) == 3
    again = run(recognize, {"text": text, "notes": {"given_mentions": given}}, toolbox)["mentions"]
    for one, other in zip(found.values(), again.values(), strict=True):
        assert other == {**one, "confidence": 1.0}


def test_of_a_mention_that_no_tagger_would_find_the_prior_is_known(
    toolbox_of: Any, run: Any
) -> None:
    given = [{"text": "soup", "type": "OTHER", "start": 8, "end": 12}]
    state = {"text": "we like soup", "notes": {"given_mentions": given}}
    (mention,) = run(recognize, state, toolbox_of())["mentions"].values()
    assert 0 < mention["prior"] < 1 and mention["fine_type"] is None
