"""Names that a tagger doubts, where the text says what they are: "golden retriever Max"."""

from collections.abc import Sequence

from deixis.agents.main.lexicon import lexicon, tokens_of
from deixis.tools.tagger.base import TaggedSpan

LEAST = 0.2
"""Confidence that such a name has at least. Of 1,500 tweets, three gain a mention, two rightly."""
_FAR = 60
"""Characters before a name that are looked at."""


def called(
    text: str, chosen: Sequence[TaggedSpan], weighed: Sequence[TaggedSpan]
) -> dict[TaggedSpan, str]:
    """Return spans that were turned down and stand, with a capital, behind what they are.

    Args:
        text: the post's.
        chosen: the tagger's mentions.
        weighed: the spans that it turned down.

    Returns:
        Each span, which overlaps no other and no mention, to the noun before it.
    """
    names: dict[TaggedSpan, str] = {}
    for span in sorted(weighed, key=lambda span: -span.confidence):
        if span.confidence < LEAST or not text[span.start].isupper():
            continue
        if any(span.start < other.end and other.start < span.end for other in (*chosen, *names)):
            continue
        noun = lexicon().noun_before(tokens_of(text[max(0, span.start - _FAR) : span.start]))
        if noun:
            names[span] = noun.text
    return names
