"""Video as models in this process are shown it: a few frames as pictures, each with its time.

The processors of transformers that take a video whole need torchvision.
"""

import math
from typing import Any

import numpy as np
from langchain_core.messages import BaseMessage

from deixis.base.video import VideoFrame, open_video
from deixis.errors import InputError, ModelCallError
from deixis.llms.local.transformers_media import decoded
from deixis.llms.photos import photo

RATE = 2.0
"""Most frames a second, as Qwen's video processors take them."""
LONGEST = 4096
"""Most pixels of a frame's longer side; the model's own processor makes it smaller."""
_SECONDS, _PIXELS = 86_400.0, 64_000_000


def with_frames(messages: list[BaseMessage], most: int) -> list[BaseMessage]:
    """Return messages with frames in place of every video.

    Args:
        messages: as LangChain has them.
        most: frames of one video, evenly spaced.

    Raises:
        ModelCallError: a video that is not in the message, or cannot be opened.
        MissingExtraError: PyAV is not installed.
    """

    def shown(message: BaseMessage) -> BaseMessage:
        if isinstance(message.content, str) or not any(map(_is_video, message.content)):
            return message
        content: list[Any] = []
        for block in message.content:
            content += _frames(block, most) if _is_video(block) else [block]
        return message.model_copy(update={"content": content})

    return [shown(message) for message in messages]


def _is_video(block: Any) -> bool:
    return isinstance(block, dict) and block.get("type") == "video"


def _frames(block: Any, most: int) -> list[dict[str, Any]]:
    if "base64" not in block:
        raise ModelCallError("failed", "a video must be in the message, as base64 with mime_type")
    given = decoded(block["base64"], "video")
    limits: Any = {"max_seconds": _SECONDS, "max_bytes": len(given), "max_pixels": _PIXELS}
    try:
        video = open_video(given, **limits)
        count = min(most, max(1, math.ceil(video.seconds * RATE)))
        # The middles of so many equal parts; a frame that is shown for long stands for several.
        times = (np.arange(count) + 0.5) * video.seconds / count
        frames = {frame.index: frame for frame in video.at(times.tolist())}
    except InputError as error:
        raise ModelCallError("failed", str(error)) from None
    return [part for frame in frames.values() for part in _parts(frame)]


def _parts(frame: VideoFrame) -> list[dict[str, Any]]:
    time = {"type": "text", "text": f"{frame.time:.1f} s:"}
    return [time, photo(frame.pixels, LONGEST).block()]
