"""Pages whose text PDFium cannot give: which they are, and what a reader finds on them."""

import unicodedata
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from deixis.base.boxes import Box
from deixis.documents.cleaning import cleaned
from deixis.documents.figures import Figure
from deixis.documents.glyphs import Glyph
from deixis.documents.lines import Cell, Line
from deixis.documents.pdfium import Page
from deixis.documents.photographs import photographs
from deixis.documents.process import PdfProcess
from deixis.errors import ToolError
from deixis.tools import registry
from deixis.tools.base import Picture, Reader, Word

_DPI = 150.0
_SIDE = 1280  # pixels, to which readers reduce larger pictures
_OVERLAP = 96  # pixels that two strips share, more than a line is high
_FEW = 25  # glyphs: a page number and a stamp
_UNKNOWN = 0.2  # share of glyphs that no text has
_LETTERS = 0.4  # share of letters and digits, the least that a text has
_LEADERS = frozenset(".-_\u00b7\u2013\u2014\u2026")  # lines and dots that lead to a number
_VOWELS = 0.2  # share among letters of Latin script, of which all languages have more
_ENOUGH = 150  # letters, to count vowels
_BLANK = 2.0  # standard deviation of a page without writing
_NARROW, _BROAD = frozenset("iljtfrI.,:;'|!()[] "), frozenset("mwMW@%\u2014")


class LateReader:
    """A reader that is loaded when the first page has to be read.

    Args:
        spec: the tool, as the role ``reader`` of a stack names it.

    Raises:
        SettingsError: there is no such tool.
    """

    def __init__(self, spec: str) -> None:
        registry.find(spec, "reader")
        self._spec = spec
        self.name = spec

    def read(self, picture: Picture) -> list[Word]:
        """Return the lines of writing, as the reader does."""
        reader: Reader = registry.load(self._spec, "reader")
        return reader.read(picture)


def is_legible(glyphs: Sequence[Glyph]) -> bool:
    """Say whether the glyphs of a page say what they show.

    They do not where a fifth or more are controls, private or unassigned characters, or of fonts
    that do not say which character a glyph is; where less than two fifths, dots and dashes aside,
    are letters and digits; or where less than a fifth of many Latin letters are vowels, as where
    codes are shifted.
    """
    said = [glyph for glyph in glyphs if glyph.text.strip()]
    if not said:
        return True
    odd = sum(not glyph.known or _is_odd(glyph.text) for glyph in said)
    plain = [glyph for glyph in said if glyph.text not in _LEADERS]
    words = sum(
        glyph.text.isalnum() or unicodedata.category(glyph.text)[0] == "M" for glyph in plain
    )
    latin = [base for glyph in said if (base := _latin(glyph.text))]
    vowels = sum(letter in "aeiouy" for letter in latin)
    mute = len(latin) >= _ENOUGH and vowels < _VOWELS * len(latin)
    return odd < _UNKNOWN * len(said) and words >= _LETTERS * len(plain) and not mute


def _is_odd(text: str) -> bool:
    return text != "\uf0b7" and unicodedata.category(text[0]) in ("Cc", "Co", "Cn")


def _latin(text: str) -> str:
    base = unicodedata.normalize("NFD", text)[0].lower()
    return base if base.isalpha() and base.isascii() else ""


def needs_reader(page: Page, covered: bool) -> str | None:
    """Say why the text of a page has to be read in its picture; None if it has not.

    Args:
        page: with its glyphs.
        covered: whether one picture takes most of it.
    """
    said = [glyph for glyph in page.glyphs if glyph.text.strip()]
    if not said:
        return "it has no text"
    if not is_legible(page.glyphs):
        return "its fonts do not say which characters they show"
    if covered and len(said) < _FEW:
        return "it is a picture with next to no text"
    return None


def read(file: PdfProcess, page: Page, reader: Reader) -> list[Line]:
    """Return the lines that a reader finds on a page that is drawn.

    The page is read in strips as wide as it is, so that no reader has to reduce it.

    Raises:
        ToolError: the reader failed.
        InputError: the page cannot be drawn.
    """
    pixels = file.drawn(page.number, min(_DPI / 72, _SIDE / page.width))
    scale = pixels.shape[1] / page.width
    if pixels.std() < _BLANK:
        return []
    step = _SIDE - _OVERLAP
    lines = []
    for top in range(0, max(1, pixels.shape[0] - _OVERLAP), step):
        strip = np.ascontiguousarray(pixels[top : top + _SIDE])
        last = top + _SIDE >= pixels.shape[0]
        for word in _words(reader, strip):
            middle = (word.box[1] + word.box[3]) / 2
            first = middle < _OVERLAP / 2 and top > 0
            if first or (middle >= step + _OVERLAP / 2 and not last):
                continue  # the other strip has all of it
            lines.append(_line(page.number, word, top, scale))
    return _evened([line for line in lines if line.cells])


def cut_out(
    file: PdfProcess, whole: Figure, lines: Sequence[Line]
) -> tuple[list[Figure], list[Line]]:
    """Cut the photographs out of the scan of a page.

    Args:
        file: the PDF.
        whole: the scan.
        lines: that were found on the page.

    Returns:
        The photographs, and the lines that are in none of them.

    Raises:
        InputError: the page cannot be drawn.
    """
    scale = 1.0
    pixels = file.drawn(whole.page, scale)
    boxes = photographs(pixels, scale, [line.on_page for line in lines])
    left = [line for line in lines if not any(_inside(line.on_page, box) for box in boxes)]
    return [Figure(whole.page, box, [], whole.scale) for box in boxes], left


def _inside(one: Box, other: Box) -> bool:
    x, y = (one[0] + one[2]) / 2, (one[1] + one[3]) / 2
    return other[0] <= x <= other[2] and other[1] <= y <= other[3]


def _evened(lines: list[Line]) -> list[Line]:
    """Give lines the size of most where theirs is near: letters without tails look smaller."""
    if not lines:
        return []
    sizes = sorted(line.size for line in lines for _ in line.cells)
    common = sizes[len(sizes) // 2]
    near = {line.size for line in lines if 0.75 * common < line.size < 1.3 * common}
    return [line._replace(size=common) if line.size in near else line for line in lines]


def _words(reader: Reader, strip: NDArray[np.uint8]) -> list[Word]:
    try:
        return reader.read(strip)
    except ToolError as error:
        raise ToolError(f"{reader.name} could not read it: {error}") from error


def _line(page: int, word: Word, top: int, scale: float) -> Line:
    """Return a line whose characters are as wide as such are in most fonts."""
    x1, y1, x2, y2 = word.box
    box = x1 / scale, (y1 + top) / scale, x2 / scale, (y2 + top) / scale
    widths = [0.5 if c in _NARROW else 1.5 if c in _BROAD else 1.0 for c in word.text]
    edges = box[0] + np.cumsum([0.0, *widths]) * (box[2] - box[0]) / sum(widths)
    placed = zip(word.text, edges[:-1].tolist(), edges[1:].tolist(), strict=True)
    cells = [Cell(*cell) for cell in cleaned(placed)]
    return Line(page, 0, box, (box[3] - box[1]) * 0.75, "", cells)
