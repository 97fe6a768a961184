"""The glyphs of a page: what they say and where they stand, as PDFium gives them."""

import ctypes
from typing import Any, NamedTuple

from deixis.base.boxes import Box
from deixis.documents.frames import Frame, bounds

_INVISIBLE = 3  # the mode of text that is laid over a scan


class Glyph(NamedTuple):
    """What is drawn for a character: what it says, and its cell, in points of the upright page.

    ``text`` is " " for a space and a newline where PDFium sees a line end. ``turn`` says how often
    its line is turned clockwise by 90 degrees; ``known`` whether its font says which character it
    is; ``seen`` is false of text that is laid over a scan without being drawn.
    """

    text: str
    box: Box
    size: float
    turn: int
    font: str
    known: bool
    seen: bool


def glyphs_of(pdfium: Any, page: Any, frame: Frame, most: int, notes: list[str]) -> list[Glyph]:
    """Return the glyphs of a page; none where PDFium finds none.

    Args:
        pdfium: the package pypdfium2.
        page: opened by it.
        frame: how the page lies.
        most: glyphs that are read.
        notes: takes what is left out.
    """
    try:
        text = page.get_textpage()
    except pdfium.PdfiumError:
        notes.append("its text cannot be read")
        return []
    try:
        count = max(0, pdfium.raw.FPDFText_CountChars(text))
        if count > most:
            notes.append(f"of its {count:,} characters, the first {most:,} are read")
        reading = _Reading(pdfium.raw, text, frame)
        found = [reading.glyph(i) for i in range(min(count, most))]
        if reading.outside:
            notes.append(f"{reading.outside:,} characters outside of it are left out")
        return found
    finally:
        text.close()


class _Reading:
    """Reads the glyphs of a page, with what several share kept."""

    def __init__(self, raw: Any, text: Any, frame: Frame) -> None:
        self._raw, self._text, self._frame = raw, text, frame
        self._fonts: dict[int | None, tuple[str, bool]] = {}
        self._matrix, self._rect = raw.FS_MATRIX(), raw.FS_RECTF()
        self.outside = 0

    def glyph(self, i: int) -> Glyph:
        raw, text = self._raw, self._text
        code = raw.FPDFText_GetUnicode(text, i)
        size = float(raw.FPDFText_GetFontSize(text, i))
        nowhere = Glyph("\n", (0.0, 0.0, 0.0, 0.0), size, 0, "", True, True)
        if raw.FPDFText_IsGenerated(text, i) == 1:
            return nowhere if code in (10, 13) else nowhere._replace(text=" ")
        if not raw.FPDFText_GetLooseCharBox(text, i, self._rect):
            return nowhere._replace(text=" ")
        rect = self._rect
        box = bounds(self._frame.matrix, (rect.left, rect.bottom, rect.right, rect.top))
        across, down = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
        if not (0 <= across <= self._frame.width and 0 <= down <= self._frame.height):
            self.outside += not chr(min(code, 0x10FFFF)).isspace()  # nobody sees it
            return nowhere._replace(text=" ")
        box = self._frame.clipped(box)
        raw.FPDFText_GetMatrix(text, i, self._matrix)
        turn = self._frame.turn_of(self._matrix.a, self._matrix.b)
        scale = abs(self._matrix.a * self._matrix.d - self._matrix.b * self._matrix.c) ** 0.5
        hyphen = raw.FPDFText_IsHyphen(text, i) == 1
        known = raw.FPDFText_HasUnicodeMapError(text, i) != 1
        said = "-" if hyphen else chr(code) if 0 < code < 0x110000 else "\0"
        font, seen = self._font(i)
        size = abs(size * (scale or 1.0))
        size = size if 0 < size < self._frame.height else box[3] - box[1]
        return Glyph(said, box, size, turn, font, known, seen)

    def _font(self, i: int) -> tuple[str, bool]:
        thing = self._raw.FPDFText_GetTextObject(self._text, i)
        key = ctypes.cast(thing, ctypes.c_void_p).value if thing else None
        if key not in self._fonts:
            name = ctypes.create_string_buffer(128)
            length = self._raw.FPDFText_GetFontInfo(self._text, i, name, 128, None)
            seen = not thing or self._raw.FPDFTextObj_GetTextRenderMode(thing) != _INVISIBLE
            self._fonts[key] = (repr(name.value) if 0 < length <= 128 else "", seen)
        return self._fonts[key]
