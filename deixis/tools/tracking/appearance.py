"""How an object looks, and where in a frame something looks like it."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from deixis.tools.base import Picture

Corners = NDArray[np.float64]
"""A box as an array ``(x1, y1, x2, y2)``."""

_SIDE = 24  # pixels of a look's longer side
_LEAST_SIDE = 6
_SCALES = (1.0, 0.9, 1.1)
_SAME = 0.7  # of a frame's contrast: differences of this size are a likeness of 1/e
_FLAT = 8.0  # least contrast of a frame
_LEAST_SEEN = 0.35  # of an object that has to be visible
_AWAY = 0.25  # likeness that a place loses that is a whole object away from where it is expected


class Look(NamedTuple):
    """How an object looks: RGB, ``(h, w, 3)``, the longer side 24 pixels; what of it counts.

    ``inside`` is an ellipse, ``(h, w)``: what stands in the corners of a box is mostly not the
    object.
    """

    pixels: NDArray[np.float32]
    inside: NDArray[np.float32]

    def blended(self, other: "Look", share: float) -> "Look":
        """Return this look with a share of another one of the same size in it."""
        return self._replace(pixels=(1 - share) * self.pixels + share * other.pixels)


class Place(NamedTuple):
    """A box, and how much what is in it looks like the object, 0 to 1."""

    box: Corners
    likeness: float


def look_of(cv2: Any, frame: Picture, box: Corners, shape: tuple[int, int] | None = None) -> Look:
    """Return how the object in a box looks.

    Args:
        cv2: the module.
        frame: RGB, shape ``(H, W, 3)``, uint8.
        box: where it is; what lies outside the frame repeats its edge.
        shape: ``(h, w)`` of another look that this one shall be compared to.
    """
    height, width = shape or _shape_of(box)
    pixels = _seen(cv2, frame, box, (height, width))
    rows, columns = np.mgrid[:height, :width]
    away = ((columns + 0.5) / width * 2 - 1) ** 2 + ((rows + 0.5) / height * 2 - 1) ** 2
    return Look(pixels, (away <= 1).astype(np.float32))


def contrast(frame: Picture) -> float:
    """Return how much the pixels of a frame differ (the standard deviation, at least 8)."""
    return max(float(frame[::4, ::4].std()), _FLAT)


def likeness(
    cv2: Any,
    look: Look,
    frame: Picture,
    box: Corners,
    spread: float,
    hiding: Sequence[Corners] = (),
) -> float:
    """Say how much what is in a box looks like an object, 0 to 1.

    Args:
        cv2: the module.
        look: the object's.
        frame: RGB, shape ``(H, W, 3)``, uint8.
        box: where in the frame.
        spread: the frame's `contrast`.
        hiding: boxes of what stands before it, which do not count; 0 where they leave too little.
    """
    height, width = look.inside.shape
    weights = look.inside.copy()
    for other in hiding:
        edges = (np.tile((width, height), 2) * (other - np.tile(box[:2], 2))).astype(np.float64)
        left, top, right, bottom = (edges / np.tile(box[2:] - box[:2], 2)).round().astype(int)
        weights[max(0, top) : max(0, bottom), max(0, left) : max(0, right)] = 0
    if weights.sum() < _LEAST_SEEN * look.inside.sum():
        return 0.0
    pixels = _seen(cv2, frame, box, (height, width))
    squares = float((weights[..., None] * (pixels - look.pixels) ** 2).sum() / (3 * weights.sum()))
    return float(np.exp(-squares / (_SAME * spread) ** 2))


def search(
    cv2: Any, look: Look, frame: Picture, expected: Corners, reach: float, spread: float
) -> Place:
    """Return the place around a box that looks most like an object, the nearer the better.

    Args:
        cv2: the module.
        look: the object's.
        frame: RGB, shape ``(H, W, 3)``, uint8.
        expected: where it should be.
        reach: how far around, in sizes of the object.
        spread: the frame's `contrast`.
    """
    best = Place(expected, 0.0)
    most = -1.0
    size, centre = expected[2:] - expected[:2], (expected[:2] + expected[2:]) / 2
    height, width = look.inside.shape
    for scale in _SCALES:
        half = scale * size / 2
        window = np.concatenate([centre - half - reach * size, centre + half + reach * size])
        across, down = ((window[2:] - window[:2]) / (2 * half) * (width, height)).round()
        pixels = _seen(cv2, frame, window, (int(down), int(across)))
        weights = np.repeat(look.inside[..., None], 3, axis=2)
        squares = cv2.matchTemplate(pixels, look.pixels, cv2.TM_SQDIFF, mask=weights)
        alike = np.exp(-np.maximum(squares, 0) / weights.sum() / (_SAME * spread) ** 2)
        rows, columns = np.mgrid[: alike.shape[0], : alike.shape[1]]
        x = (columns - (alike.shape[1] - 1) / 2) / width
        y = (rows - (alike.shape[0] - 1) / 2) / height
        worth = alike - _AWAY * np.hypot(x, y)
        row, column = np.unravel_index(int(worth.argmax()), worth.shape)
        if worth[row, column] > most:
            most = float(worth[row, column])
            at = centre + np.array([x[row, column], y[row, column]]) * 2 * half
            best = Place(np.concatenate([at - half, at + half]), float(alike[row, column]))
    return best


def _shape_of(box: Corners) -> tuple[int, int]:
    size = box[2:] - box[:2]
    width, height = np.maximum((size * _SIDE / size.max()).round(), _LEAST_SIDE)
    return int(height), int(width)


def _seen(cv2: Any, frame: Picture, box: Corners, shape: tuple[int, int]) -> NDArray[np.float32]:
    """Return what a box shows at a size of ``(h, w)``, averaged where that is smaller."""
    x1, y1 = np.floor(box[:2]).astype(int)
    x2, y2 = np.maximum(np.ceil(box[2:]).astype(int), (x1 + 1, y1 + 1))
    height, width = frame.shape[:2]
    rows, columns = np.arange(y1, y2).clip(0, height - 1), np.arange(x1, x2).clip(0, width - 1)
    part = frame[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    if part.shape[:2] != (y2 - y1, x2 - x1):
        part = frame[rows[:, None], columns]
    small: NDArray[np.float32] = cv2.resize(
        part, (shape[1], shape[0]), interpolation=cv2.INTER_AREA
    ).astype(np.float32)
    return small
