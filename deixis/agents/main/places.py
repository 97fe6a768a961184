"""Places: which boxes are of one thing."""

from collections.abc import Iterable, Sequence

from deixis.agents.context.records import Candidate, SeenObject
from deixis.base.boxes import box_iou

SAME_PLACE = 0.7
"""Intersection over union from which two boxes are taken for one thing."""


class Places:
    """Names the places of boxes: all boxes of one thing have one key.

    Args:
        objects: what was seen before, each with its key or id, and its box.
    """

    def __init__(self, objects: Iterable[SeenObject], candidates: Iterable[Candidate] = ()) -> None:
        self._boxes: list[tuple[str, Sequence[float]]] = [
            *((seen["id"], seen["box"]) for seen in objects),
            *((candidate["key"], candidate["box"]) for candidate in candidates),
        ]

    def key(self, box: Sequence[float]) -> str:
        """Return the key of a box: that of the box known here with which it shares most."""
        same = [(box_iou(box, known), key) for key, known in self._boxes]
        share, key = max(same, default=(0.0, ""))
        if share < SAME_PLACE:
            key = f"d{len(self._boxes) + 1}"
            self._boxes.append((key, box))
        return key
