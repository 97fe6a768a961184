"""watch: choose the frames of the video that questions show."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from deixis.agents.context.media_records import FrameTime
from deixis.agents.context.state import State, Update, notice
from deixis.agents.context.toolbox import Toolbox
from deixis.agents.muie.options import MuieOptions
from deixis.base.video import OpenedVideo
from deixis.errors import InputError
from deixis.tools.base import Picture

_MIDDLE = 0.5
_ELSEWHERE = (0.25, 0.75)
"""Where in its part of the video a frame is looked for: in the middle first."""
_GOOD = 2  # the worth of a frame that shows something new
_SMALL = 32  # pixels of a side, as frames are compared
_BLANK = 6.0  # most standard deviation of a frame that shows nothing
_SAME = 2.0  # most mean difference, of 255, of two frames that show the same


class _Seen(NamedTuple):
    """A frame, known by its number, its time and what it looks like when it is small."""

    number: int
    time: float
    small: NDArray[np.float32]


def watch(state: State, toolbox: Toolbox) -> Update:
    """Choose frames that are evenly spread in time; nothing is done without a video.

    Each comes from a part of the video of the same length. Frames of one colour, and those that
    show what the frame before showed, are passed over where their part has another one.
    """
    try:
        video = toolbox.video(state)
        if video is None:
            return {}
        frames = _chosen(video, toolbox.graph_options(MuieOptions).frames)
    except InputError as error:
        return {"watched": [], "notices": notice("watch", f"no frames are shown: {error}")}
    if not frames:
        said = "no frame of the video can be decoded: none is shown"
        return {"watched": [], "notices": notice("watch", said)}
    return {"watched": frames}


def _chosen(video: OpenedVideo, count: int) -> list[FrameTime]:
    """Return at most `count` frames in order, each once; one of them is in memory at a time.

    The video is gone through twice at most: for the middles of its parts, and for other frames of
    those whose middle is no good.
    """
    seen: dict[int, list[_Seen]] = {part: [] for part in range(count)}
    _look(video, [(part + _MIDDLE) / count for part in range(count)], seen)
    chosen = _best(seen)
    poor = [part for part in seen if part not in chosen or chosen[part][0] < _GOOD]
    if poor:
        _look(video, [(part + place) / count for part in poor for place in _ELSEWHERE], seen)
        chosen = _best(seen)
    return [FrameTime(index=own.number, time=own.time) for _, own in chosen.values()]


def _look(video: OpenedVideo, places: Sequence[float], seen: dict[int, list[_Seen]]) -> None:
    """Add the frames at these places, as shares of the video, to what is seen of their parts."""
    count = len(seen)
    for frame in video.each([place * video.seconds for place in places]):
        own = seen[min(int(frame.time * count / video.seconds), count - 1)]
        if all(frame.index != known.number for known in own):
            own.append(_Seen(frame.index, frame.time, _small(frame.pixels)))


def _best(seen: Mapping[int, Sequence[_Seen]]) -> dict[int, tuple[int, _Seen]]:
    """Return the best frame of each part that has any, and its worth; the first of equals."""
    best: dict[int, tuple[int, _Seen]] = {}
    before: NDArray[np.float32] | None = None
    for part, frames in seen.items():
        if frames:
            rated = [(_worth(frame.small, before), frame) for frame in frames]
            best[part] = max(rated, key=lambda pair: pair[0])
            before = best[part][1].small
    return best


def _worth(small: NDArray[np.float32], before: NDArray[np.float32] | None) -> int:
    """Return 0 for a frame of one colour, 1 for one that was shown already, else 2."""
    if small.std() <= _BLANK:
        return 0
    return 1 if before is not None and np.abs(small - before).mean() <= _SAME else _GOOD


def _small(pixels: Picture) -> NDArray[np.float32]:
    size = (_SMALL, _SMALL)
    image = Image.fromarray(pixels).resize(size, Image.Resampling.BOX)
    return np.asarray(image, dtype=np.float32)
