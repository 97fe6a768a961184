"""Paragraphs as text: lines joined, halves of words too, and each character's place kept."""

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

from deixis.documents.cleaning import Vocabulary
from deixis.documents.lines import Line
from deixis.documents.places import UNIT, TextLine, rounded

_SENTENCE = re.compile(r"[.!?\u2026\u3002][\"\u201d\u2019)\u00bb]*\s+")


class Passage(NamedTuple):
    """Text, and the lines that its characters stand on; what joins lines stands on none."""

    text: str
    lines: list[TextLine]

    def part(self, start: int, end: int) -> "Passage":
        """Return a part, without white space around it."""
        said = self.text[start:end]
        start += len(said) - len(said.lstrip())
        end = start + len(said.strip())
        moved = (line.moved(0, start, end) for line in self.lines)
        return Passage(self.text[start:end], [line for line in moved if line is not None])

    def parts(self, most: int) -> Iterator["Passage"]:
        """Cut into parts of at most so many characters: after sentences, or words, or anywhere."""
        rest = self
        while len(rest.text) > most:
            ends = [found.end() for found in _SENTENCE.finditer(rest.text, 0, most)]
            end = ends[-1] if ends else rest.text.rfind(" ", 1, most) + 1 or most
            yield rest.part(0, end)
            rest = rest.part(end, len(rest.text))
        if rest.text:
            yield rest

    @property
    def pages(self) -> list[int]:
        """The pages that it stands on, in order."""
        return sorted({line.page for line in self.lines})


def passage_of(lines: Sequence[Line], words: Vocabulary) -> Passage:
    """Return lines as one text.

    Args:
        lines: of one paragraph, in reading order.
        words: of the document.
    """
    text = ""
    placed: list[TextLine] = []
    for i, line in enumerate(lines):
        said = line.text
        between = ""
        if i + 1 < len(lines):
            dropped, between = words.join(said, lines[i + 1].text)
        else:
            dropped = said.endswith(("\u00ad", "\ufffe"))
        kept = line.cells[: len(line.cells) - dropped]
        if kept:
            placed.append(_placed(line, len(kept), len(text)))
        text += said[: len(said) - dropped] + between
    return Passage(text, placed)


def _placed(line: Line, count: int, start: int) -> TextLine:
    """Return the place of the first characters of a line: each ends where the next begins."""
    cells = line.cells[:count]
    towards_right = cells[-1].end + cells[-1].start >= cells[0].start + cells[0].end
    near = [cell.start if towards_right else cell.end for cell in cells]
    far = [cell.end if towards_right else cell.start for cell in cells]
    edges = [near[0], *((a + b) / 2 for a, b in zip(far, near[1:], strict=False)), far[-1]]
    steps = [round((edge - line.box[0]) * UNIT) for edge in edges]
    return TextLine(
        start=start,
        page=line.page,
        box=rounded(line.on_page),
        turn=line.turn,
        first=steps[0],
        steps=[b - a for a, b in pairwise(steps)],
    )


def together(passages: Iterable[Passage]) -> Passage:
    """Return passages as one text, an empty line between two."""
    text, lines = "", []
    for passage in passages:
        if text:
            text += "\n\n"
        moved = (line.moved(len(text)) for line in passage.lines)
        lines += [line for line in moved if line is not None]
        text += passage.text
    return Passage(text, lines)
