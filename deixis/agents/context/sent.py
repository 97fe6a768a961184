"""Sound and video as chat models are sent them, within the limits of the settings."""

from typing import TypeVar

from deixis.agents.context.state import Update, notice
from deixis.base.clips import clip_bytes
from deixis.base.sound import RATE, wav_bytes
from deixis.base.video import OpenedVideo
from deixis.errors import DeixisError
from deixis.llms.media import Clip, Recording, clip, recording
from deixis.settings import Options
from deixis.tools.base import Samples

Sent = TypeVar("Sent", Recording, Clip)

FRAMES_PER_SECOND = 4.0
"""Of a clip, at most: Gemini looks at one a second and Qwen at two, unless told otherwise."""
LONGEST_SIDE = 768
"""Pixels of a frame's longer side, which Gemini's tiles have; servers make larger ones smaller."""


def recording_of(samples: Samples, options: Options, step: str) -> tuple[Recording | None, Update]:
    """Return sound that can be sent, or None and a notice of why not.

    Args:
        samples: mono, 16,000 a second.
        options: with the limits.
        step: who sends it.
    """
    seconds = len(samples) / RATE
    if too_long := _too_long("sound", seconds, options):
        return None, notice(step, too_long)
    return _small(recording(wav_bytes(samples), seconds), options, step)


def clip_of(video: OpenedVideo, options: Options, step: str) -> tuple[Clip | None, Update]:
    """Return a video that can be sent, or None and a notice of why not.

    It is encoded anew: few frames a second, small ones, without sound, which goes as a recording.

    Args:
        video: all of which is sent.
        options: with the limits.
        step: who sends it.
    """
    if too_long := _too_long("video", video.seconds, options):
        return None, notice(step, too_long)
    try:
        data = clip_bytes(
            video,
            rate=FRAMES_PER_SECOND,
            longest_side=min(LONGEST_SIDE, options.image_side),
            most_seconds=options.sent_seconds,
            sound=False,
        )
    except DeixisError as error:
        return None, notice(step, f"the video was not sent: {error}")
    return _small(clip(data, video.seconds), options, step)


def _too_long(what: str, seconds: float, options: Options) -> str:
    if seconds <= options.sent_seconds:
        return ""
    return (
        f"the {what} was not sent: it has {seconds:,.1f} seconds, and a chat model is sent "
        f"{options.sent_seconds:,g} at most (options.sent_seconds)"
    )


def _small(medium: Sent, options: Options, step: str) -> tuple[Sent | None, Update]:
    size = len(medium.data)
    if size <= options.sent_bytes:
        return medium, {}
    what = "sound" if medium.kind == "audio" else "video"
    return None, notice(
        step,
        f"the {what} was not sent: it has {size:,} bytes, and a chat model is sent "
        f"{options.sent_bytes:,} at most (options.sent_bytes)",
    )
