"""Texts that come as words, with the place of each word in them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Words:
    """A text and the half-open characters of each of its words."""

    text: str
    places: tuple[tuple[int, int], ...]

    @classmethod
    def joined(cls, words: Sequence[str], between: str = " ") -> "Words":
        """Make the text of the words."""
        places = []
        start = 0
        for word in words:
            places.append((start, start + len(word)))
            start += len(word) + len(between)
        return cls(between.join(words), tuple(places))

    @classmethod
    def of(cls, words: Sequence[str], text: str) -> "Words":
        """Find the words in a text, one after the other; join them if one is not there."""
        places = []
        start = 0
        for word in words:
            if (start := text.find(word, start)) < 0:
                return cls.joined(words)
            places.append((start, start := start + len(word)))
        return cls(text, tuple(places))

    def cut(self, first: int, end: int) -> dict[str, Any]:
        """Return ``text``, ``start`` and ``end`` of the words from `first` up to `end`.

        Raises:
            ValueError: there are no such words.
        """
        if not 0 <= first < end <= len(self.places):
            raise ValueError(
                f"there are no words {first} to {end}; the text has {len(self.places)}"
            )
        start, stop = self.places[first][0], self.places[end - 1][1]
        if start == stop:
            raise ValueError(f"the words {first} to {end} have no character")
        return {"text": self.text[start:stop], "start": start, "end": stop}
