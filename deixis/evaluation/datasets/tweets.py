"""Tagged tweets as rows: texts, character offsets, and the quirks of their tokens."""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping
from itertools import accumulate

from deixis.evaluation.datasets.conll import TaggedTweet, mentions, orphans
from deixis.rows import Row, RowEntity, RowRegion

_HTML = re.compile(r"&(amp|lt|gt|quot|apos|nbsp|#\d+);?")
_INVISIBLE = {"Cc", "Cf", "Mn", "Me", "Zs", "Zl", "Zp"}

TEXT_QUIRKS = (
    "orphan I- tags that open an entity",
    "tokens of invisible characters only",
    "tokens left over from HTML",
    "mentions that repeat a text and type of their row",
)
FINE_QUIRKS = (
    "entities whose tokens disagree on the fine type (the first is kept)",
    "entities whose fine type is of another coarse type",
)


def entities_of(
    tweet: TaggedTweet, shown: Mapping[str, tuple[RowRegion, ...]] | None = None
) -> tuple[RowEntity, ...]:
    """Return the entities of a tweet in order.

    Args:
        tweet: its fine type, if any, is that of the entity's first token.
        shown: the regions of each exact text that has any; None when nobody looked.
    """
    starts = [0, *accumulate(len(token) + 1 for token in tweet.tokens)]
    entities: list[RowEntity] = []
    for mention in mentions(tweet.tags):
        text = " ".join(tweet.tokens[mention.start : mention.end])
        entities.append(
            RowEntity(
                text=text,
                start=starts[mention.start],
                end=starts[mention.end] - 1,
                type=mention.type,
                fine_type=tweet.fine_tags[mention.start][2:] if tweet.fine_tags else None,
                regions=None if shown is None else shown.get(text, ()),
            )
        )
    return tuple(entities)


def row_of(
    tweet: TaggedTweet,
    shown: Mapping[str, tuple[RowRegion, ...]] | None = None,
    size: tuple[int, int] | None = None,
) -> Row:
    """Return a tweet as a row; see `entities_of`."""
    entities = entities_of(tweet, shown)
    return Row(id=tweet.id, text=" ".join(tweet.tokens), size=size, entities=entities)


def count_text(tweets: Iterable[TaggedTweet], counts: Counter[str]) -> None:
    """Add the quirks of texts and tags to `counts`, one key for each of `TEXT_QUIRKS`."""
    orphan, invisible, html, repeated = TEXT_QUIRKS
    for tweet in tweets:
        counts[orphan] += orphans(tweet.tags)
        for token in tweet.tokens:
            counts[invisible] += all(unicodedata.category(c) in _INVISIBLE for c in token)
            counts[html] += _HTML.fullmatch(token) is not None
        pairs = [(tweet.tokens[m.start : m.end], m.type) for m in mentions(tweet.tags)]
        counts[repeated] += len(pairs) - len(set(pairs))


def count_fine(
    tweets: Iterable[TaggedTweet], coarse_of: dict[str, str], counts: Counter[str]
) -> None:
    """Add the quirks of fine types to `counts`, one key for each of `FINE_QUIRKS`.

    Args:
        tweets: with fine tags.
        coarse_of: the coarse type of every fine type.
        counts: changed in place.
    """
    disagree, elsewhere = FINE_QUIRKS
    for tweet in tweets:
        for mention in mentions(tweet.tags):
            kinds = [tag[2:] for tag in tweet.fine_tags[mention.start : mention.end]]
            counts[disagree] += len(set(kinds)) > 1
            counts[elsewhere] += coarse_of[kinds[0]] != mention.type
