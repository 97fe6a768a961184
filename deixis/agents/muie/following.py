"""Following things through a video: looked for in key frames, followed both ways between them.

What is in memory at a time are the frames between two key frames. A thing goes on being itself
where a tracker leads to what is seen in the next key frame; who was out of sight is known again by
its looks. Each thing that is seen belongs to one path at most, by optimal assignment.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from deixis.agents.main.assignment import assign
from deixis.agents.main.places import SAME_PLACE
from deixis.agents.muie.paths import Path, Sighting, arrive, draw_first, fit, go_unseen, look_of
from deixis.base.boxes import Box, area, box_iou
from deixis.base.video import OpenedVideo, VideoFrame
from deixis.errors import ToolError
from deixis.tools.base import Detection, Picture, Tracked, Tracker

MOST_BYTES = 256_000_000
"""Of frames in memory; where more would be between two key frames, one comes earlier."""

_DOUBTFUL = 0.6  # share of the score of the whole
_INSIDE = 0.8  # share of a part that is inside the whole


@dataclass
class Followed:
    """What came of it.

    ``looked``: key frames in which was looked. ``failures``: what the detector and the tracker
    said when they failed. ``cut``: whether there were more things than may be followed.
    """

    paths: list[Path] = field(default_factory=list)
    looked: int = 0
    failures: list[str] = field(default_factory=list)
    cut: bool = False


class Follower:
    """Follows what a detector finds.

    Args:
        detect: finds things in a key frame.
        tracker: follows them between key frames; None where nobody does.
        rate: frames a second that are followed.
        key_seconds: from one key frame to the next.
        most: paths at most.
    """

    def __init__(
        self,
        detect: Callable[[Picture], list[Detection]],
        tracker: Tracker | None,
        *,
        rate: float,
        key_seconds: float,
        most: int,
    ) -> None:
        self._detect = detect
        self._tracker = tracker
        self._rate = rate if tracker else 1 / key_seconds
        self._key_seconds = key_seconds
        self._most = most
        self.result = Followed()

    def follow(self, video: OpenedVideo) -> Followed:
        """Go through a video once.

        Raises:
            InputError: it cannot be decoded.
        """
        for chunk in self._chunks(video):
            self._go_on(chunk)
        return self.result

    def _chunks(self, video: OpenedVideo) -> Iterator[list[VideoFrame]]:
        """Yield the frames from each key frame to the next, both included; the first one alone."""
        chunk: list[VideoFrame] = []
        due = 0.0
        for frame in video.read(rate=self._rate):
            chunk.append(frame)
            full = (len(chunk) + 1) * frame.pixels.nbytes > MOST_BYTES
            if len(chunk) == 1 or frame.time >= due - 1e-6 or full:
                yield chunk
                chunk, due = [frame], frame.time + self._key_seconds
        if len(chunk) > 1:
            yield chunk

    def _go_on(self, chunk: Sequence[VideoFrame]) -> None:
        """Take all paths from the first frame of a chunk to its last, a key frame."""
        paths = self.result.paths
        active = [path for path in paths if path.box is not None]
        forwards = self._track(chunk, [path.box for path in active if path.box])
        ahead = dict(zip(map(id, active), forwards, strict=True))
        draw_first(chunk[0], active, forwards)
        sightings = self._look(chunk[-1])
        if sightings is None:
            owners: list[Path | None] = []
        else:
            owners = self._owners(sightings, ahead)
        found = [
            (path, sighting)
            for path, sighting in zip(owners, sightings or [], strict=True)
            if path is not None
        ]
        backwards = self._track(chunk[::-1], [sighting.box for _, sighting in found])
        seen = {
            id(path): (sighting, back[::-1])
            for (path, sighting), back in zip(found, backwards, strict=True)
        }
        for path in paths:
            ahead_of_it = ahead.get(id(path), [None] * len(chunk))
            if id(path) in seen:
                arrive(path, chunk, ahead_of_it, *seen[id(path)])
            elif path.box is not None:
                taken = [sighting.box for _, sighting in found]
                go_unseen(path, chunk, ahead_of_it, taken, looked=sightings is not None)

    def _track(
        self, chunk: Sequence[VideoFrame], boxes: Sequence[Box]
    ) -> list[list[Tracked | None]]:
        """Follow boxes through a chunk; a tracker that fails is not asked again."""
        if self._tracker is not None and boxes and len(chunk) > 1:
            try:
                return self._tracker.track([frame.pixels for frame in chunk], boxes)
            except ToolError as error:
                self.result.failures.append(f"nothing was followed from there on: {error}")
                self._tracker = None
        return [[None] * len(chunk) for _ in boxes]

    def _look(self, frame: VideoFrame) -> list[Sighting] | None:
        """Return the things in a key frame, the surest first; None where the detector fails."""
        try:
            detections = self._detect(frame.pixels)
        except ToolError as error:
            self.result.failures.append(f"{frame.time:.1f} s was not looked at: {error}")
            return None
        self.result.looked += 1
        sightings: list[Sighting] = []
        for label, box, score in sorted(detections, key=lambda found: -found.score):
            same = next((own for own in sightings if box_iou(own.box, box) >= SAME_PLACE), None)
            if same is None and not any(_is_part(own, label, box, score) for own in sightings):
                sightings.append(Sighting(box, {label: score}, look_of(frame.pixels, box)))
            elif same is not None:
                same.labels.setdefault(label, score)
        return sightings

    def _owners(
        self, sightings: Sequence[Sighting], ahead: dict[int, list[Tracked | None]]
    ) -> list[Path | None]:
        """Say whose each sighting is; one that is nobody's begins a path, if there may be more."""
        paths = self.result.paths
        scores = np.array(
            [[fit(path, sighting, ahead.get(id(path))) for sighting in sightings] for path in paths]
        ).reshape(len(paths), len(sightings))
        count = len(sightings)
        given = assign(scores, np.zeros(scores.shape, bool), np.zeros((count, count), bool))
        owners: list[Path | None] = [None] * count
        for path, columns in zip(paths, given, strict=True):
            for column in columns:
                owners[column] = path
        for number, sighting in enumerate(sightings):
            if owners[number] is None:
                if len(paths) >= self._most:
                    self.result.cut = True
                    break
                paths.append(new := Path(sighting.look))
                owners[number] = new
        return owners


def _is_part(whole: Sighting, label: str, box: Box, score: float) -> bool:
    """Whether a doubtful detection is a part of a surer one of the same label."""
    x1, y1, x2, y2 = box
    left, top, right, bottom = whole.box
    inside = area((max(x1, left), max(y1, top), min(x2, right), min(y2, bottom)))
    doubtful = score < _DOUBTFUL * whole.labels.get(label, 0.0)
    return doubtful and inside >= _INSIDE * area(box)
