"""A video of two boxes that move, and an extraction that followed them."""

import numpy as np
from numpy.typing import NDArray

from deixis.base.video import open_video
from deixis.schema import Entity, Extraction, Frame, Region, VideoInfo

RATE = 10.0


def footage(frames: int = 40, width: int = 320, height: int = 180) -> NDArray[np.uint8]:
    """Return a red box that goes right and a blue one that goes left, over a grey slope."""
    slope = np.linspace(60, 140, width)[None, None, :, None]
    pixels = np.broadcast_to(slope, (frames, height, width, 3)).astype(np.uint8)
    for i in range(frames):
        for number, tint in enumerate(((200, 40, 40), (40, 60, 200))):
            x1, y1, x2, y2 = (round(value) for value in box(number, i, frames, width, height))
            pixels[i, y1:y2, x1:x2] = tint
    return pixels


def box(
    number: int, i: int, frames: int = 40, width: int = 320, height: int = 180
) -> tuple[float, float, float, float]:
    """Return where the first (0) or the second box is in a frame."""
    share = i / (frames - 1)
    left = (0.05 + 0.7 * (share if number == 0 else 1 - share)) * width
    top = (0.15 + 0.4 * number) * height
    return left, top, left + 0.15 * width, top + 0.3 * height


def filmed(frames: int = 40, width: int = 320, height: int = 180) -> Extraction:
    """Return what was seen in `footage`: a box every second frame, of one to the half alone."""
    opened = open_video(
        (footage(frames, width, height), RATE), max_seconds=999, max_bytes=10**10, max_pixels=10**8
    )
    info = VideoInfo(
        sha256=opened.sha256,
        seconds=frames / RATE,
        width=width,
        height=height,
        frames=frames,
        rate=RATE,
        sound=False,
        source="array",
    )

    def track(number: int, until: int) -> list[Frame]:
        return [
            Frame(
                time=i / RATE,
                index=i,
                region=Region(
                    box=box(number, i, frames, width, height), score=0.5, source="optical-flow"
                ),
            )
            for i in range(0, until, 2)
        ]

    there = {"start": None, "end": None, "confidence": 0.75, "groundable": True}
    entities = [
        Entity(id="e1", text="the red <b>box", type="thing", track=track(0, frames), **there),
        Entity(
            id="e2",
            text="a dog",
            type="animal",
            start=None,
            end=None,
            confidence=0.5,
            groundable=False,
        ),
        Entity(id="e3", text="the blue box", type="thing", track=track(1, frames // 2), **there),
    ]
    return Extraction(text="", image=None, video=info, entities=entities)
