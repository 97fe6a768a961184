"""Reading the answer of a model that was asked with or without the Prompt Format Adapter.

With it the answer is read by the markers of M-MRE, section 3.2 and Algorithm 1. Without it
(section 6) an answer has no markers: its parts are then told by the delimiters alone.
"""

import re
from collections.abc import Callable, Mapping
from typing import NamedTuple

from deixis.agents.mmre.tolerant import tolerated
from deixis.formats.answers import Problem
from deixis.formats.pfa import LABEL, MAP, NER, parse_answer

_OPENS = re.compile(r"\{\s*(?:\}|[\"']?\w+[\"']?\s*:)")


class Parts(NamedTuple):
    """The parts of an answer.

    Attributes:
        summary: of the picture, None when there is none.
        pairs: ``(entity text, label)`` in order; None when the answer has no such part.
        patches: letter of a patch to the text of the entity that it shows.
        matched: whether the answer has that part, and all of it was read.
        problems: what could not be read.
    """

    summary: str | None
    pairs: tuple[tuple[str, str], ...] | None
    patches: Mapping[str, str]
    matched: bool
    problems: tuple[Problem, ...]


def read_marked(answer: str) -> Parts:
    """Read an answer by its markers; no string makes it raise.

    If that leaves anything out it is read once more with what models do to markers undone, and
    the reading that leaves less out holds.
    """
    strict = _by_markers(answer)
    if not strict.problems and strict.pairs is not None:
        return strict
    return min(strict, _by_markers(tolerated(answer)), key=_left_out)


def _left_out(parts: Parts) -> tuple[int, bool, bool, bool]:
    lacks = parts.pairs is None, parts.summary is None, not parts.matched
    return len(parts.problems), *lacks


def _by_markers(answer: str) -> Parts:
    parsed = parse_answer(answer)
    mapping = MAP.search(answer)
    return Parts(
        parsed.summary or None,
        parsed.pairs if parsed.pairs or NER.search(answer) else None,
        parsed.patches,
        mapping is not None and _whole(answer[mapping.end() :], parsed.patches),
        parsed.problems,
    )


def read_plain(answer: str, is_label: Callable[[str], bool], *, names: bool) -> Parts:
    """Read an answer without markers; one that has them all the same is read by them.

    ``:label;`` with a known label begins the pairs, ``{letter:`` the patches, and the summary
    is what stands before both. No string makes it raise.

    Args:
        answer: what the model wrote.
        is_label: whether a word is one of the labels asked for.
        names: whether entities were asked for; otherwise all is summary.
    """
    marked = _by_markers(answer)
    if marked.summary or marked.pairs or marked.patches:
        return marked
    label = next((match for match in LABEL.finditer(answer) if is_label(match[1])), None)
    opens = list(_OPENS.finditer(answer))
    pairs = label.start() if label and names else len(answer)
    mapping = opens[-1].start() if opens and names else len(answer)
    first = min(pairs, mapping)
    named = parse_answer(f"NER:{answer[pairs : mapping if pairs < mapping else None]}")
    paired = answer[mapping : pairs if mapping < pairs else None]
    matched = parse_answer(f"image-entity pair:{paired}")
    return Parts(
        answer[:first].strip() or None,
        named.pairs if pairs < len(answer) else None,
        matched.patches,
        bool(paired) and _whole(paired, matched.patches),
        (*named.problems, *matched.problems),
    )


def _whole(mapping: str, patches: Mapping[str, str]) -> bool:
    """Whether `patches` is all of ``{'a': 'entity'}``; a remark behind it does not count."""
    parsed = parse_answer(f"image-entity pair:{mapping[: mapping.rfind('}') + 1]}")
    return "}" in mapping and parsed.patches == patches and not parsed.problems
