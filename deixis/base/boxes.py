"""Boxes: ``(x1, y1, x2, y2)`` in pixels of an upright picture, floats; finite in all records."""

from collections.abc import Sequence

Box = tuple[float, float, float, float]


def as_box(edges: Sequence[float]) -> Box:
    """Return four numbers as a box."""
    x1, y1, x2, y2 = edges
    return x1, y1, x2, y2


def clipped(box: Sequence[float], width: int, height: int) -> list[float]:
    """Clip a box to a picture of that size, at least one pixel wide and high."""
    x1 = min(max(box[0], 0.0), width - 1.0)
    y1 = min(max(box[1], 0.0), height - 1.0)
    x2 = min(max(box[2], x1 + 1.0), float(width))
    y2 = min(max(box[3], y1 + 1.0), float(height))
    return [x1, y1, x2, y2]


def box_iou(one: Sequence[float], other: Sequence[float]) -> float:
    """IoU of plain areas; 0 when a box is inverted or has no area (VKEL, equation 14)."""
    shared = _side(max(one[0], other[0]), min(one[2], other[2])) * _side(
        max(one[1], other[1]), min(one[3], other[3])
    )
    return shared / (area(one) + area(other) - shared) if shared else 0.0


def area(box: Sequence[float]) -> float:
    """Return the area; 0 for an inverted box."""
    return _side(box[0], box[2]) * _side(box[1], box[3])


def _side(low: float, high: float) -> float:
    return max(0.0, high - low)
