"""Boxes that stand for one thing: of those that a network finds, the best is kept."""

import numpy as np
from numpy.typing import NDArray

Boxes = NDArray[np.float64]


def distinct(boxes: Boxes, scores: NDArray[np.float64], most: float) -> list[int]:
    """Greedy non-maximum suppression.

    Args:
        boxes: shape ``(N, 4)``, in pixels.
        scores: shape ``(N,)``.
        most: boxes with a larger intersection over union are one thing.

    Returns:
        The indices of the boxes to keep, best score first.
    """
    left = np.argsort(-scores, kind="stable")
    kept = []
    while len(left):
        best, left = int(left[0]), left[1:]
        kept.append(best)
        left = left[overlaps(boxes[best], boxes[left]) <= most]
    return kept


def overlaps(box: NDArray[np.float64], others: Boxes) -> NDArray[np.float64]:
    """Return the intersection over union of a box with each of ``(N, 4)``, shape ``(N,)``."""
    low, high = np.maximum(box[:2], others[:, :2]), np.minimum(box[2:], others[:, 2:])
    shared = (high - low).clip(0).prod(axis=1)
    area, areas = (box[2:] - box[:2]).prod(), (others[:, 2:] - others[:, :2]).prod(axis=1)
    return np.asarray(shared / np.maximum(area + areas - shared, 1e-9))
