"""Lines become paragraphs: a gap, an indent, other letters begin a new one."""

import re
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from deixis.base.boxes import Box
from deixis.documents.cleaning import HYPHENS
from deixis.documents.frames import around
from deixis.documents.lines import Line

_ITEM = re.compile(r"(?:[^\w\s\"\u201c(]|\(?\w{1,3}[.)])\s")
"""How an item of a list begins, whose lines after the first are indented."""
_ENDS = '.!?:;\u2026\u3002"\u201d\u2019)\u00bb'


class Paragraph(NamedTuple):
    """Lines that belong together, in reading order; of two pages where it goes on overleaf."""

    lines: list[Line]

    @property
    def page(self) -> int:
        """The page that it begins on."""
        return self.lines[0].page

    @property
    def box(self) -> Box:
        """Its place on that page, in points."""
        return around(*(line.on_page for line in self.lines if line.page == self.page))

    @property
    def size(self) -> float:
        """The size of its letters."""
        return self.lines[0].size

    @property
    def text(self) -> str:
        """Its lines with a space between two."""
        return " ".join(line.text for line in self.lines)


def paragraphs(lines: Sequence[Line]) -> list[Paragraph]:
    """Return the paragraphs of lines that stand one below the other."""
    steps = sorted(
        b.box[1] - a.box[1]
        for a, b in pairwise(lines)
        if 0.5 * a.size < b.box[1] - a.box[1] < 2.2 * a.size
    )
    step = steps[len(steps) // 2] if steps else 0.0
    made: list[list[Line]] = []
    right = max((line.box[2] for line in lines), default=0.0)
    for i, line in enumerate(lines):
        last = lines[i - 1] if i else None
        after = lines[i + 1] if i + 1 < len(lines) else None
        if last is None or _begins(last, line, after, step, right, len(lines)):
            made.append([])
        made[-1].append(line)
    return [Paragraph(each) for each in made]


def _begins(
    last: Line, line: Line, after: Line | None, step: float, right: float, count: int
) -> bool:
    """Say whether a line begins a paragraph."""
    size = line.size
    small, large = sorted((last.size, size))
    if large > 1.12 * small or line.turn != last.turn:
        return True
    if last.font and line.font and last.font != line.font:
        return True
    down = line.box[1] - last.box[1]
    if down > max(1.25 * step, 1.15 * size) or down < 0.4 * size:
        return True
    inward = line.box[0] - last.box[0]
    indented = after is not None and line.box[0] - after.box[0] > 0.8 * size
    if inward > 0.8 * size and indented and not _ITEM.match(last.text):
        return True
    short = right - last.box[2] > 0.3 * (right - last.box[0])
    return count >= 4 and short and last.text[-1:] in _ENDS


def goes_on(one: Paragraph, other: Paragraph) -> bool:
    """Say whether a paragraph is the rest of the one before it, in the next column or overleaf.

    It is if its letters are alike, and the first ends in the middle of a sentence: the second
    begins with a small letter, or the last line of the first is a full one.
    """
    last, first = one.lines[-1], other.lines[0]
    alike = abs(last.size - first.size) <= 0.05 * last.size and last.turn == first.turn
    elsewhere = last.page != first.page or first.box[1] < last.box[1]
    if not (alike and elsewhere) or last.text[-1:] in _ENDS:
        return False
    if len(one.lines) == 1:
        return last.text[-1:] in HYPHENS and first.text[:1].islower()
    right = max(line.box[2] for line in one.lines if line.page == last.page)
    return first.text[:1].islower() or last.box[2] > right - last.size


def follows(one: Paragraph, other: Paragraph) -> bool:
    """Say whether a paragraph stands right below another of the same letters, as if it were one."""
    last, first = one.lines[-1], other.lines[0]
    alike = abs(last.size - first.size) <= 0.05 * last.size and last.font == first.font
    down, inward = first.box[1] - last.box[1], abs(first.box[0] - one.lines[0].box[0])
    level = last.page == first.page and last.turn == first.turn
    return alike and level and 0.8 * last.size < down < 1.4 * last.size and inward < last.size
