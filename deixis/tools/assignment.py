"""One-to-one assignment of entities to candidate boxes."""

import numpy as np
from numpy.typing import NDArray


def assign(scores: NDArray[np.float64]) -> list[int | None]:
    """Give each row at most one column and each column at most one row.

    Args:
        scores: shape ``(rows, columns)``; only pairs above 0 can be given.

    Returns:
        The column of each row, or None, such that the sum of scores is greatest.
    """
    from scipy.optimize import linear_sum_assignment  # imports slowly

    given: list[int | None] = [None] * scores.shape[0]
    if scores.size:
        rows, columns = linear_sum_assignment(np.maximum(scores, 0.0), maximize=True)
        for row, column in zip(rows.tolist(), columns.tolist(), strict=True):
            if scores[row, column] > 0:
                given[row] = column
    return given
