"""Photographs on a page that was scanned: where ink covers the paper, as no writing does."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from deixis.base.boxes import Box

_CELL = 4.0  # points
_INK = 36  # levels of grey by which ink differs from paper
_COVERED = 0.5  # share of ink in a cell, of which writing has a fifth
_SHARE = 0.02  # of the page, the least that a photograph takes
_FULL = 0.6  # share of its cells that are covered
_RIM = 0.3  # share of the rim of a page that is covered, where it is no sheet of paper
_SHORTEST = 54.0  # points of its shorter side


def photographs(pixels: NDArray[np.uint8], scale: float, lines: Sequence[Box]) -> list[Box]:
    """Return where photographs are on a page, in points, from top to bottom.

    There is none on what has no paper around it, as a photograph itself.

    Args:
        pixels: of the drawn page, RGB, shape ``(H, W, 3)``.
        scale: pixels for a point.
        lines: the boxes of its lines, in points: large letters cover the paper as well.
    """
    grey = pixels.astype(np.float32).mean(axis=2)
    paper = float(np.bincount(grey.astype(np.uint8).ravel(), minlength=256)[96:].argmax() + 96)
    ink = np.abs(grey - paper) > _INK
    side = max(1, round(_CELL * scale))
    high, wide = ink.shape[0] // side, ink.shape[1] // side
    if not (high and wide):
        return []
    cells = ink[: high * side, : wide * side].reshape(high, side, wide, side).mean(axis=(1, 3))
    covered = cells > _COVERED
    rim = np.concatenate([covered[0], covered[-1], covered[:, 0], covered[:, -1]])
    if rim.mean() > _RIM:
        return []
    whole = covered.copy()
    for x1, y1, x2, y2 in lines:
        rows = slice(int(y1 * scale // side), int(y2 * scale // side) + 1)
        covered[rows, int(x1 * scale // side) : int(x2 * scale // side) + 1] = False
    found = []
    step = side / scale
    for top, left, bottom, right in _pieces(covered):
        box = left * step, top * step, right * step, bottom * step
        full = whole[top:bottom, left:right].mean() >= _FULL
        large = (bottom - top) * (right - left) >= _SHARE * high * wide
        if full and large and min(box[2] - box[0], box[3] - box[1]) >= _SHORTEST:
            found.append(box)
    return sorted(found, key=lambda box: (box[1], box[0]))


def _pieces(covered: NDArray[np.bool_]) -> list[tuple[int, int, int, int]]:
    """Return the boxes, top to right, around cells that touch each other."""
    left = covered.copy()
    found = []
    for row, column in zip(*np.nonzero(covered), strict=True):
        if not left[row, column]:
            continue
        waiting, seen = [(int(row), int(column))], []
        left[row, column] = False
        while waiting:
            y, x = waiting.pop()
            seen.append((y, x))
            for other in ((y - 1, x), (y + 1, x), (y, x - 1), (y, x + 1)):
                inside = 0 <= other[0] < left.shape[0] and 0 <= other[1] < left.shape[1]
                if inside and left[other]:
                    left[other] = False
                    waiting.append(other)
        ys, xs = zip(*seen, strict=True)
        found.append((min(ys), min(xs), max(ys) + 1, max(xs) + 1))
    return found
