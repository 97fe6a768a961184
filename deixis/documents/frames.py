"""Places on a page: PDF's own, from the bottom left, and ours, in points from the top left."""

import math
from typing import NamedTuple

from deixis.base.boxes import Box

Matrix = tuple[float, float, float, float, float, float]
"""``(a, b, c, d, e, f)``: x' = a x + c y + e, y' = b x + d y + f."""


def joined(*matrices: Matrix) -> Matrix:
    """Return what applies matrices one after the other."""
    a, b, c, d, e, f = matrices[0]
    for a2, b2, c2, d2, e2, f2 in matrices[1:]:
        a, b, c, d = a * a2 + b * c2, a * b2 + b * d2, c * a2 + d * c2, c * b2 + d * d2
        e, f = e * a2 + f * c2 + e2, e * b2 + f * d2 + f2
    return a, b, c, d, e, f


def bounds(matrix: Matrix, box: Box) -> Box:
    """Return the box around what a matrix makes of a box."""
    a, b, c, d, e, f = matrix
    corners = [(x, y) for x in (box[0], box[2]) for y in (box[1], box[3])]
    xs = [a * x + c * y + e for x, y in corners]
    ys = [b * x + d * y + f for x, y in corners]
    return min(xs), min(ys), max(xs), max(ys)


def shared(one: Box, other: Box) -> Box | None:
    """Return what two boxes share; None if that has no area."""
    x1, y1 = max(one[0], other[0]), max(one[1], other[1])
    x2, y2 = min(one[2], other[2]), min(one[3], other[3])
    return (x1, y1, x2, y2) if x1 < x2 and y1 < y2 else None


def around(*boxes: Box) -> Box:
    """Return the box around boxes."""
    lefts, tops, rights, bottoms = zip(*boxes, strict=True)
    return min(lefts), min(tops), max(rights), max(bottoms)


class Frame(NamedTuple):
    """How a page lies: its upright size in points, its box in PDF's space, its quarter turns."""

    width: float
    height: float
    box: Box
    turn: int

    @property
    def matrix(self) -> Matrix:
        """What takes PDF's space to points from the top left of the upright page."""
        left, bottom, right, top = self.box
        return (
            (1.0, 0.0, 0.0, -1.0, -left, top),
            (0.0, 1.0, 1.0, 0.0, -bottom, -left),
            (-1.0, 0.0, 0.0, 1.0, right, -bottom),
            (0.0, -1.0, -1.0, 0.0, top, right),
        )[self.turn % 4]

    def clipped(self, box: Box) -> Box:
        """Return what of a box is on the page."""
        x1, y1, x2, y2 = box
        return max(x1, 0.0), max(y1, 0.0), min(x2, self.width), min(y2, self.height)

    def turn_of(self, x: float, y: float) -> int:
        """Return by how many quarters a direction of PDF's space is turned clockwise, upright."""
        a, b, c, d, _, _ = self.matrix
        across, down = a * x + c * y, b * x + d * y
        if not (across or down) or not math.isfinite(across + down):
            return 0
        return round(math.atan2(down, across) / (math.pi / 2)) % 4
