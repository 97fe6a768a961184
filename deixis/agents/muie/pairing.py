"""Which of the phrases that an answer marks each instruction of its modules is about."""

import re
from collections.abc import Collection, Sequence
from typing import NamedTuple

from deixis.base.folding import key
from deixis.formats.muie_calls import Call, Medium, listed

_VERB = re.compile(
    r"^(?:please\s+)?(?:segment|track|find|locate|ground|detect|mark|outline)\b\s*:?\s*",
    re.IGNORECASE,
)


class Looking(NamedTuple):
    """Where a phrase is to be looked for, and by which words."""

    medium: Medium
    phrase: str


class Pairing(NamedTuple):
    """What each phrase is looked for as, and what could not be paired, in words.

    ``sought`` has the phrases, folded; those that nothing is to look for have no entry.
    """

    sought: dict[str, list[Looking]]
    problems: list[str]


def pair(phrases: Sequence[str], calls: Sequence[Call], given: Collection[Medium]) -> Pairing:
    """Give each instruction to one of the phrases.

    All instructions to one medium count, of whichever call. If there are as many as phrases, the
    n-th is about the n-th. Else a phrase is looked for as it stands, if an instruction has its
    words; what is left over is told.

    Args:
        phrases: those that the answer marks, in its order; one may stand there several times.
        calls: the answer's.
        given: the media of the sample.
    """
    told: dict[Medium, list[str]] = {}
    problems: list[str] = []
    for call in calls:
        if call.medium in given and call.medium is not None:
            told.setdefault(call.medium, []).extend(call.instructions)
        elif call.medium is not None:
            problems.append(f"{call.module[:40]!r} was called, and there is no {call.medium}")
        elif key(call.module) not in ("", "none"):
            problems.append(f"{call.module[:40]!r} was called, which is no module")
    sought: dict[str, list[Looking]] = {}
    for medium, instructions in told.items():
        found, left = _paired(phrases, instructions)
        for phrase, words in found.items():
            sought.setdefault(phrase, []).append(Looking(medium, words))
        for instruction in left:
            words = instruction[:80]
            problems.append(
                f"the instruction {words!r} ({medium}) is about no phrase that is marked"
            )
    return Pairing(sought, problems)


def _paired(
    phrases: Sequence[str], instructions: Sequence[str]
) -> tuple[dict[str, str], list[str]]:
    """Return the folded phrases with what they are looked for as, and instructions left over."""
    different = {key(phrase): phrase for phrase in reversed(phrases)}
    once = list(dict.fromkeys(map(key, phrases)))
    each = [_bare(instruction) for instruction in instructions]
    # One instruction may be a list, also where its tag is closed.
    for told in (each, [part for words in each for part in listed(words)]):
        for folded in (once, [key(phrase) for phrase in phrases]):
            if folded and len(folded) == len(told):
                return dict(zip(reversed(folded), reversed(told), strict=True)), []
    found: dict[str, str] = {}
    left = []
    for words in each:
        inside = _words(words)
        about = [folded for folded in once if _words(folded) and _words(folded) <= inside]
        found |= {folded: different[folded] for folded in about}
        left += [] if about else [words]
    return found, left


def _words(text: str) -> set[str]:
    return {*re.findall(r"\w+", key(text))}


def _bare(instruction: str) -> str:
    """Return what is to be found, of "Segment: the woman on the left"."""
    return _VERB.sub("", instruction).strip() or instruction
