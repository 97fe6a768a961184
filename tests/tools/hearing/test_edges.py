"""The edges of words, as attention tells them, set right."""

from itertools import pairwise

import numpy as np
import pytest

from deixis.tools.base import TimedWord
from deixis.tools.hearing.edges import settled

LOUD = np.full(16_000 * 4, 0.5, np.float32)


def test_short_words_end_earlier_than_the_attention_says_and_long_ones_later() -> None:
    words = [TimedWord("I", 0.0, 0.5, 1.0), TimedWord("underestimated", 0.5, 1.5, 0.5)]
    first, second = settled(words, LOUD)
    assert first == ("I", 0.0, pytest.approx(0.31), 1.0)
    assert second == ("underestimated", pytest.approx(0.31), pytest.approx(1.58), 0.5)


def test_edges_stay_in_order_and_words_are_never_empty() -> None:
    words = [TimedWord("a", 0.1 * (place // 3), 0.1 * (place // 3), 1.0) for place in range(9)]
    found = settled(words, LOUD)
    assert all(word.end > word.start for word in found)
    assert all(one.end <= other.start for one, other in pairwise(found))


def test_silence_belongs_to_no_word() -> None:
    sound = LOUD.copy()
    sound[:8000] = 0
    sound[16_000:32_000] = 0
    words = [TimedWord("seven77", 0.0, 1.5, 1.0), TimedWord("seven77", 1.5, 3.0, 1.0)]
    first, second = settled(words, sound)
    assert (first.start, first.end) == (0.5, 1.0)
    assert (second.start, second.end) == pytest.approx((2.0, 3.0), abs=0.02)


def test_a_word_after_a_gap_begins_where_it_is_said_to() -> None:
    words = [TimedWord("one", 0.0, 0.5, 1.0), TimedWord("two", 2.0, 2.5, 1.0)]
    assert settled(words, LOUD)[1].start == 2.0
    assert settled([], LOUD) == []


def test_a_word_beyond_the_sound_is_left_alone() -> None:
    word = settled([TimedWord("end", 8.0, 9.0, 1.0)], LOUD)[0]
    assert (word.start, word.end) == (8.0, pytest.approx(8.87))


def test_no_word_goes_on_over_a_pause() -> None:
    sound = LOUD.copy()
    sound[16_000:24_000] = 0  # from 1.0 to 1.5 s
    early = [TimedWord("seven77", 0.0, 0.8, 1.0), TimedWord("seven77", 0.8, 2.5, 1.0)]
    late = [TimedWord("seven77", 0.0, 1.8, 1.0), TimedWord("seven77", 1.8, 2.5, 1.0)]
    after_a_gap = [TimedWord("seven77", 0.0, 1.0, 1.0), TimedWord("seven77", 1.8, 2.5, 1.0)]
    for words in (early, late, after_a_gap):
        first, second = settled(words, sound)
        assert (first.start, first.end) == pytest.approx((0.0, 1.0))
        assert (second.start, second.end) == pytest.approx((1.5, 2.49))


def test_a_pause_far_from_all_edges_moves_none() -> None:
    sound = LOUD.copy()
    sound[16_000:24_000] = 0
    words = [TimedWord("seven77", 2.5, 3.0, 1.0)]
    assert settled(words, sound)[0].start == 2.5
