"""Following objects by optical flow, without weights.

Points in an object's box are followed from frame to frame (Lucas and Kanade 1981, in pyramids, as
in OpenCV); those that do not come back to where they started when followed backwards are dropped.
The median of their shifts moves the box, and the median of how their distances grow scales it
(Kalal, Mikolajczyk, Matas, "Forward-backward error: automatic detection of tracking failures",
ICPR 2010). Points where another object's box lies do not count.

Flow cannot tell who is who where objects cross. So each object has a look, and where its flow leads
to something that looks otherwise, or nowhere, the look is searched for around the place where the
object was heading. An object that is not found there is hidden: it is expected to move on as it
did, until it is found again.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from deixis.base.boxes import Box, as_box, box_iou, clipped
from deixis.base.printable import one_line
from deixis.errors import MissingExtraError, ToolError
from deixis.tools.base import Picture, Tracked
from deixis.tools.tracking.appearance import (
    Corners,
    Look,
    Place,
    contrast,
    likeness,
    look_of,
    search,
)

LONG_SIDE = 640
"""The longer side, in pixels, of the frames that are worked on."""

Points = NDArray[np.float32]
"""Points of a frame, shape ``(N, 2)``."""

_POINTS = 60  # that are followed of one object
_FEWEST = 5  # that tell where a box goes
_BACK = 1.0  # pixels by which a point may miss where it started
_GROWTH = (0.85, 1.18)  # of a box between two frames
_SURE = 0.75  # likeness of a place that needs no search
_FOUND = 0.45  # least likeness of the place of an object
_FOUND_AGAIN = 0.6  # of one that was hidden
_ON_ANOTHER = 0.4  # share of a place that another object has, from which on it is that one's
_LEARNED = 0.1  # share of a frame's look in the next
_REACH, _WIDEST = 0.6, 2.5  # how far around an object is searched, at first and at most
_PATIENCE = 0.15  # by how much it grows with every frame in which it is hidden
_STEADY = 0.5  # share of the latest shift in the speed
_LEAST_INSIDE = 0.3  # of a box that has to be in the frame


@dataclass
class _Target:
    """An object: where it is, its shift from frame to frame, how it looks, how long it is hidden.

    ``first`` is its look in the first frame, ``now`` in the latest ones.
    """

    box: Corners
    shift: NDArray[np.float64]
    first: Look
    now: Look
    hidden: int = 0

    @property
    def expected(self) -> Corners:
        return self.box + np.tile(self.shift, 2)


class _Frame(NamedTuple):
    """A frame as it is worked on: RGB, grey, and its contrast."""

    pixels: Picture
    grey: Picture
    spread: float


class OpticalFlow:
    """A tracker that needs no model.

    Args:
        long_side: larger frames are made smaller to this many pixels.
    """

    name = "optical-flow"

    def __init__(self, long_side: int = LONG_SIDE) -> None:
        self._long_side = long_side

    def track(self, frames: Sequence[Picture], boxes: Sequence[Box]) -> list[list[Tracked | None]]:
        """Follow objects; the same input gives the same places.

        Args:
            frames: consecutive ones of a video, RGB, shape ``(H, W, 3)``, uint8, all of one size.
            boxes: one an object, ``(x1, y1, x2, y2)`` in pixels of the first frame.

        Returns:
            For each box where its object is in every frame; None where it is hidden or has left.
            The score is how much it looks like what was in the box.

        Raises:
            ToolError: OpenCV fails.
            MissingExtraError: ``opencv-python-headless`` is not installed.
        """
        try:
            import cv2
        except ImportError as error:
            raise MissingExtraError("opencv-python-headless", "starter") from error
        if not frames or not boxes:
            return [[None] * len(frames) for _ in boxes]
        try:
            return self._track(cv2, frames, boxes)
        except (cv2.error, MemoryError) as error:
            raise ToolError(f"{self.name} failed: {one_line(error)}") from error

    def _track(
        self, cv2: Any, frames: Sequence[Picture], boxes: Sequence[Box]
    ) -> list[list[Tracked | None]]:
        height, width = frames[0].shape[:2]
        scale = min(1.0, self._long_side / max(height, width))
        before = _prepared(cv2, frames[0], scale)
        targets = []
        for box in boxes:
            at = np.array(clipped(box, width, height)) * scale
            look = look_of(cv2, before.pixels, at)
            targets.append(_Target(at, np.zeros(2), look, look))
        tracks: list[list[Tracked | None]] = [
            [Tracked(as_box(clipped(box, width, height)), None, 1.0)] for box in boxes
        ]
        for picture in frames[1:]:
            after = _prepared(cv2, picture, scale)
            for track, place in zip(tracks, _step(cv2, before, after, targets), strict=True):
                if place is None:
                    track.append(None)
                    continue
                box = as_box(clipped((place.box / scale).tolist(), width, height))
                track.append(Tracked(box, None, place.likeness))
            before = after
        return tracks


def _prepared(cv2: Any, frame: Picture, scale: float) -> _Frame:
    if scale < 1.0:
        size = [max(1, round(side * scale)) for side in frame.shape[1::-1]]
        frame = cv2.resize(frame, size, interpolation=cv2.INTER_AREA)
    return _Frame(frame, cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY), contrast(frame))


def _step(
    cv2: Any, before: _Frame, after: _Frame, targets: Sequence[_Target]
) -> list[Place | None]:
    """Follow all objects by one frame; who looks most like itself has its place first."""
    moved = _flow(cv2, before, after, targets)
    places = [
        _best_place(cv2, after, target, box) for target, box in zip(targets, moved, strict=True)
    ]
    taken: list[Place | None] = [None] * len(targets)
    for number in sorted(range(len(targets)), key=lambda each: -places[each].likeness):
        target = targets[number]
        others = [other.box for other in taken if other is not None]
        place = _behind(cv2, after, target, moved[number], others)
        if place is None:
            place = places[number]
            free = not any(_overlap(other, place.box) > _ON_ANOTHER for other in others)
            if not free or place.likeness < (_FOUND_AGAIN if target.hidden else _FOUND):
                place = None
        if place is None or not _is_inside(place.box, after.grey):
            target.hidden += 1
            target.box = target.expected
            continue
        taken[number] = place
        alone = not any(_overlap(other, place.box) > 0 for other in others)
        _settle(cv2, target, place, after, learns=alone and place.likeness > _SURE)
    return taken


def _settle(cv2: Any, target: _Target, place: Place, frame: _Frame, learns: bool) -> None:
    """Put an object where it was found, and learn its speed and how it looks there."""
    shift = (place.box[:2] + place.box[2:] - target.box[:2] - target.box[2:]) / 2
    if not target.hidden:
        steady = _STEADY if target.shift.any() else 1.0
        target.shift = (1 - steady) * target.shift + steady * shift
    target.box, target.hidden = place.box, 0
    if learns:
        seen = look_of(cv2, frame.pixels, place.box, target.now.inside.shape)
        target.now = target.now.blended(seen, _LEARNED)


def _best_place(cv2: Any, frame: _Frame, target: _Target, moved: Corners | None) -> Place:
    """Return where flow leads if it looks like the object there, else what looks most like it."""
    looks = (target.now, target.first)
    places = []
    if moved is not None:
        alike = max(likeness(cv2, look, frame.pixels, moved, frame.spread) for look in looks)
        places.append(Place(moved, alike))
        if alike >= _SURE:
            return places[0]
    reach = min(_REACH + _PATIENCE * target.hidden, _WIDEST)
    places += [
        search(cv2, look, frame.pixels, target.expected, reach, frame.spread) for look in looks
    ]
    return max(places, key=lambda place: place.likeness)


def _behind(
    cv2: Any, frame: _Frame, target: _Target, moved: Corners | None, others: Sequence[Corners]
) -> Place | None:
    """Return where an object goes on behind others, by as much of it as they leave visible."""
    places = []
    for box in (target.expected, moved):
        hiding = [other for other in others if box is not None and _overlap(other, box) > 0]
        if hiding and box is not None:
            alike = (
                likeness(cv2, look, frame.pixels, box, frame.spread, hiding)
                for look in (target.now, target.first)
            )
            places.append(Place(box, max(alike)))
    best = max(places, key=lambda place: place.likeness, default=None)
    return best if best and best.likeness >= _FOUND else None


def _flow(
    cv2: Any, before: _Frame, after: _Frame, targets: Sequence[_Target]
) -> list[Corners | None]:
    """Return for each object the box to which the points in it lead; None where too few do."""
    points = [_points(cv2, before.grey, target, targets) for target in targets]
    counts = [len(own) for own in points]
    if not sum(counts):
        return [None] * len(targets)
    start = np.concatenate(points)[:, None]
    shifts = np.repeat([target.shift for target in targets], counts, axis=0)
    guess = (start + shifts[:, None]).astype(np.float32)
    options = {"winSize": (15, 15), "maxLevel": 4, "flags": cv2.OPTFLOW_USE_INITIAL_FLOW}
    end, there, _ = cv2.calcOpticalFlowPyrLK(before.grey, after.grey, start, guess, **options)
    back, again, _ = cv2.calcOpticalFlowPyrLK(
        *(after.grey, before.grey, end, end - shifts[:, None].astype(np.float32)), **options
    )
    missed = np.linalg.norm((start - back)[:, 0], axis=1)
    good = (there[:, 0] == 1) & (again[:, 0] == 1) & (missed < _BACK)
    boxes: list[Corners | None] = []
    first = 0
    for target, count in zip(targets, counts, strict=True):
        own = slice(first, first + count)
        first += count
        old, new = start[own, 0][good[own]], end[own, 0][good[own]]
        near = any(other is not target and _overlap(other.box, target.box) > 0 for other in targets)
        boxes.append(_moved(target.box, old, new, grows=not near) if len(old) >= _FEWEST else None)
    return boxes


def _points(cv2: Any, grey: Picture, target: _Target, targets: Sequence[_Target]) -> Points:
    """Return the points of an object that can be followed; none while it is hidden."""
    height, width = grey.shape
    x1, y1, x2, y2 = np.array(clipped(target.box.tolist(), width, height)).round().astype(int)
    part = grey[y1:y2, x1:x2]
    none = np.zeros((0, 2), dtype=np.float32)
    if target.hidden or min(part.shape) < 2:
        return none
    mask = np.full(part.shape, 255, dtype=np.uint8)
    for other in targets:
        if other is not target and not other.hidden:
            left, top, right, bottom = (other.box.round().astype(int) - [x1, y1, x1, y1]).clip(0)
            mask[top:bottom, left:right] = 0
    found = cv2.goodFeaturesToTrack(part, _POINTS, 0.01, 2, mask=mask)
    return none if found is None else found[:, 0] + np.array([x1, y1], dtype=np.float32)


def _moved(box: Corners, old: Points, new: Points, grows: bool) -> Corners:
    """Move a box as its points have moved; what is half hidden is not scaled by the other half."""
    shift = np.median(new - old, axis=0)
    one, other = np.triu_indices(len(old), 1)
    lengths = np.linalg.norm(old[one] - old[other], axis=1)
    grown = np.linalg.norm(new[one] - new[other], axis=1)[lengths > 1] / lengths[lengths > 1]
    growth = float(np.clip(np.median(grown), *_GROWTH)) if grows and grown.size else 1.0
    centre, half = (box[:2] + box[2:]) / 2 + shift, (box[2:] - box[:2]) / 2 * growth
    return np.concatenate([centre - half, centre + half])


def _is_inside(box: Corners, grey: Picture) -> bool:
    """Whether enough of a box is in the frame."""
    edges = np.array([grey.shape[1], grey.shape[0]])
    visible = np.minimum(box[2:], edges) - np.maximum(box[:2], 0)
    return bool(visible.min() > 0 and visible.prod() >= _LEAST_INSIDE * (box[2:] - box[:2]).prod())


def _overlap(one: Corners, other: Corners) -> float:
    return box_iou(one.tolist(), other.tolist())
