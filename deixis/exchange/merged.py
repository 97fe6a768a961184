"""Entities over many posts: mentions of one type whose names are the same but for their writing.

Two names are the same if Unicode's NFKC, case folding and single blanks make them so: ``NASA`` and
``Nasa`` are, ``NASA`` and ``National Aeronautics and Space Administration`` are not. Nobody is told
apart from a namesake.
"""

import unicodedata
from collections.abc import Iterator

from deixis.exchange.mentions import Mention

_KEPT = 20
"""Spellings and fine types that are kept of one entity; the mentions have all of them."""


class Merged:
    """One entity: its type, its normalised name, and the spellings and fine types it was met in."""

    __slots__ = ("fine_types", "key", "names", "number", "type")

    def __init__(self, type_: str, key: str, number: int) -> None:
        self.type = type_
        self.key = key
        self.number = number
        self.names: tuple[str, ...] = ()
        self.fine_types: tuple[str, ...] = ()

    def met(self, mention: Mention) -> None:
        """Take note of how a mention spells it, and of its fine type."""
        self.names = _with(self.names, mention.text)
        self.fine_types = _with(self.fine_types, mention.fine_type)


def _with(kept: tuple[str, ...], name: str | None) -> tuple[str, ...]:
    return kept if name is None or name in kept or len(kept) >= _KEPT else (*kept, name)


class Entities:
    """All entities that were met, in the order in which they were; a few hundred bytes each."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str], Merged] = {}

    def of(self, mention: Mention) -> Merged:
        """Return the entity that a mention names."""
        key = (mention.type, normalised(mention.text))
        if (entity := self._known.get(key)) is None:
            entity = self._known[key] = Merged(*key, len(self._known))
        entity.met(mention)
        return entity

    def __iter__(self) -> Iterator[Merged]:
        """Yield them."""
        return iter(self._known.values())

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self._known)


def normalised(name: str) -> str:
    """Return what two writings of one name have in common; the name itself if that is nothing."""
    folded = unicodedata.normalize("NFKC", name).casefold()
    return " ".join(unicodedata.normalize("NFKC", folded).split()) or name
