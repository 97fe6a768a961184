"""Pair predictions with gold, one to one, among mentions that have the same key."""

from collections.abc import Callable, Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from deixis.base.boxes import box_iou
from deixis.base.masks import mask_iou
from deixis.rows import RowRegion

Fits = Callable[[float], bool]


def count_pairs(
    overlaps: Sequence[Sequence[float]], fits: Fits, how: Literal["optimal", "greedy"]
) -> int:
    """Count the pairs of one key.

    Args:
        overlaps: a row for each prediction, a column for each gold mention.
        fits: whether an overlap is enough.
        how: ``optimal``: as many pairs as there can be; ``greedy``: each prediction in turn
            takes the first gold mention that is left and fits.
    """
    if len(overlaps) == 1 or len(overlaps[0]) == 1:
        return int(any(fits(value) for row in overlaps for value in row))
    allowed = np.array([[fits(value) for value in row] for row in overlaps])
    if how == "optimal":
        return int(allowed[best_pairs(allowed.astype(float))].sum())
    left = np.ones(allowed.shape[1], dtype=bool)
    for row in allowed:
        first = np.flatnonzero(row & left)[:1]
        left[first] = False
    return int((~left).sum())


def best_pairs(weights: NDArray[np.float64]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return the rows and columns of the one-to-one pairs with the largest sum of weights.

    With weights of 0 and 1 that is the largest matching, in cubic time.
    """
    if weights.shape == (1, 1):
        return np.zeros(1, np.intp), np.zeros(1, np.intp)
    from scipy.optimize import linear_sum_assignment  # imports slowly; few samples need it

    rows, columns = linear_sum_assignment(weights, maximize=True)
    return rows, columns


def best_iou(one: Sequence[RowRegion], other: Sequence[RowRegion], masks: bool) -> float:
    """Return the highest IoU of any region of the one with any of the other.

    Where masks count, a region without one overlaps nothing.
    """
    if masks:
        shared = [mask_iou(a.mask, b.mask) for a in one for b in other if a.mask and b.mask]
    else:
        shared = [box_iou(a.box, b.box) for a in one for b in other]
    return max(shared, default=0.0)
