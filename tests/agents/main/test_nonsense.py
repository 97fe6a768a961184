"""Phrases that name something, or say one thing twice, are told from descriptions."""

import pytest

from deixis.agents.main.nonsense import names, repeats


@pytest.mark.parametrize(
    ("name", "phrase"),
    [
        ("NASA", "NASA, the first woman to command a Space Shuttle"),
        ("White House", "White House, the capital"),
        ("White House", "white house"),
        ("White House", "the lawn of the House"),
        ("Stefan van der Walt", "Stein van der Walt, a city"),
        ("nasa", "the logo of nasa"),
        ("Coca-Cola", "a red Cola bottle"),
    ],
)
def test_a_name_or_a_capitalised_word_of_it_names_it(name: str, phrase: str) -> None:
    assert names(name, phrase)


@pytest.mark.parametrize(
    ("name", "phrase"),
    [
        ("White House", "a white house with columns"),
        ("Space Shuttle", "a white shuttle on its launch pad"),
        ("Bank of America", "An old woman in front of a bank"),
        ("NASA", "a space agency"),
        ("nasa", "a nasal spray"),
        ("Ann", "A woman"),
    ],
)
def test_ordinary_words_name_nothing(name: str, phrase: str) -> None:
    assert not names(name, phrase)


def test_one_thing_twice_is_a_repetition() -> None:
    assert repeats("child-like, child-like") and repeats("Red hair, a red hair")
    assert not repeats("a red dress, red shoes") and not repeats("a tall woman")
