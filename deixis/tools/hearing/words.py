"""Words of a text found again among the words that were heard."""

import unicodedata
from collections.abc import Sequence

import numpy as np

from deixis.tools.base import TimedWord

UNHEARD = 0.0
"""Score of a word whose time is a guess from those around it."""
_SHORTEST = 0.02  # seconds of a word
_SAME, _OTHER, _LEFT_OUT = 2, -1, -1  # what a pair of words and a word without one count


def plain(word: str) -> str:
    """Return the letters and digits of a word, folded: how recognizers write it does not matter."""
    folded = unicodedata.normalize("NFKC", word).casefold()
    return "".join(letter for letter in folded if letter.isalnum())


def share_heard(words: Sequence[str], heard: Sequence[str]) -> float:
    """Return the share, 0..1, of the words that were heard, in this order; 0 without any.

    One that is heard without the one before or behind it does not count, unless it is the only
    one: in what is long enough, every common word is said somewhere.
    """
    wanted = [text for word in words if (text := plain(word))]
    pairs = set(_same(wanted, list(map(plain, heard))))
    near = (-1, 1) if len(wanted) > 1 else (0,)
    counted = sum(any((a + by, b + by) in pairs for by in near) for a, b in pairs)
    return counted / len(wanted) if wanted else 0.0


def placed(words: Sequence[str], heard: Sequence[TimedWord], seconds: float) -> list[TimedWord]:
    """Return when each word is said, by the words heard.

    Those that were heard otherwise, or not at all, share the time between their neighbours by
    their letters, with the score `UNHEARD`.

    Args:
        words: those of the text, in order.
        heard: those of the recognizer, in order.
        seconds: how long the sound is.
    """
    found: list[TimedWord] = []
    pairs = _same(list(map(plain, words)), [plain(word.text) for word in heard])
    at = 0  # of the words heard, the first that is not used
    for place, own in [*pairs, (len(words), len(heard))]:
        if len(found) < place:
            others = heard[at:own]
            before = heard[at - 1].end if at else 0.0
            after = heard[own].start if own < len(heard) else seconds
            start, end = (others[0].start, others[-1].end) if others else (before, after)
            found += spread(words[len(found) : place], start, max(start, end))
        if place < len(words):
            found.append(heard[own]._replace(text=words[place]))
        at = own + 1
    return found


def later(word: TimedWord, seconds: float) -> TimedWord:
    """Return a word as it is said so much later: times in a piece become those in the whole."""
    return word._replace(start=word.start + seconds, end=word.end + seconds)


def spread(words: Sequence[str], start: float, end: float) -> list[TimedWord]:
    """Share a stretch of sound among words, by how many letters each has."""
    lengths = [len(plain(word)) + 1 for word in words]
    whole, before, found = sum(lengths), 0, []
    for word, length in zip(words, lengths, strict=True):
        begins = start + (end - start) * before / whole
        before += length
        ends = max(start + (end - start) * before / whole, begins + _SHORTEST)
        found.append(TimedWord(word, begins, ends, UNHEARD))
    return found


def _same(wanted: Sequence[str], heard: Sequence[str]) -> list[tuple[int, int]]:
    """Return the places of words that are the same in both, by the best global alignment.

    Needleman and Wunsch (1970), row by row: a gap to the left is a running maximum of what was
    reached so far, with the cost of the gap put aside.
    """
    numbers = {word: number for number, word in enumerate(dict.fromkeys([*wanted, *heard]))}
    columns = np.array([numbers[word] for word in heard], dtype=np.int64)
    steps = np.arange(len(heard) + 1) * _LEFT_OUT
    row, ways = steps, np.zeros((len(wanted), len(heard) + 1), dtype=np.int8)
    for place, word in enumerate(wanted):
        pairs = row[:-1] + np.where(columns == numbers[word], _SAME, _OTHER)
        above = row + _LEFT_OUT
        best = above.copy()
        best[1:] = np.maximum(best[1:], pairs)
        row = np.maximum.accumulate(best - steps) + steps
        ways[place] = np.where(row > best, 2, np.where(best == above, 1, 0))
        ways[place, 1:][row[1:] == pairs] = 0
    found, place, at = [], len(wanted), len(heard)
    while place and at:
        way = ways[place - 1, at]
        if way == 0 and wanted[place - 1] == heard[at - 1]:
            found.append((place - 1, at - 1))
        place, at = place - (way != 2), at - (way != 1)
    return found[::-1]
