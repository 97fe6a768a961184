"""Pair predictions with gold, one to one, among mentions that have the same key."""

from collections.abc import Callable, Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

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
