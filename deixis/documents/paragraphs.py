"""Lines become paragraphs: a gap, an indent, other letters begin a new one."""

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from deixis.base.boxes import Box
from deixis.documents.cleaning import HYPHENS
from deixis.documents.columns import Item
from deixis.documents.frames import around
from deixis.documents.lines import Line

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


def paragraphs(column: Sequence[Item[Line]]) -> list[Paragraph]:
    """Return the paragraphs of lines that stand one below the other."""
    lines = [item.thing for item in column]
    steps = sorted(
        b.box[1] - a.box[1]
        for a, b in pairwise(lines)
        if 0.5 * a.size < b.box[1] - a.box[1] < 3 * a.size
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
    if after is not None and inward > 0.8 * size and line.box[0] - after.box[0] > 0.8 * size:
        return True
    short = right - last.box[2] > 0.3 * (right - last.box[0])
    return count >= 4 and short and last.text[-1:] in _ENDS


def goes_on(one: Paragraph, other: Paragraph) -> bool:
    """Say whether a paragraph is the rest of the one before it, in the next column or overleaf."""
    last, first = one.lines[-1], other.lines[0]
    alike = abs(last.size - first.size) <= 0.05 * last.size and last.turn == first.turn
    elsewhere = last.page != first.page or first.box[1] < last.box[1]
    return (
        alike
        and elsewhere
        and (len(one.lines) > 1 or last.text[-1:] in HYPHENS)
        and last.text[-1:] not in _ENDS
        and first.text[:1].islower()
    )
