"""A mention, and where a string that a model named stands in the text."""

from bisect import bisect_left
from collections.abc import Sequence
from typing import NamedTuple

from deixis.agents.context.records import Mention
from deixis.base.folding import Folded, caseless, close, given, loose


class TypedSpan(NamedTuple):
    """What a recognizer takes for a mention: half-open characters, type, confidence, prior.

    ``fine_type`` is as in the record of a mention, ``fine_confidence`` (0..1) is how sure it is.
    """

    start: int
    end: int
    type: str
    confidence: float
    prior: float | None
    fine_type: str | None = None
    fine_confidence: float | None = None

    def of(self, text: str) -> Mention:
        """Return the mention of a text that stands there."""
        return Mention(
            text=text[self.start : self.end],
            start=self.start,
            end=self.end,
            type=self.type,
            confidence=self.confidence,
            prior=self.prior,
            fine_type=self.fine_type,
        )

    def meets(self, other: "TypedSpan") -> bool:
        """Whether both share a character."""
        return self.start < other.end and other.start < self.end


def locate(text: str, wanted: str, taken: Sequence[tuple[int, int]]) -> tuple[int, int] | None:
    """Find `wanted` in the text outside the spans taken: exactly, else however it is written.

    Models write names anew: with other quotes, dashes, spaces or accents, in another case (see
    `deixis.base.folding`). Whole words come before parts of words, so that US is not found in
    MUSIC.

    Returns:
        Half-open character offsets into the text as given, or None when it is not there (any
        more). They never cut a letter from its marks.
    """
    busy = bytearray(len(text))
    for start, end in taken:
        busy[start:end] = b"\1" * len(busy[start:end])
    folded = ((fold(text), fold(wanted).text.strip()) for fold in (given, loose, caseless, close))
    views = {(hay.text, needle): hay for hay, needle in folded if needle}  # many are the same
    for whole in (True, False):
        for (_, needle), hay in views.items():
            span = _search(hay, needle, busy, whole)
            if span is not None:
                return span
    return None


def _search(hay: Folded, needle: str, busy: bytearray, whole: bool) -> tuple[int, int] | None:
    """Return the first free place of a needle, where it must be whole words if `whole`."""
    at = hay.text.find(needle)
    while at >= 0:
        after, end = at + 1, at + len(needle)
        if not (whole and (_cuts(hay, at) or _cuts(hay, end))) and hay.whole(at, end):
            span = hay.span(at, end)
            taken = busy.rfind(1, *span)
            if taken < 0:
                return span
            free = busy.find(0, taken)
            after = bisect_left(hay.starts, free) if free >= 0 else len(hay.text)
        at = hay.text.find(needle, after)
    return None


def _cuts(folded: Folded, place: int) -> bool:
    """Whether a word of the text goes on across this place."""
    text, starts = folded.text, folded.starts
    if not 0 < place < len(text) or not text[place].isalnum():
        return False
    while place > 1 and starts[place - 2] == starts[place - 1]:
        place -= 1  # from a mark to its letter
    return text[place - 1].isalnum()
