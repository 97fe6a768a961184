"""Where the names that a model gives stand: in the text, and among the words that were heard."""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from deixis.agents.context.media_records import HeardRecord
from deixis.agents.reading.mention import locate
from deixis.agents.reading.plain import readings, unmarked
from deixis.base.printable import one_line

Range = tuple[int, int]
"""Half-open."""
_MOST_HEARD = 100
"""Times that one name is heard."""


class Place(NamedTuple):
    """Where a name stands: its characters in the text, or None; ranges of the words heard."""

    span: Range | None
    heard: list[list[int]]


class Source:
    """The text and the speech of a sample, in which names are looked for.

    Attributes:
        text: as given, "" for none.
        speech: the words heard, with a blank between two.
    """

    def __init__(self, text: str, heard: HeardRecord | None) -> None:
        words = [word[0] for word in heard["words"]] if heard else []
        self.text, self.speech = text, " ".join(words)
        self._starts = [0]
        for word in words:
            self._starts.append(self._starts[-1] + len(word) + 1)

    def name(self, written: str) -> str:
        """Return a name as a model means it: without marks, if it stands there without them."""
        for name in readings(written):
            if name and (locate(self.text, name, ()) or self._said(name, ())):
                return name
        return one_line(unmarked(written) or written)

    def places(self, names: Mapping[str, str]) -> dict[str, Place]:
        """Return where names stand, the long ones first, so that none is found within another.

        A name that stands within others alone is found there. In the text it is the first place,
        in speech all of them.

        Args:
            names: each with the words by which it is said, where it is not said itself; or "".
        """
        long_first = sorted(names, key=len, reverse=True)
        spans: list[Range] = []
        told: list[Range] = []
        places = {}
        for name in long_first:
            span = locate(self.text, name, spans) or locate(self.text, name, ())
            spans += [span] if span else []
            said = self._all(name, told) or self._all(name, ()) or self._all(names[name], ())
            told += said
            places[name] = Place(span, [self._words(each) for each in said])
        return places

    def trigger(self, word: str, taken: Mapping[str, Place], others: Sequence[Range]) -> Place:
        """Return where the word for an event stands, outside names and other triggers if it can.

        Args:
            word: the trigger.
            taken: the places of names.
            others: characters of the text that other triggers have.
        """
        names = [place.span for place in taken.values() if place.span]
        ways: list[Sequence[Range]] = [[*names, *others], others, ()]
        spans = (locate(self.text, word, way) for way in ways)
        span = next((span for span in spans if span), None)
        said = self._said(word, ())
        return Place(span, [self._words(said)] if said else [])

    def _all(self, name: str, taken: Sequence[Range]) -> list[Range]:
        said: list[Range] = []
        while len(said) < _MOST_HEARD and (more := self._said(name, [*taken, *said])):
            said.append(more)
        return said

    def _said(self, name: str, taken: Sequence[Range]) -> Range | None:
        """Return where a name is said, in whole words: no part of one has times."""
        span = locate(self.speech, name, taken)
        if span is None:
            return None
        beside = self.speech[max(0, span[0] - 1) : span[0]], self.speech[span[1] : span[1] + 1]
        return None if any(map(str.isalnum, beside)) else span

    def _words(self, span: Range) -> list[int]:
        """Return the range of words that characters of the speech are of."""
        return [bisect_right(self._starts, span[0]) - 1, bisect_right(self._starts, span[1] - 1)]
