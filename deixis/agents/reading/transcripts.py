"""Where in the words that were heard a name stands, and the other way round."""

import re
from collections.abc import Sequence

from deixis.agents.context.state import State

_WORD = re.compile(r"\S+")


def spoken_text(state: State) -> str:
    """Return what was heard as a text, "" where that is the text given, or nothing was."""
    heard = state.get("heard")
    if not heard or heard["spoken"]:
        return ""
    return " ".join("".join(word[0].split()) for word in heard["words"])


def words_at(text: str, start: int, end: int) -> list[tuple[int, int]]:
    """Return the range of words, half-open, that half-open characters of a text touch.

    Words are what stands between blanks; none is touched by characters that are blank.
    """
    touched = [
        number
        for number, word in enumerate(_WORD.finditer(text))
        if word.start() < end and word.end() > start
    ]
    return [(touched[0], touched[-1] + 1)] if touched else []


def characters_of(text: str, ranges: Sequence[Sequence[int]]) -> tuple[int, int]:
    """Return the half-open characters of the first range of words of a text."""
    words = list(_WORD.finditer(text))
    first, last = ranges[0]
    return words[first].start(), words[last - 1].end()
