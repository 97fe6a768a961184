"""What is named without a vlm, and what mentions that are given do."""

from collections.abc import Callable
from typing import Any

import pytest

from deixis import Extraction, Settings, build_graph
from deixis.testing import Question, scripted
from tests.agents.muie.answers import SPEECH

TEXT = "Acme hired Ann Lee, says Acme"
ANN = {"text": "Ann Lee", "type": "PER"}


@pytest.fixture
def named(
    settings: Callable[..., Settings], files: dict[str, Any]
) -> Callable[..., tuple[Extraction, list[Question]]]:
    """Run the graph on a text and what is said with a recognizer that says what it is told."""

    def run(answer: Any, given: Any = None, **more: Any) -> tuple[Extraction, list[Question]]:
        made = settings(vlm=None, roles={"recognizer": "scripted:reader"}, **more)
        with scripted(answer) as asked:
            out = build_graph(made).invoke({"text": TEXT, **files["A"], **(given or {})})
        return Extraction.model_validate(out), asked

    return run


def entities(*names: str) -> dict[str, Any]:
    own = [{"text": name, "type": "ORG", "confidence": 0.9} for name in names]
    return {"entities": own}


def placed(found: Extraction) -> list[tuple[str, int | None, list[float]]]:
    return [(own.text, own.start, [span.start for span in own.spans]) for own in found.entities]


def test_names_of_the_text_are_heard_though_no_recognizer_knows_them_in_speech(named: Any) -> None:
    def of_text(question: Question) -> Any:
        return entities() if SPEECH in question.user else entities("Acme", "Ann Lee", "Acme")

    found, asked = named(of_text)
    assert len(asked) == 2
    assert placed(found) == [("Acme", 0, [1.5]), ("Ann Lee", 11, [0.0]), ("Acme", 25, [])]


def test_a_name_of_speech_that_shares_words_with_one_of_the_text_is_that(named: Any) -> None:
    def both(question: Question) -> Any:
        if SPEECH in question.user:
            return entities("ann lee joined", "acme")
        return entities("Ann Lee")

    found, _ = named(both)
    assert placed(found) == [("Ann Lee", 11, [0.0]), ("acme", None, [1.5])]


def test_mentions_that_are_given_are_looked_for_in_speech_and_no_others(named: Any) -> None:
    found, asked = named(entities("Acme"), {"mentions": [ANN]})
    assert not asked and placed(found) == [("Ann Lee", 11, [0.0])]
    found, asked = named(entities("Acme"), {"mentions": []})
    assert not asked and found.entities == []


def test_mentions_that_are_given_need_no_recognizer(
    settings: Callable[..., Settings], files: dict[str, Any]
) -> None:
    given = {"text": TEXT, "mentions": [ANN], **files["A"]}
    found = Extraction.model_validate(build_graph(settings(vlm=None)).invoke(given))
    assert placed(found) == [("Ann Lee", 11, [0.0])] and found.warnings == []


def test_mentions_that_are_given_stay_where_nothing_can_be_asked(
    settings: Callable[..., Settings], files: dict[str, Any]
) -> None:
    made = settings(schema="gmner")
    given = {"text": TEXT, "mentions": [ANN], "task": "re,ee", **files["A"]}
    with scripted() as asked:
        found = Extraction.model_validate(build_graph(made).invoke(given))
    assert not asked and placed(found) == [("Ann Lee", 11, [0.0])]
    told = "the type schema 'gmner' has no"
    assert [own.message[: len(told)] for own in found.warnings] == [told, told]
