"""Text as a reader sees it, and where each character of that stands in the text as given.

What looks the same is written in many ways: é as one code point or two, an apostrophe straight
or curly, & as ``&amp;``, a word with a soft hyphen inside that nobody sees. Whoever compares texts
compares them folded, and comes back to the text as given by the offsets kept here.
"""

import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache, partial
from html import unescape
from html.entities import html5
from typing import NamedTuple

_UNSEEN = (  # Unicode's Default_Ignorable_Code_Point
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e"
    "\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8\U0001bca0-\U0001bca3"
    "\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)


def _ranges(codes: Iterator[int]) -> str:
    """Write characters as ranges of a set, which is searched one by one."""
    runs: list[list[int]] = []
    for code in codes:
        if runs and runs[-1][1] == code - 1:
            runs[-1][1] = code
        else:
            runs.append([code, code])
    return "".join(f"{chr(first)}-{chr(last)}" for first, last in runs)


_MARKS = _ranges(
    code
    for code in (*range(0x300, 0x20000), *range(0xE0100, 0xE01F0))
    if unicodedata.category(chr(code)).startswith("M") and code not in (0xFE0E, 0xFE0F)
)
# What belongs to the character before it: marks, the later letters of a Korean syllable, the
# sound marks of narrow kana, tones of skin.
_MORE = rf"{_MARKS}\u1160-\u11ff\ud7b0-\ud7ff\uff9e\uff9f\U0001f3fb-\U0001f3ff"
_PICTURES = (
    "\u00a9\u00ae\u203c\u2049\u2122\u2139\u3030\u303d\u3297\u3299\u2190-\u2bff\U0001f000-\U0001faff"
)
_SPACES = r"\s\u2800"  # with the braille pattern that has no dot
_FLAGS = "\U0001f1e6-\U0001f1ff"
_TAIL = rf"(?:[{_UNSEEN}]*[{_MORE}])*"
_PICTURE = rf"[{_PICTURES}]{_TAIL}[\ufe0e\ufe0f]?"
_NAME = (
    r"&(?:amp;)*(?P<entity>#0{0,50}[0-9]{1,7}|#[xX]0{0,50}[0-9a-fA-F]{1,6}"
    r"|[A-Za-z][A-Za-z0-9]{1,31})"
)
_UNIT = "|".join(
    (
        r"[!-%'-~](?=[ -~]|\Z)",  # most characters of most texts, told fast
        rf"[{_SPACES}](?:[{_SPACES}{_UNSEEN}]*[{_SPACES}])?",
        rf"(?P<stray>[{_UNSEEN}{_MARKS}])",
        rf"[{_FLAGS}]{{2}}{_TAIL}",
        rf"{_PICTURE}(?:\u200d{_PICTURE})*",
        rf".{_TAIL}",
    )
)
_AS_HTML = re.compile(rf"{_NAME};(?P<tail>{_TAIL})|{_UNIT}", re.DOTALL)
# Tokens of tweets are often joined by spaces, and data sets then have "&amp ;".
_CUT = (
    r"&(?:amp;)*(?P<cut>[lg]t|(?:amp|quot|nbsp)(?![A-Za-z0-9])"
    r"|#0{0,50}[0-9]{2,7}(?![0-9])|#[xX]0{0,50}[0-9a-fA-F]{2,6}(?![0-9a-fA-F]))"
)
_AS_TOKENS = re.compile(rf"(?:{_NAME}\s?;|{_CUT})(?P<tail>{_TAIL})|{_UNIT}", re.DOTALL)
_unseen = partial(re.compile(f"[{_UNSEEN}]+").sub, "")
_blank = re.compile(f"[{_SPACES}]+").fullmatch

# Apostrophes of Hawaiian, Armenian, Hebrew and others are among them.
_QUOTES = (
    "\u2018\u2019\u201a\u201b\u2032\u02b9\u02bb\u02bc\u02bd\u02be\u02bf\u055a\u05f3"
    "\u00b4\u0060\ua78b\ua78c\uff07"
)
_SPELLED = {
    **dict.fromkeys(_QUOTES, "'"),
    **dict.fromkeys(
        "\u201c\u201d\u201e\u201f\u2033\u00ab\u00bb\u301d\u301e\u301f\u05f4\uff02", '"'
    ),
    **dict.fromkeys("\u2010\u2011\u2212\ufe63\uff0d", "-"),
}
_DASHES = dict.fromkeys(map(ord, "\u2012\u2013\u2014\u2015\u2e3a\u2e3b\ufe58\u2043"), "-")
# Vowels of Arabic and Hebrew, and what makes a word longer: seldom written, and left out at will.
_POINTS = dict.fromkeys(
    (*range(0x64B, 0x653), 0x670, 0x640, *range(0x591, 0x5BE), 0x5BF, 0x5C1, 0x5C2, 0x5C4, 0x5C5)
)
# Another form of the same letter; superscripts and circled digits say something more.
_SAME_LETTER = re.compile("<(?:wide|narrow|font|noBreak|initial|medial|final|isolated)>")


class Folded(NamedTuple):
    """A folded text; character ``i`` of it stands for ``source[starts[i]:ends[i]]``, half-open.

    Characters that come of one piece of the source, such as ``fi`` of a ligature, share its span.
    """

    text: str
    starts: Sequence[int]
    ends: Sequence[int]

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Return where the characters from `start` to `end` stand in the source."""
        return self.starts[start], self.ends[end - 1]

    def whole(self, start: int, end: int) -> bool:
        """Whether no piece of the source is cut by `start` or `end`."""
        starts, last = self.starts, len(self.text)
        return (start == 0 or starts[start - 1] != starts[start]) and (
            end == last or starts[end - 1] != starts[end]
        )


def spelled(text: str) -> Folded:
    """Fold a text into the spelling that a recognizer was trained with; its case stays.

    Letters are composed and of common width, quotes, hyphens and white space are plain, HTML
    entities are read, and what cannot be seen is gone. A line break stays one.
    """
    return _folded(text, "spelled")


def given(text: str) -> Folded:
    """Return a text as it stands, without what cannot be seen."""
    return _folded(text, "given")


def loose(text: str) -> Folded:
    """Fold a text as a model may write it again: as `spelled`, ligatures, dashes, breaks too."""
    return _folded(text, "loose")


def caseless(text: str) -> Folded:
    """Fold a text as `loose` does, whatever its case."""
    return _folded(text, "caseless")


@lru_cache(maxsize=128)
def close(text: str) -> Folded:
    """Fold a text as `caseless` does, without the spaces that tokens are joined by.

    Those are beside a character that is neither letter nor digit: Spider - Man, Ann 's, AT & T.
    """
    folded, starts, ends = caseless(text)
    kept = [i for i, c in enumerate(folded) if c != " " or folded[i - 1 : i + 2 : 2].isalnum()]
    return Folded(
        "".join(folded[i] for i in kept), [starts[i] for i in kept], [ends[i] for i in kept]
    )


def bare(text: str) -> Folded:
    """Fold a text as `caseless` does, and take the marks from its letters."""
    return _folded(text, "bare")


def key(text: str) -> str:
    """Return what texts that read alike have in common, to compare them."""
    return caseless(text).text.strip()


def without_entities(text: str) -> str:
    """Return a text with the HTML entities in it read: ``AT&T`` for ``AT&amp;T``."""
    return "".join(
        read if text[start] == "&" else text[start:end]
        for start, end, read in _units(text, _AS_TOKENS)
    )


@lru_cache(maxsize=128)
def _folded(text: str, how: str) -> Folded:
    if _PLAIN.fullmatch(text):
        same = text.lower() if how in {"caseless", "bare"} else text
        return Folded(same, range(len(text)), range(1, len(text) + 1))
    fold = _FOLDS[how]
    letters: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    for start, end, read in _units(text, _AS_HTML if how == "spelled" else _AS_TOKENS):
        piece = _unseen(text[start:end]) if how == "given" else fold(read)
        if letters and piece in _BLANKS and letters[-1] in _BLANKS:
            letters[-1] = max(letters[-1], piece, key=_BLANKS.index)
            ends[-1] = end
        elif piece:
            letters.append(piece)
            starts += [start] * len(piece)
            ends += [end] * len(piece)
    whole = "".join(letters)
    return Folded(_BETWEEN.sub("-", whole) if how == "spelled" else whole, starts, ends)


def _units(text: str, pattern: re.Pattern[str]) -> Iterator[tuple[int, int, str]]:
    """Cut a text into what must not be cut further; yield start, end, and what it reads as."""
    end = 0
    while end < len(text):
        match = pattern.match(text, end)
        assert match is not None, "any character is a unit"
        start, end = match.span()
        name = match["entity"] or match.groupdict().get("cut")
        if name is None:
            yield start, end, "" if match["stray"] else match[0]
        elif name.startswith("#") or f"{name};" in html5:
            read = unescape(f"&{name};")
            if _blank(read):  # which takes no mark
                end = match.start("tail")
            yield start, end, read + text[match.start("tail") : end]
        else:
            end = start + 1
            yield start, end, "&"


@lru_cache(maxsize=8192)
def _spelled(piece: str) -> str:
    piece = _unseen(piece)
    if _blank(piece):
        return "\n" if len(f"{piece}.".splitlines()) > 1 else " "
    composed = unicodedata.normalize("NFC", piece)
    return unicodedata.normalize("NFC", "".join(map(_common, composed)))


def _common(character: str) -> str:
    """Return the common form of a character."""
    way = unicodedata.decomposition(character)
    if character in _SPELLED:
        return _SPELLED[character]
    if _SAME_LETTER.match(way) or (way.startswith("<compat>") and character.isalpha()):
        return unicodedata.normalize("NFKC", character)
    return character


@lru_cache(maxsize=8192)
def _loose(piece: str) -> str:
    dashed = _spelled(piece).translate(_DASHES)
    if dashed == "\n":
        return " "
    wide = [unicodedata.normalize("NFKC", letter) for letter in dashed]
    # Of a bare accent, NFKC makes a space and a mark.
    kept = [own if new[:1].isspace() else new for own, new in zip(dashed, wide, strict=True)]
    return unicodedata.normalize("NFC", "".join(kept).translate(_POINTS))


def _caseless(piece: str) -> str:
    folded = unicodedata.normalize("NFC", _loose(piece).casefold())
    return folded.replace("i\u0307", "i").replace("\u0131", "i")  # the two letters of Turkish


def _bare(piece: str) -> str:
    parts = unicodedata.normalize("NFD", _caseless(piece))
    return "".join(part for part in parts if not unicodedata.category(part).startswith("M"))


_FOLDS: dict[str, Callable[[str], str]] = {
    "given": _unseen,
    "spelled": _spelled,
    "loose": _loose,
    "caseless": _caseless,
    "bare": _bare,
}
_BLANKS = (" ", "\n")
_PLAIN = re.compile(r"(?:[!-%'-_a-~]| (?! ))*")  # ASCII without &, ` and runs of white space
_BETWEEN = re.compile("(?<=[^\\W_])\u2013(?=[^\\W_])")  # Jean\u2013Luc
