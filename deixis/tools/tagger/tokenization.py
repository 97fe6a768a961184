"""Cut raw text into tokens the way tweets of named-entity corpora are cut.

Words keep inner hyphens and slashes (``wi-fi``, ``2013/14``), a web address is one token, and
every other visible or invisible character that is not white space stands alone: ``@``, ``#``,
``_``, apostrophes, each code point of an emoji, U+FE0F, ZWJ, NUL. An HTML remnant such as
``&amp;`` gives the two tokens ``&amp`` and ``;``. Scripts written without spaces come out as one
token per run.
"""

import functools
import re
import unicodedata
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

_LONGEST_LINE = 400
"""Tokens in which a mention is looked for at once: a bound for long texts, far above any post."""


class Token(NamedTuple):
    """A token and where it stands: ``source[start:end] == text``, half-open, in characters."""

    text: str
    start: int
    end: int


@functools.cache
def _pattern() -> re.Pattern[str]:
    # Python's \w leaves out combining marks, which would cut decomposed and Indic words to
    # pieces; variation selectors stay alone, for they follow emoji.
    marks = "".join(
        chr(code)
        for code in range(0x300, 0x1E950)
        if unicodedata.category(chr(code)).startswith("M") and not 0xFE00 <= code <= 0xFE0F
    )
    run = rf"[^\W_](?:[^\W_]|[{marks}])*"
    return re.compile(
        rf"https?://[^\s<>\"'()\[\]]+"
        rf"|&(?:amp|lt|gt|quot|nbsp)(?=\s?;)"
        rf"|{run}(?:[-/]{run})*"
        rf"|\S"
    )


def tokenize(text: str) -> list[Token]:
    """Return the tokens of ``text`` in order.

    Args:
        text: any string; empty, 100,000 characters long or full of control characters is fine.

    Returns:
        Tokens with half-open character offsets into ``text``. They do not overlap, none is
        empty or holds white space, and every character that is not white space lies in one.
    """
    return [Token(m.group(), m.start(), m.end()) for m in _pattern().finditer(text)]


def encodable(token: str) -> str:
    """Replace lone surrogates, which models of bytes cannot take as UTF-8."""
    return token if token.isascii() else token.encode("utf-8", "replace").decode("utf-8")


def lines_of(text: str, tokens: Sequence[Token]) -> list[list[Token]]:
    """Cut at line breaks, and what is longer than `_LONGEST_LINE` tokens where no name may be."""
    cuts = [0]
    for i, (one, two) in enumerate(pairwise(tokens), start=1):
        if "\n" in text[one.end : two.start]:
            cuts.append(i)
        elif i - cuts[-1] >= _LONGEST_LINE:
            quiet = (k for k in range(i, cuts[-1] + _LONGEST_LINE // 2, -1) if _small(tokens, k))
            cuts.append(next(quiet, i))
    return [list(tokens[a:b]) for a, b in pairwise([*cuts, len(tokens)]) if a < b]


def _small(tokens: Sequence[Token], cut: int) -> bool:
    """Whether a place stands between two words in small letters."""
    return all(token.text.islower() for token in tokens[cut - 1 : cut + 1])
