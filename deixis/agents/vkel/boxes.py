"""Boxes as VKEL writes them: shares of the picture's width and height (section III-D.4)."""

from collections.abc import Sequence

from deixis.agents.context.records import PictureRecord
from deixis.base.boxes import Box
from deixis.llms.box_conventions import convention_of
from deixis.llms.photos import Photo

BEYOND = 0.005
"""How far a share may lie outside 0..1, from rounding; it is clipped."""


def shares(box: Sequence[float], picture: PictureRecord) -> str:
    """Write a box in pixels as a prompt has it: four shares, three digits each at most."""
    sides = (picture["width"], picture["height"]) * 2
    written = (
        f"{round(min(max(value / side, 0.0), 1.0), 3)}"
        for value, side in zip(box, sides, strict=True)
    )
    return f"({', '.join(written)})"


def in_pixels(box: Box, picture: PictureRecord, photo: Photo, spec: str) -> Box | None:
    """Read a box that a model wrote.

    Numbers beyond 1 are no shares. Models that were not trained on them fall back on what they
    were trained on, which is read if it is known of this one.

    Args:
        box: the four numbers as they were written.
        picture: its ``width`` and ``height``.
        photo: the picture as the model was sent it.
        spec: the model.

    Returns:
        ``(x1, y1, x2, y2)`` in pixels of the picture, or None when this is no box in it.
    """
    if max(box) > 1 + BEYOND and (convention := convention_of(spec)) is not None:
        seen = convention.from_model(list(box), (photo.width, photo.height))
        return photo.in_picture(seen, picture) if seen else None
    inside = all(-BEYOND <= value <= 1 + BEYOND for value in box)
    x1, y1, x2, y2 = (min(max(value, 0.0), 1.0) for value in box)
    if not inside or x1 >= x2 or y1 >= y2:
        return None
    width, height = float(picture["width"]), float(picture["height"])
    return (x1 * width, y1 * height, x2 * width, y2 * height)
