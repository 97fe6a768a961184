"""Optimal assignment of entities to candidate boxes: one each, then what is left over."""

import numpy as np
from numpy.typing import NDArray


def assign(
    scores: NDArray[np.float64], several: NDArray[np.bool_], clash: NDArray[np.bool_]
) -> list[list[int]]:
    """Give each column to at most one row, and each row one column or, where it may, several.

    First every row gets at most one column, such that the sum of scores is greatest: what one
    row has beside another column never costs a row its only one. Then each column that is left
    goes to the row with the highest score among those that may have it beside others.

    Args:
        scores: shape ``(rows, columns)``; only pairs above 0 can be given.
        several: shape ``(rows, columns)``; which columns a row may have beside others.
        clash: shape ``(columns, columns)``, symmetric; which columns no row has both of.

    Returns:
        The columns of each row, that of the first assignment first; no columns for some rows.
    """
    from scipy.optimize import linear_sum_assignment  # imports slowly

    given: list[list[int]] = [[] for _ in scores]
    if not scores.size:
        return given
    rows, columns = linear_sum_assignment(np.maximum(scores, 0.0), maximize=True)
    left = set(range(scores.shape[1]))
    for row, column in zip(rows.tolist(), columns.tolist(), strict=True):
        if scores[row, column] > 0:
            given[row].append(column)
            left.remove(column)
    pairs = np.argwhere(several & (scores > 0)).tolist()
    for row, column in sorted(pairs, key=lambda pair: -scores[pair[0], pair[1]]):
        if column in left and not clash[column, given[row]].any():
            given[row].append(column)
            left.remove(column)
    return given
