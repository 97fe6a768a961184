"""What models put around answers is taken away, and a model that repeats itself holds nobody up."""

import json

import pytest

from deixis.agents.e2e.read import read as read_records
from deixis.agents.reading.places import where
from deixis.agents.reading.plain import plain, readings
from deixis.agents.vkel.read import read as read_sketches
from deixis.type_schema import TypeSchema

TYPES = TypeSchema.load("fmnerg")
MANY = 30_000


@pytest.mark.parametrize(
    ("piece", "end"),
    [("-", "x"), ("--- ", "x"), ("`a ", "q"), ("**a ", "q"), (" `a", "q"), ("\nnote", "x")],
)
def test_signs_that_are_repeated_stay_and_take_no_time(piece: str, end: str) -> None:
    # Where time grew with the square or worse, this took minutes, or never ended.
    answer = "x" + piece * MANY + end
    assert plain(answer) == answer


def test_courtesies_that_are_repeated_go() -> None:
    assert plain("Ann|PER|None" + "\nNote: fine" * MANY + "\n\nLet me know!") == "Ann|PER|None"


@pytest.mark.parametrize("piece", ["(", "'", " ", "( "])
def test_a_name_of_repeated_signs_is_one(piece: str) -> None:
    first, *others = readings(piece * MANY)
    assert first == piece * MANY and all(len(other) < MANY * 2 + 1 for other in others)


def test_digits_that_are_repeated_are_no_box() -> None:
    assert where("1" * MANY + "x") is None


@pytest.mark.parametrize("blank", [" ", "\n"])
def test_blanks_before_a_broken_sketch_are_read(blank: str) -> None:
    parsed = read_sketches("x" + blank * MANY, TYPES)
    assert not parsed.entities and [problem.piece for problem in parsed.problems] == ["x"]


def test_a_sketch_that_is_repeated_is_read_as_it_stands() -> None:
    parsed = read_sketches("Ann is a person, " * 2000, TYPES)
    assert not parsed.entities and len(parsed.problems) == 1


def test_what_begins_with_a_word_of_courtesies_is_an_entity() -> None:
    parsed = read_records("**Ann**|PER|None\nNote 10|OTHER|none\nNote that Ann is not shown.")
    assert [entity.text for entity in parsed.entities] == ["Ann", "Note 10"]


def test_emphasis_within_emphasis_goes() -> None:
    assert plain("**a *b* c** and `d`") == "a *b* c and d"


@pytest.mark.parametrize("depth", [500, 900])
@pytest.mark.parametrize("inner", ["", "1, 2, 3, 4"])
def test_brackets_in_brackets_without_end_are_no_box(depth: int, inner: str) -> None:
    box = "[" * depth + inner + "]" * depth
    answer = f'{{"name": "Ann", "type": "PER", "box": {box}}}'
    assert all(read(answer) for read in (read_records, lambda text: read_sketches(text, TYPES)))
    assert where(json.loads(box)) is None
    assert where(json.loads('{"box": ' * depth + "[1, 2]" + "}" * depth)) is None
    nested = '{"a": ' * depth + answer + "}" * depth
    assert not read_records(nested).entities
