"""Captions and mentions that a user gives: what is taken, and what is told of the rest."""

from typing import Any

import pytest

from deixis.agents.reading.answers import Located
from deixis.agents.reading.given import (
    MOST,
    checked_caption,
    checked_mentions,
    of_schema,
    taken_up,
)
from deixis.errors import InputError
from deixis.rows import RowEntity
from deixis.type_schema import TypeSchema

TEXT = "Ann met Ann of NASA"


def places(given: Any, text: str = TEXT) -> list[tuple[int, int, str]]:
    mentions = checked_mentions(given, text)
    assert mentions is not None
    return [(own["start"], own["end"], own["type"]) for own in mentions]


def test_mentions_stand_where_they_say_or_where_they_are_found() -> None:
    nasa, ann = {"text": "NASA", "type": "ORG"}, {"text": "Ann", "type": "PER"}
    assert places([nasa, ann]) == [(0, 3, "PER"), (15, 19, "ORG")]
    assert places([ann, ann]) == [(0, 3, "PER"), (8, 11, "PER")]
    # One that says where it stands is not taken for another, wherever it is listed.
    assert places([ann, {**ann, "start": 0, "end": 3}]) == [(0, 3, "PER"), (8, 11, "PER")]
    assert places([{**ann, "start": 8, "end": 11, "regions": [], "id": "x"}]) == [(8, 11, "PER")]
    assert places([]) == [] and checked_mentions(None, TEXT) is None


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ("Ann", "a list of at most"),
        ({"text": "Ann", "type": "PER"}, "a list of at most"),
        ([{"text": "Ann", "type": "PER"}] * (MOST + 1), "a list of at most"),
        (["Ann"], "mentions.0"),
        ([{"text": "Ann"}], "mentions.0.type"),
        ([{"text": "", "type": "PER"}], "mentions.0.text"),
        ([{"text": "Bob", "type": "PER"}], "'Bob' does not stand in the text; give names"),
        (
            [{"text": "Ann", "type": "PER"}] * 3,
            "mentions.2: 'Ann' does not stand in the text outside",
        ),
        ([{"text": "Ann", "type": "PER", "start": 1, "end": 4}], "at 1-4"),
        ([{"text": "Ann", "type": "PER", "start": 0}], "at 0-None"),
        ([{"text": "Ann", "type": "PER", "start": -3, "end": 3}], "mentions.0.start"),
    ],
)
def test_what_is_no_mention_of_the_text_is_told(given: Any, told: str) -> None:
    with pytest.raises(InputError, match=told):
        checked_mentions(given, TEXT)


def test_types_are_those_of_the_schema() -> None:
    mentions = checked_mentions([{"text": "Ann", "type": "person"}], TEXT)
    assert mentions is not None
    assert of_schema(mentions, TypeSchema.load("gmner"))[0]["type"] == "PER"
    with pytest.raises(InputError, match=r"'Ann' has the type 'MISC'.*'gmner' has not .PER, LOC"):
        of_schema([{**mentions[0], "type": "MISC"}], TypeSchema.load("gmner"))


def test_fine_types_are_those_of_the_schema_where_it_has_some() -> None:
    given = [{"text": "Ann", "type": "person", "fine_type": "Politician"}]
    mentions = checked_mentions(given, TEXT)
    assert mentions is not None
    fine, coarse = TypeSchema.load("fmnerg"), TypeSchema.load("gmner")
    assert of_schema(mentions, fine)[0]["fine_type"] == "politician"
    assert of_schema(mentions, coarse)[0]["fine_type"] is None
    for wrong in ("city", "hero"):
        with pytest.raises(InputError, match=f"the fine type '{wrong}', which person has not"):
            of_schema([{**mentions[0], "fine_type": wrong}], fine)


def test_a_caption_is_one_line() -> None:
    assert checked_caption("  a man\n and a\tdog ", 100) == "a man and a dog"
    assert checked_caption(" \n", 100) is None and checked_caption(None, 100) is None
    assert checked_caption("Seen: 2 people", 100) is None, "a sentence of the tools"
    with pytest.raises(InputError, match="caption must be a string or null; got int"):
        checked_caption(3, 100)
    with pytest.raises(InputError, match="the caption has 101 characters; at most 100"):
        checked_caption("a" * 101, 100)


def test_answers_of_one_name_are_taken_in_turn_and_others_are_told() -> None:
    def entity(text: str, type_: str = "PER") -> RowEntity:
        return RowEntity(text=text, type=type_)

    given = [Located(entity("Ann"), at, at + 3, "PER") for at in (0, 8, 20)]
    answers = [entity("ANN", "1"), entity("Bob"), entity("Ann", "2")]
    own, notices = taken_up(given, answers, "ground")
    assert [record and record.type for record in own] == ["1", "2", "2"]
    (note,) = notices.values()
    assert note["message"].startswith("the model named 'Bob', which is not among the given")
    assert taken_up(given, [], "ground") == ([None, None, None], {})
