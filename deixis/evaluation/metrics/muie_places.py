"""Where the things of a MUIE row are: in pictures, in frames of the video, in the sound.

Each medium is a number of units (a picture, a frame, the whole sound), and in each unit stand
places with what holds them: an entity or a trigger (section 3 puts triggers in speech, too).

Gold has some frames of a video, a prediction others: it follows things at a few frames a second.
Predictions are therefore compared on the frames of the gold (see `on_frames`).
"""

from bisect import bisect_left
from collections.abc import Iterable
from itertools import pairwise
from statistics import median
from typing import Literal, NamedTuple, get_args

from deixis.base.boxes import box_iou
from deixis.base.masks import mask_iou
from deixis.formats.muie_rows import MuieRow, Span
from deixis.rows import RowRegion

Medium = Literal["image", "video", "audio"]
MEDIA: tuple[Medium, ...] = get_args(Medium)


class Held(NamedTuple):
    """A place; ``holder`` numbers the row's entities, and after them the events (triggers)."""

    holder: int
    place: RowRegion | Span


Units = dict[int, list[Held]]
"""The places in each picture (by its number), each frame (by its number) or the sound (0)."""


def places_of(row: MuieRow, medium: Medium) -> Units:
    """Return the places of a row in a medium; a frame that was looked at may have none."""
    units: Units = {}
    for number, entity in enumerate(row.entities):
        if medium == "image":
            for region in entity.regions or ():
                units.setdefault(region.image, []).append(Held(number, region))
        elif medium == "video":
            for frame in entity.track or ():
                held = [Held(number, region) for region in frame.regions]
                units.setdefault(frame.frame, []).extend(held)
        elif entity.spans:
            units.setdefault(0, []).extend(Held(number, span) for span in entity.spans)
    if medium == "audio":
        for number, event in enumerate(row.events, start=len(row.entities)):
            for span in (event.trigger and event.trigger.spans) or ():
                units.setdefault(0, []).append(Held(number, span))
    return units


def looked(row: MuieRow, medium: Medium) -> bool:
    """Say whether somebody looked in a medium for what the row has; so it is if it has nothing."""
    if medium == "image":
        found = [entity.regions for entity in row.entities]
    elif medium == "video":
        return not row.entities or any(entity.track is not None for entity in row.entities)
    else:
        triggers = [event.trigger.spans for event in row.events if event.trigger]
        return not (row.entities or triggers) or any(
            spans is not None for spans in [*triggers, *(entity.spans for entity in row.entities)]
        )
    return not found or any(regions is not None for regions in found)


def compared(gold: MuieRow, predicted: MuieRow, medium: Medium) -> tuple[Units, Units]:
    """Return the places of both sides in a medium, a video's on the frames that the gold has.

    A medium in which nobody looked for the gold is empty on both sides: nothing is known of it.
    Of a video in which the gold has nothing at all, the frames are those predicted.
    """
    if not looked(gold, medium):
        return {}, {}
    wanted, told = places_of(gold, medium), places_of(predicted, medium)
    return wanted, on_frames(told, wanted) if medium == "video" and wanted else told


def on_frames(told: Units, frames: Iterable[int]) -> Units:
    """Return what a prediction says of other frames than its own.

    A frame that it has stays as it is. Between two of its frames the box of a thing that both
    have once goes straight from one to the other; other things are as in the nearer one. That
    holds for neighbours no more than 1.5 steps apart, a step being the median gap between its
    frames; else the nearest of its frames counts, if it is less than a step away.
    """
    own = sorted(told)
    step = median(later - earlier for earlier, later in pairwise(own)) if len(own) > 1 else 1
    return {frame: _on_frame(told, own, step, frame) for frame in frames}


def _on_frame(told: Units, own: list[int], step: float, frame: int) -> list[Held]:
    if frame in told:
        return told[frame]
    at = bisect_left(own, frame)
    around = own[max(at - 1, 0) : at + 1]
    if not around:
        return []
    nearest = min(around, key=lambda each: abs(each - frame))
    if 0 < at < len(own) and around[1] - around[0] <= 1.5 * step:
        share = (frame - around[0]) / (around[1] - around[0])
        return _between(told[around[0]], told[around[1]], told[nearest], share)
    return told[nearest] if abs(nearest - frame) < step else []


def _between(before: list[Held], after: list[Held], nearer: list[Held], share: float) -> list[Held]:
    """Return what is seen between two frames, at a share of the way."""
    moving: dict[int, tuple[RowRegion, RowRegion]] = {}
    for holder in {held.holder for held in before}:
        one, other = (
            [h.place for h in side if h.holder == holder and isinstance(h.place, RowRegion)]
            for side in (before, after)
        )
        if len(one) == len(other) == 1:
            moving[holder] = one[0], other[0]
    boxes = {
        holder: tuple((1 - share) * a + share * b for a, b in zip(one.box, other.box, strict=True))
        for holder, (one, other) in moving.items()
    }
    moved = [Held(holder, RowRegion.model_validate({"box": box})) for holder, box in boxes.items()]
    return [*moved, *(held for held in nearer if held.holder not in moving)]


def place_iou(one: RowRegion | Span, other: RowRegion | Span) -> float:
    """IoU of two places of one medium."""
    if isinstance(one, RowRegion) and isinstance(other, RowRegion):
        return region_iou(one, other)
    assert not isinstance(one, RowRegion) and not isinstance(other, RowRegion)
    return span_iou(one, other)


def region_iou(one: RowRegion, other: RowRegion) -> float:
    """IoU of the masks where both have one, else of the boxes."""
    if one.mask is not None and other.mask is not None:
        return mask_iou(one.mask, other.mask)
    return box_iou(one.box, other.box)


def span_iou(one: tuple[float, float], other: tuple[float, float]) -> float:
    """IoU of two half-open spans of time in seconds; 0 when one is empty or inverted."""
    shared = min(one[1], other[1]) - max(one[0], other[0])
    if shared <= 0:
        return 0.0
    return shared / (one[1] - one[0] + other[1] - other[0] - shared)
