"""Boxes of an answer: from the model's frame to the picture, and over several passes."""

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from deixis.agents.context.records import PictureRecord
from deixis.base.boxes import Box, box_iou
from deixis.llms.box_conventions import BoxConvention
from deixis.llms.photos import Photo

SAME_BOX = 0.55
"""Intersection over union from which boxes of two passes are one: that of weighted boxes fusion
(Solovyev et al., Image and Vision Computing 2021, section 3)."""
UNREADABLE = "unreadable"
"""A region that is neither boxes nor None: what the released evaluator counts as a bad box."""


def to_picture(box: Box, written: BoxConvention, photo: Photo, picture: PictureRecord) -> Box | str:
    """Bring a box from the frame in which it was written to the picture.

    Args:
        box: four numbers as the model wrote them.
        written: how it writes them.
        photo: what it was shown.
        picture: the picture that this was made of.

    Returns:
        The box in pixels of the picture, clipped to it; or what is wrong with it.
    """
    if box[0] > box[2] or box[1] > box[3]:
        return "inverted"
    if box[0] == box[2] or box[1] == box[3]:
        return "without area"
    seen = written.from_model(list(box), (photo.width, photo.height))
    if seen is None:
        return "outside the picture"
    return photo.in_picture(seen, picture)


def dropped_boxes(dropped: Counter[str], given: int) -> str:
    """Say in a line what was dropped of the boxes given, by kind."""
    kinds = ", ".join(f"{count} {kind}" for kind, count in dropped.items())
    return f"boxes dropped: {kinds} (of {given})"


class Fused(NamedTuple):
    """What several passes say of where one entity is.

    Attributes:
        boxes: where it is; none if it is not to be seen, None if they are at odds.
        shares: of the passes that point at each box, 0..1.
        reason: in words.
    """

    boxes: list[Box] | None
    shares: list[float]
    reason: str


def fused(passes: Sequence[Sequence[Box] | None]) -> Fused:
    """Settle by majority where an entity is.

    What most of the passes say that say anything usable holds: that it is not to be seen, or a
    place. A place is a cluster of boxes, at most one per pass. A box joins the cluster with whose
    mean it has the highest intersection over union, from `SAME_BOX` on, or begins another. The
    box of a cluster C is the mean of each edge, ``x1 = sum(x1 of b for b in C) / |C|``: weighted
    boxes fusion, all weights equal, since a model gives none.

    Args:
        passes: boxes of one entity, one entry per pass that named it: none if that said that it
            is not to be seen, None if it said nothing usable.
    """
    decided = [boxes for boxes in passes if boxes is not None]
    unseen = sum(not boxes for boxes in decided)
    reason = f"{len(decided) - unseen} of {len(passes)} passes that name it point at it"
    reason += f", {unseen} say that it is not to be seen"
    if not decided:
        reason = "nothing usable was said of where it is"
    if 2 * unseen > len(decided):
        return Fused([], [], reason)
    clusters: list[dict[int, Box]] = []
    for number, boxes in enumerate(decided):
        for box in boxes:
            near = [(box_iou(_mean(own), box), own) for own in clusters if number not in own]
            share, best = max(near, key=lambda pair: pair[0], default=(0.0, {}))
            if share < SAME_BOX:
                best = {}
                clusters.append(best)
            best[number] = box
    places = [cluster for cluster in clusters if 2 * len(cluster) > len(decided)]
    places.sort(key=len, reverse=True)  # those that are equal stay in the order of the passes
    if decided and not places:
        reason += "; no place is that of most"
    return Fused(
        [_mean(place) for place in places] or None,
        [len(place) / len(decided) for place in places],
        reason,
    )


def _mean(cluster: dict[int, Box]) -> Box:
    x1, y1, x2, y2 = (sum(edges) / len(cluster) for edges in zip(*cluster.values(), strict=True))
    return x1, y1, x2, y2
