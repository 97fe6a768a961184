"""Words of a text among the words that were heard."""

import pytest

from deixis.tools.base import TimedWord
from deixis.tools.hearing.words import placed, plain, share_heard, spread


def words(text: str) -> list[str]:
    return text.split()


def heard(text: str) -> list[TimedWord]:
    """Words of one second each, from 10 on."""
    return [
        TimedWord(word, 10.0 + number, 11.0 + number, 0.9)
        for number, word in enumerate(text.split())
    ]


def test_how_a_word_is_written_does_not_matter() -> None:
    assert plain("“O'Briens,") == plain("obriens") == "obriens"
    assert plain("—") == "" and plain("STRASSE") == plain("straße") and plain("ﬁne") == "fine"


def test_share_counts_words_in_order() -> None:
    assert share_heard(words("Grace Hopper joined"), words("grace hopper, joined.")) == 1.0
    assert share_heard(words("a b c d"), words("c d a b")) == 0.5
    assert share_heard(words("the cat of the man"), words("the dog of all other men the")) == 0.0
    assert share_heard(["hello"], words("he says hello there")) == 1.0
    assert share_heard(["—", "!"], ["a"]) == share_heard([], ["a"]) == share_heard(["a"], []) == 0.0
    assert share_heard(words("— Grace !"), ["grace"]) == 1.0, "marks are not said"


def test_words_heard_have_their_times() -> None:
    found = placed(words("Grace Hopper, joined"), heard("grace hopper joined"), 20.0)
    assert found == [
        TimedWord("Grace", 10.0, 11.0, 0.9),
        TimedWord("Hopper,", 11.0, 12.0, 0.9),
        TimedWord("joined", 12.0, 13.0, 0.9),
    ]


def test_words_heard_otherwise_share_the_time_of_those() -> None:
    found = placed(words("met Angela Merkel in Berlin"), heard("met and jolla in berlin"), 20.0)
    assert [word.text for word in found] == ["met", "Angela", "Merkel", "in", "Berlin"]
    assert found[1][1:] == pytest.approx((11.0, 12.0, 0.0))
    assert found[2][1:] == pytest.approx((12.0, 13.0, 0.0))
    assert found[3].score == 0.9


def test_words_not_heard_lie_between_their_neighbours() -> None:
    (first, middle, last) = placed(words("not a end"), heard("a"), 15.0)
    assert (first.start, first.end, middle.start) == (0.0, 10.0, 10.0)
    assert (last.start, last.end) == (11.0, 15.0)
    crowded = placed(words("a so b"), heard("a b"), 15.0)
    assert crowded[1].start == 11.0 and crowded[1].end > crowded[1].start


def test_without_anything_heard_words_are_spread() -> None:
    assert placed(["ab", "cde"], [], 7.0) == spread(["ab", "cde"], 0.0, 7.0)
    assert [word.start for word in placed(["ab", "cde"], [], 7.0)] == [0.0, 3.0]
    assert placed([], heard("a"), 9.0) == []


def test_a_text_that_repeats_itself_is_followed_in_order() -> None:
    """The longest piece in common is not the right one: it lies at another repetition."""
    said = words("a b c d a b x d a b c d")
    found = placed(words("a b c d a b c d a b c d"), heard(" ".join(said)), 30.0)
    assert [word.start for word in found] == [10.0 + number for number in range(12)]
    assert [word.score for word in found] == [0.9] * 6 + [0.0] + [0.9] * 5
