"""Calls of modules in a meta-response of REAMO (figure 2): who is to point, and at what.

The released runner closes its tags and has one instruction in each; in figure 2 they are not
closed, and an instruction is a list. Both are read, and mixtures of them.
"""

import re
from collections.abc import Iterator
from typing import Literal, NamedTuple

from deixis.formats.answers import Problem

Medium = Literal["image", "video", "audio"]
_TAG = re.compile(r"<\s*+(/?)\s*+(uie|module|instruction)s?\s*+>", re.IGNORECASE)
_MEDIA: tuple[tuple[Medium, str], ...] = (
    ("video", r"video|track|film"),
    ("audio", r"audio|speech|sound|voice|shas"),
    ("image", r"image|picture|photo|seem"),
)


class Call(NamedTuple):
    """A module to be run, and what it is told."""

    module: str
    instructions: tuple[str, ...] = ()

    @property
    def medium(self) -> Medium | None:
        """Where the module points: *Image Segmenter*, *VideoTracking*; None if no name tells."""
        name = self.module.casefold()
        return next((medium for medium, words in _MEDIA if re.search(words, name)), None)


class Calls(NamedTuple):
    """The calls of an answer, what stands outside of them, and what could not be read."""

    calls: tuple[Call, ...]
    outside: str
    problems: tuple[Problem, ...]


def read_calls(answer: str) -> Calls:
    """Read the calls of an answer; no string makes it raise."""
    calls: list[Call] = []
    problems: list[Problem] = []
    outside = ""
    for tag, words, closed in _parts(answer):
        if tag == "uie":
            outside += words
        elif tag == "module":
            calls.append(Call(words.strip()))
        elif calls:
            told = [words.strip()] if closed else listed(words)
            calls[-1] = Call(calls[-1].module, (*calls[-1].instructions, *filter(None, told)))
        else:
            problems.append(Problem(words, "an instruction before any module"))
    return Calls(tuple(calls), outside, tuple(problems))


def _parts(answer: str) -> Iterator[tuple[str, str, bool]]:
    """Yield the tag that each part stands behind, the part, and whether a tag closes it.

    What stands behind none is what was extracted, as behind ``uie``.
    """
    behind, start = "uie", 0
    for tag in _TAG.finditer(answer):
        yield behind, answer[start : tag.start()], bool(tag[1])
        behind, start = "uie" if tag[1] else tag[2].lower(), tag.end()
    yield behind, answer[start:], False


def listed(words: str) -> list[str]:
    """Return the instructions of a list: they stand between commas, or on lines of their own."""
    told = (field.strip(" \t.;") for line in words.splitlines() for field in fields_of(line))
    return [instruction for instruction in told if instruction]


def fields_of(text: str) -> list[str]:
    """Split at commas that are in no bracket."""
    parts, depth = [""], 0
    for character in text:
        depth += (character == "(") - (character == ")")
        if character == "," and depth <= 0:
            parts.append("")
        else:
            parts[-1] += character
    return parts
