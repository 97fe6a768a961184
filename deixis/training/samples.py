"""What a recognizer learns from: tokens with tags, and which of the names are shown."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import pairwise
from typing import NamedTuple

from deixis.base.boxes import Box
from deixis.evaluation.datasets.conll import TYPES, TaggedTweet, mentions
from deixis.evaluation.metrics.mner import Pair
from deixis.type_schema import EntityType

Shown = dict[str, dict[str, list[Box]]]
"""Of each tweet, the names that have boxes; see `deixis.evaluation.datasets.voc.read_voc`."""


class Types(NamedTuple):
    """The types that a recognizer tells apart, and the fine types, each of one of them."""

    coarse: tuple[str, ...] = TYPES
    fine: tuple[str, ...] = ()
    coarse_of: Mapping[str, str] = {}

    @property
    def labels(self) -> tuple[str, ...]:
        """The BIO labels of the types."""
        return ("O", *(f"{mark}-{kind}" for kind in self.coarse for mark in "BI"))


SHIPPED = Types()
"""What the recognizers that are shipped tell apart."""


def shipped_fine_types(kinds: Iterable[EntityType]) -> Types:
    """Return the fine types that a type schema lists, under the tags that its types name."""
    coarse_of = {fine: str(kind.crf) for kind in kinds for fine in kind.fine_types}
    return Types(TYPES, tuple(coarse_of), coarse_of)


class Sample(NamedTuple):
    """One text.

    Attributes:
        id: of the text.
        tokens: of the whole text, ``N`` of them.
        tags: BIO labels, ``N`` of them.
        fine_tags: the same with fine types, ``O`` where none is known; or none at all.
        shown: of each mention whether its picture shows it, None where nobody looked.
        breaks: places of tokens before which a line begins; no mention goes on across one.
    """

    id: str
    tokens: tuple[str, ...]
    tags: tuple[str, ...]
    fine_tags: tuple[str, ...] = ()
    shown: tuple[bool | None, ...] = ()
    breaks: tuple[int, ...] = ()

    def lines(self) -> Iterator[slice]:
        """Yield where the lines of the text stand in its tokens."""
        return (slice(*ends) for ends in pairwise((0, *self.breaks, len(self.tokens))))


def samples_of(tweets: Iterable[TaggedTweet], shown: Shown) -> list[Sample]:
    """Bring together tweets and what their pictures show."""
    return [
        Sample(*tweet, tuple(name in shown.get(tweet.id, {}) for name in _names(tweet)), breaks=())
        for tweet in tweets
    ]


def _names(tweet: TaggedTweet) -> Iterator[str]:
    return (" ".join(tweet.tokens[m.start : m.end]) for m in mentions(tweet.tags))


def gold_pairs(sample: Sample | TaggedTweet) -> list[Pair]:
    """Return the ``(text, type)`` pairs of a sample; a text is its tokens joined by spaces."""
    return [(" ".join(sample.tokens[m.start : m.end]), m.type) for m in mentions(sample.tags)]
