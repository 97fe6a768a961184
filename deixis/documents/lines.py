"""Glyphs become lines: what stands on one base line without a wide gap, in reading order.

All places here are ``(u1, v1, u2, v2)``: u runs along the line, v down the lines, whichever way the
line is turned on the page. For lines that are not turned that is x and y.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from deixis.base.boxes import Box
from deixis.documents.cleaning import cleaned, is_rtl
from deixis.documents.frames import around
from deixis.documents.glyphs import Glyph

_WIDE = 1.2  # sizes: a wider gap is one between columns
_CLOSE = 1.0  # sizes: pieces that are no further apart are one line
_BREAK = 0.15  # sizes: what is further apart are two words
_ALIKE = 1.6  # times: letters of one line are no larger
_LOOKED_BACK = 200


class Cell(NamedTuple):
    """A character and its place on the line; between words there is one space."""

    text: str
    start: float
    end: float


class Line(NamedTuple):
    """A line of text on a page.

    ``box`` is in the line's own directions (see above); ``turn`` counts the quarters by which it is
    turned clockwise. ``cells`` are in reading order; ``font`` is "" where several are used.
    """

    page: int
    turn: int
    box: Box
    size: float
    font: str
    cells: list[Cell]

    @property
    def text(self) -> str:
        """What the line says."""
        return "".join(cell.text for cell in self.cells)

    @property
    def on_page(self) -> Box:
        """The box in points of the upright page."""
        return turned_back(self.box, self.turn)


def turned(box: Box, turn: int) -> Box:
    """Return a box of the page in the directions of lines that are turned so."""
    x1, y1, x2, y2 = box
    return ((x1, y1, x2, y2), (y1, -x2, y2, -x1), (-x2, -y2, -x1, -y1), (-y2, x1, -y1, x2))[turn]


def turned_back(box: Box, turn: int) -> Box:
    """Return a box in the directions of lines that are turned so as a box of the page."""
    return turned(box, -turn % 4)


class _Piece(NamedTuple):
    glyphs: list[Glyph]
    box: Box
    size: float


def lines_of(page: int, glyphs: Sequence[Glyph]) -> dict[int, list[Line]]:
    """Return the lines of a page by how they are turned, most glyphs first; unordered.

    Args:
        page: its number.
        glyphs: in PDFium's order.
    """
    counted = Counter(glyph.turn for glyph in glyphs if glyph.text.strip())
    found = {}
    for turn, _ in counted.most_common():
        pieces = _pieces(glyph for glyph in glyphs if glyph.turn == turn or not glyph.text.strip())
        lines = [_line(page, turn, group) for group in _grouped(pieces)]
        found[turn] = [line for line in lines if line.cells]
    return found


def rejoined(lines: Sequence[Line]) -> list[Line]:
    """Put together what stands side by side in one column: words of a line that was spread out.

    Args:
        lines: of one column.
    """
    rows: list[list[Line]] = []
    for line in sorted(lines, key=lambda each: (each.box[1] + each.box[3], each.box[0])):
        last = rows[-1][-1] if rows else None
        if last is not None and _is_one_row(last, line):
            rows[-1].append(line)
        else:
            rows.append([line])
    return [row[0] if len(row) == 1 else _row(row) for row in rows]


def _is_one_row(one: Line, other: Line) -> bool:
    small, large = sorted((one.size, other.size))
    return _shared(one.box, other.box) >= 0.5 and large <= _ALIKE * max(small, 1e-6)


def _row(lines: list[Line]) -> Line:
    rtl = is_rtl("".join(line.text for line in lines))
    cells: list[Cell] = []
    for line in sorted(lines, key=lambda each: each.box[0], reverse=rtl):
        if cells:
            cells.append(Cell(" ", cells[-1].end, line.cells[0].start))
        cells += line.cells
    longest = max(lines, key=lambda each: len(each.cells))
    fonts = {line.font for line in lines}
    font = fonts.pop() if len(fonts) == 1 else ""
    box = around(*(line.box for line in lines))
    return longest._replace(box=box, font=font, cells=cells)


def _pieces(glyphs: Iterable[Glyph]) -> list[_Piece]:
    """Cut glyphs where the line ends, or where a gap is wide; places are turned."""
    pieces: list[_Piece] = []
    now: list[Glyph] = []
    for glyph in glyphs:
        if not glyph.text.strip():
            if glyph.text == "\n":
                _close(pieces, now)
                now = []
            elif now and now[-1].text != " ":
                now.append(glyph._replace(text=" "))
            continue
        glyph = glyph._replace(box=turned(glyph.box, glyph.turn))
        last = next((each for each in reversed(now) if each.text != " "), None)
        if last is not None and _apart(last, glyph):
            _close(pieces, now)
            now = []
        now.append(glyph)
    _close(pieces, now)
    return pieces


def _close(pieces: list[_Piece], glyphs: list[Glyph]) -> None:
    drawn = [glyph for glyph in glyphs if glyph.text != " "]
    if drawn:
        sizes = sorted(glyph.size for glyph in drawn)
        box = around(*(glyph.box for glyph in drawn))
        pieces.append(_Piece(glyphs, box, sizes[len(sizes) // 2]))


def _apart(one: Glyph, other: Glyph) -> bool:
    wide = max(other.box[0] - one.box[2], one.box[0] - other.box[2])
    return wide > _WIDE * max(one.size, other.size) or _shared(one.box, other.box) < 0.5


def _shared(one: Box, other: Box) -> float:
    """Return which share of the lower of two boxes is at the height of the other."""
    least = max(min(one[3] - one[1], other[3] - other[1]), 1e-6)
    return (min(one[3], other[3]) - max(one[1], other[1])) / least


def _grouped(pieces: list[_Piece]) -> list[list[_Piece]]:
    """Put the pieces of one line together, which may have been drawn in any order."""
    groups: list[list[_Piece]] = []
    boxes: list[Box] = []
    open_: list[int] = []
    for piece in sorted(pieces, key=lambda each: (each.box[1], each.box[0])):
        open_ = [g for g in open_ if boxes[g][3] > piece.box[1]]
        joined = None
        for g in reversed(open_[-_LOOKED_BACK:]):
            far = max(piece.box[0] - boxes[g][2], boxes[g][0] - piece.box[2])
            if far > piece.size or not any(_is_one_line(piece, each) for each in groups[g]):
                continue
            if joined is None:
                groups[g].append(piece)
                boxes[g] = around(boxes[g], piece.box)
                joined = g
            else:  # it stands between two
                groups[joined] += groups[g]
                boxes[joined] = around(boxes[joined], boxes[g])
                groups[g] = []
                open_.remove(g)
        if joined is None:
            open_.append(len(groups))
            groups.append([piece])
            boxes.append(piece.box)
    return [group for group in groups if group]


def _is_one_line(one: _Piece, other: _Piece) -> bool:
    small, large = sorted((one.size, other.size))
    gap = max(other.box[0] - one.box[2], one.box[0] - other.box[2])
    near = -large / 2 < gap < _CLOSE * small
    return near and large <= _ALIKE * max(small, 1e-6) and _shared(one.box, other.box) >= 0.5


def _line(page: int, turn: int, pieces: list[_Piece]) -> Line:
    said = "".join(glyph.text for piece in pieces for glyph in piece.glyphs)
    pieces = sorted(pieces, key=lambda piece: piece.box[0], reverse=is_rtl(said))
    glyphs: list[Glyph] = []
    for piece in pieces:
        if glyphs and glyphs[-1].text != " ":
            last, first = glyphs[-1].box, piece.glyphs[0].box
            if max(first[0] - last[2], last[0] - first[2]) > _BREAK * piece.size:
                glyphs.append(piece.glyphs[0]._replace(text=" "))
        glyphs += piece.glyphs
    fonts = {glyph.font for glyph in glyphs if glyph.text != " "}
    box = around(*(piece.box for piece in pieces))
    size = max(pieces, key=lambda piece: len(piece.glyphs)).size
    cells = [Cell(*cell) for cell in cleaned((g.text, g.box[0], g.box[2]) for g in glyphs)]
    return Line(page, turn, box, size, fonts.pop() if len(fonts) == 1 else "", cells)
