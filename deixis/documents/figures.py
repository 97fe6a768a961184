"""The pictures of a page: which are worth looking at, and as which file they are handed on."""

import hashlib
import io
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from deixis.base.boxes import Box
from deixis.base.document_records import PageBox
from deixis.base.images import open_image
from deixis.documents.frames import around
from deixis.documents.limits import Limits
from deixis.documents.pdfium import Page
from deixis.documents.places import rounded
from deixis.documents.process import PdfProcess
from deixis.documents.rasters import Raster
from deixis.errors import InputError

_SHORTEST, _FEWEST = 36.0, 48
"""The shorter side of a picture, in points (half an inch) and in pixels: what is smaller is an
ornament, an icon or a logo."""
_SLENDER = 8.0
"""A side of so many times the other is a rule or a banner."""
COVERS = 0.8
"""A picture that takes as large a share of a page lies behind all of it."""
_TOUCH = 0.6  # points between strips of one picture
_SAMPLE = 48  # pixels of a side, at which a file is compared with what the page shows
_DIFFERS = 14.0  # of 255, on average
_BLANK = 1.0  # standard deviation of what shows something
_FINEST = 8.0  # pixels for a point: 576 dpi


class Figure(NamedTuple):
    """A picture on a page: its place in points of the upright page, and what it is made of."""

    page: int
    box: Box
    rasters: list[Raster]
    scale: float

    @property
    def area(self) -> float:
        """Its area in square points."""
        return (self.box[2] - self.box[0]) * (self.box[3] - self.box[1])


class Picture(NamedTuple):
    """A picture as a file (JPEG or PNG), its sha256, and where on which page it stands."""

    data: bytes
    sha256: str
    suffix: str
    place: PageBox


def figures_of(page: Page) -> tuple[list[Figure], int]:
    """Return the pictures of a page, strips of one put together, and how many ornaments it has."""
    groups: list[tuple[Box, list[Raster]]] = []
    for raster in page.rasters:
        box, rasters = raster.box, [raster]
        while True:
            near = [i for i, (other, _) in enumerate(groups) if _are_strips(box, other)]
            if not near:
                break
            for i in reversed(near):
                other, more = groups.pop(i)
                box, rasters = around(box, other), [*more, *rasters]
        groups.append((box, rasters))
    found = [
        Figure(page.number, box, rasters, max(map(_scale, rasters))) for box, rasters in groups
    ]
    kept = [figure for figure in found if _is_worth_it(figure)]
    return kept, len(found) - len(kept)


def _are_strips(one: Box, other: Box) -> bool:
    """Say whether two boxes touch along a whole side, or lie one on the other."""
    for low, high in ((0, 2), (1, 3)):
        a, b = 1 - low, 3 - low
        alike = abs(one[low] - other[low]) < _TOUCH and abs(one[high] - other[high]) < _TOUCH
        apart = max(one[a] - other[b], other[a] - one[b])
        if alike and apart < _TOUCH:
            return True
    return False


def _scale(raster: Raster) -> float:
    """Return how many pixels of a picture are in a point."""
    a, b, c, d, _, _ = raster.matrix
    sides = max(np.hypot(a, b), 1e-6), max(np.hypot(c, d), 1e-6)
    return float(max(raster.size[0] / sides[0], raster.size[1] / sides[1]))


def _is_worth_it(figure: Figure) -> bool:
    wide, high = figure.box[2] - figure.box[0], figure.box[3] - figure.box[1]
    short, long_ = sorted((wide, high))
    pixels = short * figure.scale
    return short >= _SHORTEST and pixels >= _FEWEST and long_ <= _SLENDER * short


def too_large(file: PdfProcess, page: Page, limits: Limits) -> str | None:
    """Say why a page is not drawn: unpacked, its pictures would fill the memory; None if it is."""
    total = 0
    for raster in page.rasters:
        wide, high = raster.size
        if raster.jpeg and (data := file.jpeg(page.number, raster)):
            wide, high = (max(pair) for pair in zip((wide, high), _header(data), strict=True))
        if wide * high > limits.pixels:
            return f"a picture of {wide:,} x {high:,} pixels, over {limits.pixels:,}"
        total += wide * high
    if total > 4 * limits.pixels:
        return f"pictures of {total:,} pixels in all, over {4 * limits.pixels:,}"
    return None


def _header(data: bytes) -> tuple[int, int]:
    try:
        with Image.open(io.BytesIO(data), formats=["JPEG", "MPO"]) as image:
            return image.size
    except Exception:  # what PDFium makes of it is drawn
        return 0, 0


def picture_of(file: PdfProcess, figure: Figure, limits: Limits) -> Picture | None:
    """Return a picture as a file; None of one that shows nothing: blank, or broken.

    That is the JPEG that the PDF holds, byte for byte, where that alone shows what the page shows:
    not turned or mirrored, cut, masked or in other colours. Else its pixels as they are stored, if
    those do, or that part of the page, drawn as finely as the picture is.

    Raises:
        InputError: the page cannot be drawn.
    """
    place = PageBox(page=figure.page, box=rounded(figure.box))
    longer = max(figure.box[2] - figure.box[0], figure.box[3] - figure.box[1])
    shown = file.drawn(figure.page, _SAMPLE / longer, figure.box)
    if shown.std() < _BLANK:
        return None
    if len(figure.rasters) == 1 and _is_upright(raster := figure.rasters[0]):
        jpeg = file.jpeg(figure.page, raster)
        if jpeg is not None and _shows(_opened(jpeg, limits), shown):
            return Picture(jpeg, hashlib.sha256(jpeg).hexdigest(), ".jpg", place)
        pixels = file.pixels(figure.page, raster)
        if pixels is not None and _shows(pixels, shown):
            return _as_png(pixels, place)
    return _as_png(file.drawn(figure.page, min(figure.scale, _FINEST), figure.box), place)


def _is_upright(raster: Raster) -> bool:
    """Say whether a picture is neither turned nor mirrored nor cut; its first row is at y = 1."""
    a, b, c, d, e, f = raster.matrix
    whole = (e, f + d, e + a, f)
    cut = any(
        abs(one - other) > 0.02 * abs(a - d) for one, other in zip(whole, raster.box, strict=True)
    )
    return a > 0 > d and abs(b) + abs(c) < 0.01 * (a - d) and not cut


def _opened(jpeg: bytes, limits: Limits) -> NDArray[np.uint8] | None:
    try:
        return open_image(jpeg, max_pixels=limits.pixels, max_bytes=len(jpeg)).pixels
    except InputError:
        return None


def _shows(pixels: NDArray[np.uint8] | None, shown: NDArray[np.uint8]) -> bool:
    """Say whether pixels, brought to the size of a drawing, are the same to the eye."""
    if pixels is None:
        return False
    size = shown.shape[1], shown.shape[0]
    small = np.asarray(Image.fromarray(pixels).resize(size, Image.Resampling.BOX), dtype=np.float64)
    return float(np.abs(small - shown).mean()) < _DIFFERS


def _as_png(pixels: NDArray[np.uint8], place: PageBox) -> Picture:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    data = file.getvalue()
    return Picture(data, hashlib.sha256(data).hexdigest(), ".png", place)
