"""watch: choose the frames of the video that questions show."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from deixis.agents.context.media_records import FrameTime
from deixis.agents.context.state import State, Update, notice
from deixis.agents.context.toolbox import Toolbox
from deixis.agents.muie.options import MuieOptions
from deixis.base.video import OpenedVideo, VideoFrame
from deixis.errors import InputError
from deixis.tools.base import Picture

_PLACES = (0.5, 0.25, 0.75)
"""Where in its part of the video a frame is looked for: in the middle first."""
_SMALL = 32  # pixels of a side, as frames are compared
_BLANK = 6.0  # most standard deviation of a frame that shows nothing
_SAME = 2.0  # most mean difference, of 255, of two frames that show the same


def watch(state: State, toolbox: Toolbox) -> Update:
    """Choose frames that are evenly spread in time; nothing is done without a video.

    Each comes from a part of the video of the same length. Frames of one colour, and those that
    show what the frame before showed, are passed over where their part has another one.
    """
    video = toolbox.video(state)
    if video is None:
        return {}
    try:
        frames = _chosen(video, toolbox.graph_options(MuieOptions).frames)
    except InputError as error:
        return {"watched": [], "notices": notice("watch", f"no frames are shown: {error}")}
    if not frames:
        said = "no frame of the video can be decoded: none is shown"
        return {"watched": [], "notices": notice("watch", said)}
    return {"watched": frames}


def _chosen(video: OpenedVideo, count: int) -> list[FrameTime]:
    """Return at most `count` frames in order, each once; one of them is in memory at a time."""
    chosen: list[FrameTime] = []
    before: NDArray[np.float32] | None = None
    for number in range(count):
        best: tuple[int, VideoFrame, NDArray[np.float32]] | None = None
        for place in _PLACES:
            time = (number + place) * video.seconds / count
            for frame in video.at([time]):
                small = _small(frame.pixels)
                worth = _worth(small, before)
                if best is None or worth > best[0]:
                    best = worth, frame, small
            if best is not None and best[0] == 2:
                break
        if best is None or any(best[1].index <= known["index"] for known in chosen):
            continue
        before = best[2]
        chosen.append(FrameTime(index=best[1].index, time=best[1].time))
    return chosen


def _worth(small: NDArray[np.float32], before: NDArray[np.float32] | None) -> int:
    """Return 0 for a frame of one colour, 1 for one that was shown already, else 2."""
    if small.std() <= _BLANK:
        return 0
    return 1 if before is not None and np.abs(small - before).mean() <= _SAME else 2


def _small(pixels: Picture) -> NDArray[np.float32]:
    size = (_SMALL, _SMALL)
    image = Image.fromarray(pixels).resize(size, Image.Resampling.BOX)
    return np.asarray(image, dtype=np.float32)
