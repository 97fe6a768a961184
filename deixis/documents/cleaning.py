"""Characters of a PDF as a text has them: no ligatures, no marks that steer, one space at most.

What is left out or made of several keeps its place: each character that comes out has one.
"""

import re
import unicodedata
from collections.abc import Iterable
from typing import NamedTuple

Placed = tuple[str, float, float]
"""A character, and from where to where on its line it is drawn."""

HYPHENS = "-\u2010\u2011\u00ad\ufffe"
_SOFT = "\u00ad\ufffe"
_LIGATURES = range(0xFB00, 0xFB07)
_JOINERS = "\u200c\u200d"  # scripts need them inside of words
_BULLET, _UNKNOWN = "\uf0b7", "\ufffd"
_CJK = re.compile(
    "[\u2e80-\u2fdf\u3000-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uff00-\uffef]"
)


def cleaned(characters: Iterable[Placed]) -> list[Placed]:
    """Return characters as they may stand in a text.

    Spaces of any kind become one; a space reaches from what is before it to what comes after.
    Ligatures are written out. Controls and marks of direction are left out, but for a soft hyphen
    at the end, which says where a word goes on. What has no meaning is U+FFFD.
    """
    made: list[Placed] = []
    high = ""
    for text, start, end in characters:
        if "\ud800" <= text <= "\udbff":
            high = text
            continue
        if "\udc00" <= text <= "\udfff":
            text = (high + text).encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        high = ""
        _add(made, text, start, end)
    while made and made[-1][0] == " ":
        made.pop()
    last = len(made) - 1
    made = [each for i, each in enumerate(made) if each[0] not in _SOFT or i == last]
    for i, (text, _, _) in enumerate(made):
        if text == " ":
            made[i] = " ", made[i - 1][2], made[i + 1][1]
    return made


def _add(made: list[Placed], text: str, start: float, end: float) -> None:
    if text.isspace():
        if made and made[-1][0] != " ":
            made.append((" ", start, end))
        return
    kind = unicodedata.category(text[0])
    if text[0] in _SOFT:
        made.append((_SOFT[0], start, end))
    elif kind in ("Cc", "Cf") and text[0] not in _JOINERS:
        return
    elif kind in ("Co", "Cn", "Cs"):
        made.append(("\u2022" if text[0] == _BULLET else _UNKNOWN, start, end))
    elif unicodedata.combining(text[0]) and made and made[-1][0] != " ":
        base, left, right = made[-1]
        one = unicodedata.normalize("NFC", base + text)
        if len(one) == 1:
            made[-1] = one, left, right
        else:
            made.append((text, start, end))
    else:
        written = unicodedata.normalize("NFKC", text) if ord(text[0]) in _LIGATURES else text
        step = (end - start) / len(written)
        for i, letter in enumerate(written):
            made.append((letter, start + i * step, start + (i + 1) * step))


def is_rtl(text: str) -> bool:
    """Say whether most letters of a text are written from right to left."""
    kinds = [unicodedata.bidirectional(letter) for letter in text if letter.isalpha()]
    return sum(kind in ("R", "AL") for kind in kinds) * 2 > len(kinds)


class Vocabulary(NamedTuple):
    """Words that a document has inside of lines: with a hyphen, and without."""

    hyphened: frozenset[str]
    whole: frozenset[str]

    @classmethod
    def of(cls, lines: Iterable[str]) -> "Vocabulary":
        """Return the words of lines; the last of a line may be half of one, and is passed over."""
        words = {
            word.casefold() for line in lines for word in re.findall(r"[^\W_]+(?:-[^\W_]+)*", line)
        }
        hyphened = frozenset(word for word in words if "-" in word)
        return cls(hyphened, frozenset(words) - hyphened)

    def join(self, before: str, after: str) -> tuple[int, str]:
        """Say how two lines are joined.

        Returns:
            How many characters of the end of the first are dropped, 0 or 1, and what comes between.
        """
        if not before or not after:
            return 0, ""
        if before[-1] in HYPHENS and len(before) > 1 and before[-2].isalnum():
            if before[-1] in _SOFT:
                return 1, ""
            first = re.search(r"[^\W_]+$", before[:-1])
            second = re.match(r"[^\W_]+", after)
            if first is None or second is None:
                return 0, " "
            one, other = first[0].casefold(), second[0].casefold()
            kept = f"{one}-{other}" in self.hyphened and one + other not in self.whole
            goes_on = after[0].islower() and first[0][-1].isalpha()
            return (1, "") if goes_on and not kept else (0, "")
        if before[-1] in _SOFT:
            return 1, " "
        return 0, "" if _CJK.match(before[-1]) and _CJK.match(after[0]) else " "
