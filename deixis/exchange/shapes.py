"""Shapes of other tools as regions of rows: boxes with masks, in pixels."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deixis.base import masks
from deixis.exchange.label_studio_masks import LARGEST


def number(value: Any, what: str) -> float:
    """Return a finite number; raises ValueError, which says what is none."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError(f"{what} is {str(value)[:40]!r}, no number")
    return float(value)


def whole(value: Any, what: str, least: int = 0) -> int:
    """Return a whole number of at least `least`; raises ValueError, which says what is none."""
    made = number(value, what)
    if made != int(made) or made < least:
        raise ValueError(f"{what} is {str(value)[:40]!r}, no whole number from {least} on")
    return int(made)


def bounds(mask: NDArray[np.bool_]) -> list[float]:
    """Return the box of a mask of shape ``(H, W)``; raises ValueError if nothing is in it."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not rows.size:
        raise ValueError("a mask with nothing in it")
    return [float(columns[0]), float(rows[0]), float(columns[-1] + 1), float(rows[-1] + 1)]


def mask_of_polygons(
    polygons: Sequence[Sequence[float]], width: int, height: int
) -> dict[str, Any]:
    """Return the mask of polygons, each ``[x, y, x, y, ...]`` in pixels, as COCO run lengths.

    Raises:
        ValueError: one has less than three points, or the picture has too many pixels.
    """
    from pycocotools import mask as coco

    if not 0 < width * height <= LARGEST:
        raise ValueError(f"a picture of {width} x {height} pixels, of at most {LARGEST:,}")
    for polygon in polygons:
        if len(polygon) < 6 or len(polygon) % 2:
            raise ValueError("a polygon without three points")
        if max(map(abs, polygon)) > 10 * max(width, height):
            raise ValueError("a polygon far outside the picture")
    merged = coco.merge(coco.frPyObjects([list(each) for each in polygons], height, width))
    return {"size": [height, width], "counts": merged["counts"].decode("ascii")}


def mask_of_runs(runs: Sequence[int], width: int, height: int) -> dict[str, Any]:
    """Return the mask of run lengths, down the columns, background first, as COCO run lengths.

    Raises:
        ValueError: they do not fill the picture, or it has too many pixels.
    """
    if sum(runs) != width * height or width * height > LARGEST:
        raise ValueError(f"the run lengths do not fill a mask of {width} x {height} pixels")
    inside = np.arange(len(runs)) % 2 == 1
    return masks.encode(np.repeat(inside, runs).reshape(width, height).T)


def region_of_mask(mask: NDArray[np.bool_]) -> dict[str, Any]:
    """Return a region with the box of a mask of shape ``(H, W)``."""
    return {"box": bounds(mask), "mask": masks.encode(mask)}


def is_near(one: Sequence[float], other: Any) -> bool:
    """Say whether the edges of two boxes are within half a pixel of each other."""
    return (
        isinstance(other, Sequence)
        and len(other) == 4
        and all(isinstance(edge, int | float) for edge in other)
        and max(abs(a - b) for a, b in zip(one, other, strict=True)) <= 0.5
    )
