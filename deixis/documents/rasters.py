"""The pictures of a page: where they were laid, and how many pixels they have."""

import ctypes
from typing import Any, NamedTuple

import numpy as np

from deixis.base.boxes import Box
from deixis.documents.frames import Frame, Matrix, bounds, joined, shared

_DEEPEST = 8  # forms in forms


class Raster(NamedTuple):
    """A picture on a page: its number there, its place, how it was laid there, and its pixels.

    ``box`` is what can be seen of it: on the page, and inside what it is clipped to. ``matrix``
    takes its unit square to points of the upright page; ``size`` is ``(width, height)`` in pixels.
    """

    number: int
    box: Box
    matrix: Matrix
    size: tuple[int, int]
    jpeg: bool


def rasters_of(pdfium: Any, page: Any, frame: Frame, most: int, notes: list[str]) -> list[Raster]:
    """Return the pictures of a page that can be seen on it, in the order in which they are drawn.

    Args:
        pdfium: the package pypdfium2.
        page: opened by it.
        frame: how the page lies.
        most: objects that are looked at.
        notes: takes what is left out.
    """
    objects = objects_of(pdfium, page, most)
    if len(objects) == most:
        notes.append(f"of its objects, the first {most:,} are looked at")
    made = []
    for number, each in enumerate(objects):
        if each.type == pdfium.raw.FPDF_PAGEOBJ_IMAGE:
            raster = _raster(pdfium, each, number, frame)
            made += [] if raster is None else [raster]
    return made


def _raster(pdfium: Any, thing: Any, number: int, frame: Frame) -> Raster | None:
    """Return a picture; None if nothing of it can be seen."""
    matrix = joined(_matrix(pdfium, thing), _around(pdfium, thing), frame.matrix)
    box = bounds(matrix, (0.0, 0.0, 1.0, 1.0))
    seen = shared(box, (0.0, 0.0, frame.width, frame.height))
    inner = thing
    while inner is not None and seen is not None:
        clip = _clip(pdfium.raw, inner)
        if clip is not None:
            space = joined(_around(pdfium, inner), frame.matrix)
            seen = shared(seen, bounds(space, clip))
        inner = inner.container
    if seen is None:
        return None
    wide, high = ctypes.c_uint(), ctypes.c_uint()
    pdfium.raw.FPDFImageObj_GetImagePixelSize(thing, wide, high)
    filters = thing.get_filters()
    jpeg = bool(filters) and filters[-1] == "DCTDecode"
    return Raster(number, seen, matrix, (wide.value, high.value), jpeg)


def objects_of(pdfium: Any, page: Any, most: int | None = None) -> list[Any]:
    """Return the objects of a page, those of its forms among them; what is broken ends the list."""
    found: list[Any] = []
    try:
        for each in page.get_objects(max_depth=_DEEPEST):
            found.append(each)
            if len(found) == most:
                break
    except pdfium.PdfiumError:
        pass
    return found


def _matrix(pdfium: Any, thing: Any) -> Matrix:
    try:
        made = thing.get_matrix().get()
    except pdfium.PdfiumError:
        return (0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
    return made if all(map(np.isfinite, made)) else (0.0, 0.0, 0.0, 0.0, 0.0, 0.0)


def _around(pdfium: Any, thing: Any) -> Matrix:
    """Return what takes the space that an object lies in, that of a form perhaps, to the page."""
    made = (1.0, 0.0, 0.0, 1.0, 0.0, 0.0)
    while (thing := thing.container) is not None:
        made = joined(made, _matrix(pdfium, thing))
    return made


def _clip(raw: Any, thing: Any) -> Box | None:
    """Return the box around what an object is clipped to; None where it is not."""
    path = raw.FPDFPageObj_GetClipPath(thing)
    if not path:
        return None
    clip: Box | None = None
    x, y = ctypes.c_float(), ctypes.c_float()
    for i in range(min(max(0, raw.FPDFClipPath_CountPaths(path)), 100)):
        points = []
        for j in range(min(max(0, raw.FPDFClipPath_CountPathSegments(path, i)), 1000)):
            part = raw.FPDFClipPath_GetPathSegment(path, i, j)
            if part and raw.FPDFPathSegment_GetPoint(part, x, y):
                points.append((x.value, y.value))
        if points:
            xs, ys = zip(*points, strict=True)
            box = min(xs), min(ys), max(xs), max(ys)
            clip = box if clip is None else shared(clip, box) or (0.0, 0.0, 0.0, 0.0)
    return clip
