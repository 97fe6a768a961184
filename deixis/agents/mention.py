"""A mention, and where a string that a model named stands in the text."""

from typing import NamedTuple


class Mention(NamedTuple):
    """A mention found: half-open characters, type, confidence, chance to be shown."""

    start: int
    end: int
    type: str
    confidence: float
    prior: float | None


def locate(text: str, wanted: str, taken: list[tuple[int, int]]) -> tuple[int, int] | None:
    """Find `wanted` in the text outside the spans taken: exactly, else whatever its case.

    Whole words come before parts of words, so that US is not found in MUSIC.

    Returns:
        Half-open character offsets, or None when it is not there (any more).
    """
    wanted = wanted.strip()
    # Lower-casing may change a string's length ("İ"), which would shift every offset.
    folded = (text.lower(), wanted.lower()) if len(text.lower()) == len(text) else (text, wanted)
    for whole in (True, False):
        for haystack, needle in ((text, wanted), folded):
            start = haystack.find(needle) if needle else -1
            while start >= 0:
                end = start + len(needle)
                free = all(end <= s or e <= start for s, e in taken)
                if free and not (whole and (_cuts(text, start) or _cuts(text, end))):
                    return start, end
                start = haystack.find(needle, start + 1)
    return None


def _cuts(text: str, place: int) -> bool:
    """Whether a word of the text goes on across this place."""
    return text[max(place - 1, 0) : place + 1].isalnum() and 0 < place < len(text)
