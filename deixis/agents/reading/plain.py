"""What models put around an answer, taken away: fences, markup, courtesies, marks before a name.

A strict format is read as it stands first. What does not fit is read again without all this.
"""

import json
import re
from collections.abc import Iterator
from typing import Any

_FENCE = re.compile(r"^[ \t]*(?:```|~~~)[\w+-]*[ \t]*$\n?|```", re.MULTILINE)
# What can be matched in many ways is taken once (++), for a model may repeat a sign 100,000 times.
_RULE = re.compile(r"^[ \t]*+(?:\|?[ \t]*+:?-{3,}+:?[ \t]*+)++\|?[ \t]*+$\n?", re.MULTILINE)
_HEADING = re.compile(r"^[ \t]*#{1,6}[ \t]+", re.MULTILINE)
# Not within a word, so that M*A*S*H stays; underscores stay, for they are parts of handles.
_EMPHASIS = re.compile(r"(?<![\w*])(\*{1,3}|`)(?=[^\s*`])((?:(?!\1).)+)(?<=[^\s*`])\1(?![\w*])")
_TOKEN = re.compile(r"<\|\w{1,30}\|>")
_OPENER = r"(?:sure(?: thing)?|certainly|of course|absolutely|okay|ok|great|yes)[!,.:]+"
_HERE = r"(?:here|below (?:is|are)|these are|the following)\b[^:\n|;]{0,80}:"
_LABEL = r"(?:(?:the|my) )?(?:final )?(?:answer|output|results?|response|sketch(?:es)?|a)[ \t]*:"
_BEFORE = re.compile(rf"\A\s*(?:{_OPENER}\s*)?(?:{_HERE}|{_LABEL})?\s*", re.IGNORECASE)
_AFTER = re.compile(
    r"\s*(?:let me know|i hope|hope this|please (?:let|note)|feel free|if you (?:need|have|want)"
    r"|is there any|(?:note|explanation|reasoning)(?: that\b|\s?:))",
    re.IGNORECASE,
)
_MARKS = re.compile(r"^\s*(?:[-*•·–—+>#]+\s+|\(?\d{1,3}[.):]\)?\s+|\(?[a-z]\)\s+)+")  # noqa: RUF001
_QUOTES = {'"': '"', "'": "'", "“": "”", "‘": "’", "«": "»", "„": "“", "[": "]", "<": ">"}  # noqa: RUF001
_ASIDE = re.compile(r"(?<!\s)\s*+\([^()]*+\)$")


def plain(answer: str) -> str:
    """Return an answer without fences, special tokens, markup, rules of tables and courtesies."""
    answer = re.sub(r"[^\S\n]+", " ", answer.replace("\r\n", "\n")).strip()
    answer = re.sub(r"(?: ?\n){3,}", "\n\n", answer)
    answer = _HEADING.sub("", _RULE.sub("", _FENCE.sub("", _TOKEN.sub("", answer))))
    answer = _EMPHASIS.sub(r"\2", answer)
    answer = _BEFORE.sub("", answer, count=1)
    lines = answer.rstrip().split("\n")
    while len(lines) > 1 and (_AFTER.match(lines[-1]) or not lines[-1].strip()):
        lines.pop()
    return "\n".join(lines).strip()


def unmarked(words: str) -> str:
    """Return words without a bullet or a number before them and quotes or markup around them."""
    words = _EMPHASIS.sub(r"\2", _MARKS.sub("", words)).strip(" \t\r\n*`,;")
    while len(words) > 2 and _QUOTES.get(words[0]) == words[-1]:
        words = words[1:-1].strip()
    return words


def readings(name: str) -> Iterator[str]:
    """Yield what a name may be as a model wrote it, as it stands first.

    Then without marks around it, without an aside behind it (*Ann (PER)*), and without a label
    before it (*Entity: Ann*).
    """
    yield name
    bare = unmarked(name)
    yield bare
    yield unmarked(_ASIDE.sub("", bare))
    for mark in (":", "=", "\n"):
        if mark in bare:
            yield unmarked(bare.rpartition(mark)[2])


def json_in(answer: str) -> Any:
    """Return the JSON object or list that an answer is, fenced or not; None if it is none."""
    text = plain(answer)
    starts = [place for place in (text.find("{"), text.find("[")) if place >= 0]
    for start in sorted(starts):
        try:
            found, _ = json.JSONDecoder(parse_int=float).raw_decode(text, start)
        except (ValueError, RecursionError):
            continue
        if isinstance(found, dict) or (
            isinstance(found, list) and found and all(isinstance(each, dict) for each in found)
        ):
            return found
    return None
