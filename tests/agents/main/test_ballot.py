"""Counting: which answers are one, which are none, and who wins."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deixis.agents.main.ballot import normalise, tally


def count(*answers: str, closed: bool = False) -> dict[str, int]:
    return tally({f"m{i}": each for i, each in enumerate(answers)}, closed=closed).values


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Dark Blue", "dark blue"),
        ("dark-blue", "dark_blue."),
        ("the red car", "a red car"),
        ("café", "CAFE"),
        ("  navy \n blue ", "navy blue"),
        ("STRASSE", "straße"),
        ("ﬁsh", "fish"),
    ],
)
def test_spellings_of_one_answer_count_together(one: str, other: str) -> None:
    assert normalise(one) == normalise(other)
    assert list(count(one, other).values()) == [2]


@pytest.mark.parametrize(("one", "other"), [("red", "dark red"), ("A", "B"), ("7", "17")])
def test_different_answers_stay_apart(one: str, other: str) -> None:
    assert list(count(one, other).values()) == [1, 1]


@pytest.mark.parametrize(
    "answer",
    ["unknown", "Unknown.", "N/A", "n.a.", "none", "not sure", "unspecified", "", "  ", "-", "?!"],
)
def test_an_answer_that_says_nothing_is_not_counted(answer: str) -> None:
    counted = tally({"m1": answer, "m2": "red", "m3": answer}, closed=False)
    assert counted.values == {"red": 1}
    assert counted.answered == 3
    assert counted.winner == "red" and not counted.disputed


def test_in_a_closed_list_none_is_an_answer_and_unknown_is_not() -> None:
    assert count("none", "none", "unknown", closed=True) == {"none": 2}


def test_values_of_a_closed_list_are_told_apart_as_spelled() -> None:
    assert count("18", "18+", "18+", closed=True) == {"18": 1, "18+": 2}
    assert count("A", "an", "-", closed=True) == {"A": 1, "an": 1, "-": 1}


def test_the_spelling_first_given_stands_for_all() -> None:
    assert count("Dark  blue", "dark blue", "DARK BLUE") == {"Dark blue": 3}


def test_a_letter_is_an_answer_though_it_is_an_article() -> None:
    assert count("A", "a") == {"A": 2}


@pytest.mark.parametrize(
    ("answers", "winner", "disputed"),
    [
        ([], None, False),
        (["unknown", "unknown"], None, False),
        (["red"], "red", False),
        (["red", "unknown", "Red"], "red", False),
        (["red", "red", "blue"], "red", True),
        (["blue", "red", "red"], "red", True),
        (["red", "blue"], None, True),
        (["red", "red", "blue", "blue", "green"], None, True),
    ],
)
def test_the_plurality_wins_and_a_tie_has_no_winner(
    answers: list[str], winner: str | None, disputed: bool
) -> None:
    counted = tally({f"m{i}": each for i, each in enumerate(answers)}, closed=False)
    assert (counted.winner, counted.disputed) == (winner, disputed)


@given(st.lists(st.text(max_size=12), max_size=6), st.booleans())
def test_any_answers_can_be_counted(answers: list[str], closed: bool) -> None:
    counted = tally({f"m{i}": each for i, each in enumerate(answers)}, closed=closed)
    assert counted.answered == len(answers)
    assert sum(counted.values.values()) <= len(answers)
    assert counted.winner is None or counted.winner in counted.values


@given(st.text(max_size=30))
def test_normalising_twice_changes_nothing(text: str) -> None:
    once = normalise(text)
    assert normalise(once) == once
