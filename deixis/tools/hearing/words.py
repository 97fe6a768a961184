"""Words of a text found again among the words that were heard."""

import unicodedata
from collections.abc import Sequence
from difflib import SequenceMatcher

from deixis.tools.base import TimedWord

UNHEARD = 0.0
"""Score of a word whose time is a guess from those around it."""
_SHORTEST = 0.02  # seconds of a word


def plain(word: str) -> str:
    """Return the letters and digits of a word, folded: how recognizers write it does not matter."""
    folded = unicodedata.normalize("NFKC", word).casefold()
    return "".join(letter for letter in folded if letter.isalnum())


def share_heard(words: Sequence[str], heard: Sequence[str]) -> float:
    """Return the share, 0..1, of the words that were heard, in this order; 0 without any."""
    wanted = [text for word in words if (text := plain(word))]
    blocks = _matcher(wanted, list(map(plain, heard))).get_matching_blocks()
    return sum(block.size for block in blocks) / len(wanted) if wanted else 0.0


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
    matcher = _matcher(list(map(plain, words)), [plain(word.text) for word in heard])
    for same, first, last, at, to in matcher.get_opcodes():
        if same == "equal":
            pairs = zip(words[first:last], heard[at:to], strict=True)
            found += [word._replace(text=text) for text, word in pairs]
        elif first < last:
            begins = heard[at].start if at < to else heard[at - 1].end if at else 0.0
            ends = heard[to - 1].end if at < to else heard[at].start if heard[at:] else seconds
            found += spread(words[first:last], begins, max(begins, ends))
    return found


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


def _matcher(wanted: list[str], heard: list[str]) -> "SequenceMatcher[str]":
    return SequenceMatcher(None, wanted, heard, autojunk=False)
