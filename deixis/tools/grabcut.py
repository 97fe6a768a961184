"""GrabCut: cuts an object out of its box by colour, without weights.

Rother, Kolmogorov, Blake, "GrabCut: interactive foreground extraction using iterated graph
cuts" (SIGGRAPH 2004), as in OpenCV. Outside the box is background; inside, it starts from an
ellipse taken for the object and the corners for background, so that a box as large as the
picture has both too. A box that ends at the picture's lower edge holds an object that goes on
below it, as the body in a portrait does: there the ellipse reaches beyond the edge, else the
shoulders would be taken for background.

Where next to nothing is left, a second try takes the middle of the ellipse for the object, come
what may: of 90 boxes of a detector on photographs, many of them on nothing much, 17 were left empty
before, and none is now. (Done from the beginning, it makes other outlines no better.)
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deixis.base.boxes import Box
from deixis.base.printable import one_line
from deixis.base.records import Mask
from deixis.errors import MissingExtraError, ToolError
from deixis.tools.base import Picture

LONG_SIDE = 400
"""The longer side, in pixels, of the crop that is worked on."""

_MARGIN = 0.25  # box sides of surroundings that are looked at, on each side
_CUT_OFF = 0.5  # how far below the picture's edge an object goes on, in heights of its box
_ROUNDS = 5
_SMALLEST = 8  # pixels; a box with a shorter side has too few colours to tell apart
_USEFUL = 0.02  # masks that fill a smaller share of their box are nothing
_FEW = 0.05  # those that fill a smaller share are tried again
_CORE = 0.5  # of the ellipse's axes: what is surely the object then
_PIECE = 0.15  # pieces smaller than this share of the largest are specks


class GrabCut:
    """A segmenter that needs no model: good where object and surroundings differ in colour."""

    name = "grabcut"

    def segment(self, picture: Picture, boxes: Sequence[Box]) -> list[Mask | None]:
        """Cut the object out of each box; the same input gives the same masks.

        Args:
            picture: RGB, shape ``(H, W, 3)``, uint8.
            boxes: ``(x1, y1, x2, y2)`` in pixels of `picture`.

        Returns:
            One mask per box: only pixels wholly inside the box, without holes or specks. None where
            less than 2% of the box was kept or the box is under 8 pixels broad or high.

        Raises:
            ToolError: OpenCV fails.
            MissingExtraError: ``opencv-python-headless`` is not installed.
        """
        try:
            import cv2
        except ImportError as error:
            raise MissingExtraError("opencv-python-headless", "starter") from error
        try:
            return [_cut(cv2, picture, box) for box in boxes]
        except (cv2.error, MemoryError) as error:
            raise ToolError(f"grabcut failed: {one_line(error)}") from error


def _cut(cv2: Any, picture: Picture, box: Box) -> Mask | None:
    height, width = picture.shape[:2]
    x1, y1 = max(0, math.ceil(box[0])), max(0, math.ceil(box[1]))
    x2, y2 = min(width, math.floor(box[2])), min(height, math.floor(box[3]))
    if min(x2 - x1, y2 - y1) < _SMALLEST:
        return None
    across, down = round((x2 - x1) * _MARGIN), round((y2 - y1) * _MARGIN)
    left, top = max(0, x1 - across), max(0, y1 - down)
    crop = picture[top : min(height, y2 + down), left : min(width, x2 + across)]

    factor = min(1.0, LONG_SIDE / max(crop.shape[:2]))
    size = tuple(max(_SMALLEST, round(side * factor)) for side in crop.shape[1::-1])
    small = cv2.resize(crop[:, :, ::-1], size, interpolation=cv2.INTER_AREA)
    scale = np.array([size[0] / crop.shape[1], size[1] / crop.shape[0]] * 2)
    inner = (np.array([x1 - left, y1 - top, x2 - left, y2 - top]) * scale).round().astype(int)
    object_ = _object(cv2, small, inner, cut_off=y2 == height)

    large = cv2.resize(object_, crop.shape[1::-1], interpolation=cv2.INTER_LINEAR) >= 128
    mask = np.zeros((height, width), dtype=np.bool_)
    mask[y1:y2, x1:x2] = large[y1 - top : y2 - top, x1 - left : x2 - left]
    if mask.sum() < _USEFUL * (x2 - x1) * (y2 - y1):
        return None
    return Mask.from_array(mask)


def _object(
    cv2: Any, small: NDArray[np.uint8], inner: NDArray[np.int_], cut_off: bool
) -> NDArray[np.uint8]:
    """Return where the object is, as 255 of 255; a second try that adds nothing does not count."""
    x1, y1, x2, y2 = inner
    tries = []
    for core in (0.0, _CORE):
        labels = _first_guess(cv2, small.shape[:2], inner, cut_off, core)
        given = (labels == cv2.GC_FGD).sum()
        cv2.setRNGSeed(0)  # its k-means draws; the generator belongs to this thread
        cv2.grabCut(
            *(small, labels, None, np.zeros((1, 65)), np.zeros((1, 65))),
            *(_ROUNDS, cv2.GC_INIT_WITH_MASK),
        )
        found = (labels == cv2.GC_FGD) | (labels == cv2.GC_PR_FGD)
        tries.append(found)
        if found.sum() - given > _FEW * (x2 - x1) * (y2 - y1):
            return _pieces(cv2, found)
    return _pieces(cv2, tries[0])


def _first_guess(
    cv2: Any, shape: tuple[int, int], inner: NDArray[np.int_], cut_off: bool, core: float
) -> NDArray[np.uint8]:
    """Label pixels: background outside `inner`, probably the object in its ellipse.

    What is surely the object is an ellipse as well, with `core` of the axes.
    """
    labels = np.full(shape, cv2.GC_BGD, dtype=np.uint8)
    x1, y1, x2, y2 = inner
    labels[y1:y2, x1:x2] = cv2.GC_PR_BGD
    end = y2 + _CUT_OFF * (y2 - y1) if cut_off else y2
    rows, columns = np.mgrid[y1:y2, x1:x2]
    x = (columns + 0.5 - (x1 + x2) / 2) / ((x2 - x1) / 2)
    y = (rows + 0.5 - (y1 + end) / 2) / ((end - y1) / 2)
    labels[y1:y2, x1:x2][x**2 + y**2 < 1] = cv2.GC_PR_FGD
    labels[y1:y2, x1:x2][x**2 + y**2 < core**2] = cv2.GC_FGD
    return labels


def _pieces(cv2: Any, mask: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """Keep the large pieces with their holes filled; 255 where the object is."""
    outlines, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    areas = [cv2.contourArea(outline) for outline in outlines]
    kept = [
        outline
        for outline, area in zip(outlines, areas, strict=True)
        if area > 0 and area >= _PIECE * max(areas)
    ]
    result = np.zeros(mask.shape, dtype=np.uint8)
    cv2.drawContours(result, kept, -1, 255, cv2.FILLED)
    return result
