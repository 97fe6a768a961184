"""The paths of things through a video: where they were seen, and where they were followed."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from deixis.base.boxes import Box, box_iou, clipped
from deixis.base.records import Mask
from deixis.base.video import VideoFrame
from deixis.tools.base import Picture, Tracked

_SAME = 0.3  # least intersection over union of where a thing was followed to and what is seen
_SAME_UNALIKE = 0.6  # if it is called by another label there
_ALIKE = 0.6  # least likeness of who is known again
_TAKEN = 0.5  # intersection over union from which a path is on a thing that is another's
_MOST_MISSED = 2  # key frames in a row in which something that is followed may go unseen
_SIDE = 8  # pixels of a side, as looks are compared
_UNLIKE = 64.0  # mean difference, of 255, of looks that have nothing in common

Look = NDArray[np.float32]


class Sighting(NamedTuple):
    """One thing in a key frame: its box, what it is called by which score, how it looks."""

    box: Box
    labels: dict[str, float]
    look: Look


class Placed(NamedTuple):
    """Where a thing is at a time; `tracked` tells places of a tracker from those of a detector."""

    time: float
    box: Box
    mask: Mask | None
    score: float
    tracked: bool


@dataclass
class Path:
    """One thing on its way.

    ``places``: by the index of the frame. ``seen``: label to the scores in key frames, summed.
    ``box``: where it is in the last key frame, None while it is out of sight. ``sure``: the last
    frame in which it was seen, and not followed alone.
    """

    look: Look
    places: dict[int, Placed] = field(default_factory=dict)
    seen: dict[str, float] = field(default_factory=dict)
    sightings: int = 0
    box: Box | None = None
    sure: int = 0
    missed: int = 0


def look_of(pixels: Picture, box: Box) -> Look:
    """Return how what is in a box looks: 8 x 8 mean colours."""
    height, width = pixels.shape[:2]
    x1, y1, x2, y2 = (round(edge) for edge in clipped(box, width, height))
    part = pixels[y1 : max(y2, y1 + 1), x1 : max(x2, x1 + 1)]
    image = Image.fromarray(part).resize((_SIDE, _SIDE), Image.Resampling.BOX)
    return np.asarray(image, dtype=np.float32)


def fit(path: Path, sighting: Sighting, ahead: list[Tracked | None] | None) -> float:
    """Say how well a sighting goes on a path, by where it is, or less well by how it looks.

    What the detector was surer of goes on first.
    """
    called_alike = set(path.seen) & set(sighting.labels)
    sure = (1 + max(path.seen.values()) / path.sightings) / 2
    alike = 1 - float(np.abs(path.look - sighting.look).mean()) / _UNLIKE
    reached = ahead[-1] if ahead else None
    box = reached.box if reached else path.box
    overlap = box_iou(box, sighting.box) if box else 0.0
    if overlap >= (_SAME if called_alike else _SAME_UNALIKE):
        return sure * (0.5 + 0.4 * overlap + 0.1 * alike)
    known_again = alike >= _ALIKE and reached is None and called_alike
    return sure * 0.25 * alike if known_again else 0.0


def arrive(
    path: Path,
    chunk: Sequence[VideoFrame],
    ahead: Sequence[Tracked | None],
    sighting: Sighting,
    back: Sequence[Tracked | None],
) -> None:
    """Bring a path to what is seen of it in the key frame."""
    last = len(chunk) - 1
    for number, frame in enumerate(chunk[:-1]):
        place = _nearer(ahead[number], back[number], nearer_ahead=2 * number < last)
        if place is not None and frame.index not in path.places:
            path.places[frame.index] = _placed(frame, place)
    key, score = chunk[-1], max(sighting.labels.values())
    mask = next((place.mask for place in back[-1:] if place), None)
    path.places[key.index] = Placed(key.time, sighting.box, mask, score, tracked=False)
    for label, own in sighting.labels.items():
        path.seen[label] = path.seen.get(label, 0.0) + own
    path.sightings += 1
    path.look, path.box, path.sure, path.missed = sighting.look, sighting.box, key.index, 0


def go_unseen(
    path: Path,
    chunk: Sequence[VideoFrame],
    ahead: Sequence[Tracked | None],
    taken: Sequence[Box],
    looked: bool,
) -> None:
    """Follow a path alone, until it is lost, is on another thing, or goes unseen for too long."""
    for frame, place in zip(chunk[1:], ahead[1:], strict=True):
        if place is not None:
            path.places[frame.index] = _placed(frame, place)
    end = ahead[-1]
    path.missed += looked
    if end is None:
        path.box = None
    elif path.missed > _MOST_MISSED or any(box_iou(end.box, box) >= _TAKEN for box in taken):
        path.box = None
        path.places = {index: own for index, own in path.places.items() if index <= path.sure}
    else:
        path.box = end.box


def draw_first(
    frame: VideoFrame, active: Sequence[Path], forwards: Sequence[Sequence[Tracked | None]]
) -> None:
    """Take over the masks that a tracker makes in the frame from which it starts."""
    for path, ahead in zip(active, forwards, strict=True):
        known, drawn = path.places.get(frame.index), ahead[0]
        if known is not None and known.mask is None and drawn is not None:
            path.places[frame.index] = known._replace(mask=drawn.mask)


def _nearer(ahead: Tracked | None, back: Tracked | None, *, nearer_ahead: bool) -> Tracked | None:
    """Return that of two places which comes from the nearer key frame."""
    if ahead is None or back is None:
        return ahead or back
    return ahead if nearer_ahead else back


def _placed(frame: VideoFrame, place: Tracked) -> Placed:
    return Placed(frame.time, place.box, place.mask, min(max(place.score, 0.0), 1.0), tracked=True)
