"""PDFium: what stands on the pages of a PDF, as plain data; the one file that loads it.

It is not made for threads: whatever is called, here, is called under one lock, and closed under it.
Scripts are not run, annotations and attachments not read, links and files outside not followed.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from deixis.base.boxes import Box
from deixis.base.forks import Lock
from deixis.base.printable import one_line
from deixis.documents.frames import Frame
from deixis.documents.glyphs import Glyph, glyphs_of
from deixis.documents.limits import Limits
from deixis.documents.rasters import Raster, objects_of, rasters_of
from deixis.errors import InputError, MissingExtraError

_lock = Lock()
_LARGEST = 100_000  # points of a side: 35 metres


class Page(NamedTuple):
    """A page: its size in points, its glyphs in PDFium's order, its pictures; ``notes`` of both."""

    number: int
    width: float
    height: float
    glyphs: list[Glyph]
    rasters: list[Raster]
    notes: list[str]


class PdfFile:
    """An open PDF; close it, or use it in a ``with`` block.

    Args:
        data: the bytes of the file.
        where: how errors call it.
        limits: what is refused.

    Raises:
        InputError: it is no PDF, asks for a password, is broken, or has no page.
        MissingExtraError: pypdfium2 is not installed.
    """

    def __init__(self, data: bytes, where: str, limits: Limits) -> None:
        self._where = where
        self._limits = limits
        pdfium = _pdfium()
        with _lock:
            try:
                self._document: Any = pdfium.PdfDocument(data)
            except pdfium.PdfiumError as error:
                if error.err_code == pdfium.raw.FPDF_ERR_PASSWORD:
                    said = "asks for a password; give a copy without one"
                elif error.err_code == pdfium.raw.FPDF_ERR_SECURITY:
                    said = (
                        "is encrypted in a way that PDFium does not know; give a copy that is not"
                    )
                else:
                    said = (
                        f"no PDF, or broken ({one_line(error, 100).rstrip('.')}); give a whole one"
                    )
                raise InputError(f"{where}: {said}") from None
            self.pages: int = len(self._document)
        if self.pages < 1:
            self.close()
            raise InputError(f"{where}: a PDF without a page; give a whole one")

    def __enter__(self) -> "PdfFile":  # noqa: D105
        return self

    def __exit__(self, *_: object) -> None:  # noqa: D105
        self.close()

    def close(self) -> None:
        """Let go of the file."""
        with _lock:
            self._document.close()

    def page(self, number: int) -> Page:
        """Read a page, from 1.

        Raises:
            InputError: PDFium cannot open it.
        """
        with self._opened(number) as (page, frame):
            notes: list[str] = []
            glyphs = glyphs_of(_pdfium(), page, frame, self._limits.glyphs, notes)
            rasters = rasters_of(_pdfium(), page, frame, self._limits.objects, notes)
            return Page(number, frame.width, frame.height, glyphs, rasters, notes)

    def drawn(self, number: int, scale: float, box: Box | None = None) -> NDArray[np.uint8]:
        """Draw a page, or a part of it: RGB, shape ``(H, W, 3)``.

        Args:
            number: of the page, from 1.
            scale: pixels for a point; less where that is more than the limit of pixels.
            box: in points of the upright page; None is all of it.

        Raises:
            InputError: PDFium cannot open it.
        """
        raw = _pdfium().raw
        with self._opened(number) as (page, frame):
            x1, y1, x2, y2 = box or (0.0, 0.0, frame.width, frame.height)
            most = self._limits.pixels
            scale = min(scale, (most / max(x2 - x1, 1e-3) / max(y2 - y1, 1e-3)) ** 0.5)
            # What is drawn is cut out of the whole page, which is as large as a C int allows.
            scale = min(scale, 2**30 / max(frame.width, frame.height))
            wide = max(1, min(round((x2 - x1) * scale), most))
            high = max(1, min(round((y2 - y1) * scale), most // wide))
            bitmap = _pdfium().PdfBitmap.new_native(
                wide, high, raw.FPDFBitmap_BGR, rev_byteorder=True
            )
            try:
                bitmap.fill_rect((255, 255, 255, 255), 0, 0, wide, high)
                whole = max(1, round(frame.width * scale)), max(1, round(frame.height * scale))
                left, top = -round(x1 * scale), -round(y1 * scale)
                flags = raw.FPDF_REVERSE_BYTE_ORDER
                raw.FPDF_RenderPageBitmap(bitmap, page, left, top, *whole, 0, flags)
                return np.array(bitmap.to_numpy()[..., :3])
            finally:
                bitmap.close()

    def jpeg(self, number: int, raster: Raster) -> bytes | None:
        """Return the JPEG that a picture of a page is stored as; None if it is no such."""
        if not raster.jpeg:
            return None
        with self._opened(number) as (page, _):
            data = bytes(objects_of(_pdfium(), page)[raster.number].get_data(decode_simple=True))
        return data if data.startswith(b"\xff\xd8") else None

    def pixels(self, number: int, raster: Raster) -> NDArray[np.uint8] | None:
        """Return the pixels that a picture is stored as: RGB, shape ``(H, W, 3)``, or None."""
        pdfium = _pdfium()
        if raster.size[0] * raster.size[1] > self._limits.pixels:
            return None
        with self._opened(number) as (page, _):
            try:
                bitmap = objects_of(_pdfium(), page)[raster.number].get_bitmap()
            except pdfium.PdfiumError:
                return None
            bitmap.warn_on_close = False  # what is returned is a copy
            try:
                return np.array(bitmap.to_pil().convert("RGB"))
            finally:
                bitmap.close()

    @contextmanager
    def _opened(self, number: int) -> Iterator[tuple[Any, Frame]]:
        pdfium = _pdfium()
        with _lock, ExitStack() as opened:
            try:
                page = self._document[number - 1]
                opened.callback(page.close)
                size, box, turn = page.get_size(), page.get_bbox(), page.get_rotation() // 90
            except pdfium.PdfiumError as error:
                said = one_line(error, 100)
                raise InputError(f"{self._where}: page {number} is broken ({said})") from None
            if not all(np.isfinite((*size, *box))) or min(size) <= 0 or max(size) > _LARGEST:
                sides = " x ".join(f"{side:,.0f}" for side in size)
                raise InputError(f"{self._where}: page {number} is no page: {sides} points")
            yield page, Frame(size[0], size[1], box, turn)


def _pdfium() -> Any:
    try:
        import pypdfium2
    except ImportError as error:
        raise MissingExtraError("pypdfium2", "pdf") from error
    return pypdfium2
