"""Finds a name among the words read in a picture: ``Grace Hopper`` in ``COMO HOPPER``.

Writing is compared without case, accents, punctuation and spaces (readers drop and add them),
and with the signs that readers confuse taken for one another. A name may be there whole or in
part; matches begin and end at word borders, so ``US`` is not in ``MUSIC``.
"""

import re
import unicodedata
from collections.abc import Sequence
from typing import NamedTuple

from deixis.base.boxes import Box
from deixis.errors import MissingExtraError
from deixis.tools.base import Word


class NameMatch(NamedTuple):
    """A name found in a line.

    ``similarity`` runs 0..1, 1 when the letters agree. ``part`` is what of the name was read,
    as the name spells it: all of it or, for example, the last name. ``box`` is the part of the
    line's box that the match covers, estimated from the widths of its letters.
    """

    word: Word
    similarity: float
    part: str
    box: Box


class _Token(NamedTuple):
    """A word of a text: its letters as they are compared, and where it was (half-open)."""

    letters: str
    start: int
    end: int


_FUZZY_FROM = 6  # letters; shorter words must agree, for Iran and Iraq differ by one
_SIMILAR = 0.82  # one slip in 6 letters, two in 12
_SHORT = 3  # letters; shorter parts must also agree in case: "us" is not the US
_VERTICAL = 1.5  # readers turn lines that are this much higher than broad

# Words that alone identify nothing.
_COMMON_WORDS = """
    a an and at by de del della der des di du el for from in la las le les los of on or san
    santa st the to und van von with
    air airport association bank bay beach board central centre center church city club college
    company congress corp corporation council county court day department east fc first football
    foundation general great group hall high hospital hotel house inc institute international
    island king lake league ltd minister mount museum national new north office old open park
    party people police president prime prince queen red republic river road royal saint school
    sea second series sir society south square stadium state states station street team
    times tour town union united university valley war west white world year
    dr jr mr mrs ms prof sr
"""
_COMMON = frozenset(_COMMON_WORDS.split())
# Letters that Unicode does not take apart into a base and an accent.
_FOLD = str.maketrans({"ø": "o", "ł": "l", "đ": "d", "\u0131": "i", "æ": "ae", "œ": "oe"})
# What a reader may have meant. A capital I and a small l look the same, a dotted i does not.
_READINGS = tuple(
    str.maketrans(seen, meant)
    for seen, meant in (("", ""), ("01|35", "olles"), ("01|35I", "ollesl"), ("01|35l", "oiiesi"))
)
_WORD = re.compile(r"(?:[^\W_]|\|(?=\w))+")  # a bar before a letter is a misread l or I
_HUMP = re.compile(r"(?<=[a-zß-öø-ÿ])(?=[A-ZÀ-ÖØ-Þ])|(?<=[A-Z])(?=[A-Z][a-z])")
# Widths of letters in a common sans-serif face, in widths of a lower-case "n".
_NARROW, _WIDE = frozenset(" .,:;!|'`()[]fijlrtI1-"), frozenset("mwMW@%&")


def find_name(name: str, words: Sequence[Word]) -> NameMatch | None:
    """Find `name`, or the longest telling part of it, in the lines `words`.

    A part (some consecutive words of the name) counts when it is not made of common words
    (``University``, ``New``) or digits only; one shorter than 3 letters must be a whole word,
    spelled in the same case. Parts of 6 letters and more may be misread: 0.82 of their letters
    must agree.

    Returns:
        The match that covers most of the name; among equals the surest line, then the first.

    Raises:
        MissingExtraError: ``rapidfuzz`` is not installed.
    """
    parts = _parts(name)
    best: tuple[tuple[float, float, float], NameMatch] | None = None
    for word in words:
        tokens = _tokens(word.text)
        for part, letters, coverage in parts:
            for first, last in _windows(tokens, len(letters)):
                start, end = tokens[first].start, tokens[last].end
                if len(letters) < _SHORT:
                    same = _plain(part) == _plain(word.text[start:end])
                    similarity = 1.0 if same else 0.0
                else:
                    similarity = _similarity(letters, word.text[start:end])
                rank = (coverage * similarity, similarity, word.score)
                if similarity > 0 and (best is None or rank > best[0]):
                    match = NameMatch(word, similarity, part, _share(word, start, end))
                    best = (rank, match)
    return None if best is None else best[1]


def _parts(name: str) -> list[tuple[str, str, float]]:
    """Return the parts of `name` that tell: as spelled, as compared, and their share of it."""
    tokens = _tokens(name)
    total = sum(len(token.letters) for token in tokens)
    parts = []
    for first in range(len(tokens)):
        for last in range(first, len(tokens)):
            chosen = tokens[first : last + 1]
            letters = "".join(token.letters for token in chosen)
            telling = [
                token
                for token in chosen
                if len(token.letters) > 1
                and not token.letters.isdigit()
                and token.letters not in _COMMON
            ]
            if telling or len(chosen) == len(tokens):
                text = name[chosen[0].start : chosen[-1].end]
                parts.append((text, letters, len(letters) / total))
    return parts


def _tokens(text: str) -> list[_Token]:
    """Split `text` at everything that is no letter or digit, and at the humps of CamelCase."""
    tokens = []
    for word in _WORD.finditer(text):
        borders = [hump.start() for hump in _HUMP.finditer(word[0])]
        for start, end in zip([0, *borders], [*borders, len(word[0])], strict=True):
            letters = _letters(word[0][start:end])
            if letters:
                tokens.append(_Token(letters, word.start() + start, word.start() + end))
    return tokens


def _letters(text: str) -> str:
    apart = unicodedata.normalize("NFKD", text)
    bare = "".join(sign for sign in apart if not unicodedata.combining(sign))
    return unicodedata.normalize("NFC", bare).casefold().translate(_FOLD)


def _plain(text: str) -> str:
    return "".join(sign for sign in text if sign.isalnum() or sign == "|")


def _windows(tokens: Sequence[_Token], length: int) -> list[tuple[int, int]]:
    """Return (first, last) of the runs of tokens about as long as `length` letters."""
    slack = length * (1 - _SIMILAR) / _SIMILAR if length >= _FUZZY_FROM else 0
    windows = []
    for first in range(len(tokens)):
        size = 0
        for last in range(first, len(tokens)):
            size += len(tokens[last].letters)
            if size > length + slack:
                break
            if size >= length - slack:
                windows.append((first, last))
    return windows


def _similarity(wanted: str, text: str) -> float:
    """Return how alike `wanted` and the `text` read are, 0 when not enough to be one name."""
    readings = {_letters(_plain(text).translate(table)) for table in _READINGS}
    if wanted in readings:
        return 1.0
    if len(wanted) < _FUZZY_FROM or wanted.isdigit():
        return 0.0
    try:
        from rapidfuzz.distance import Levenshtein
    except ImportError as error:
        raise MissingExtraError("rapidfuzz", "starter") from error
    score = max(Levenshtein.normalized_similarity(wanted, reading) for reading in readings)
    return score if score >= _SIMILAR else 0.0


def _share(word: Word, start: int, end: int) -> Box:
    """Return the part of the line's box that the characters ``start:end`` take up."""
    widths = [_width(sign) for sign in word.text]
    before, inside, total = sum(widths[:start]), sum(widths[start:end]), sum(widths)
    x1, y1, x2, y2 = word.box
    if y2 - y1 >= _VERTICAL * (x2 - x1) and len(word.text) > 1:
        y1, y2 = (y1 + (y2 - y1) * part / total for part in (before, before + inside))
    else:
        x1, x2 = (x1 + (x2 - x1) * part / total for part in (before, before + inside))
    return x1, y1, x2, y2


def _width(sign: str) -> float:
    if unicodedata.east_asian_width(sign) in "WF":
        return 2.0
    if sign in _NARROW:
        return 0.5
    if sign in _WIDE:
        return 1.5
    return 1.2 if sign.isupper() else 1.0
