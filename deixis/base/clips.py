"""Parts of videos, encoded anew and small: for models that watch, and for pages."""

import io
from collections.abc import Iterator
from fractions import Fraction
from typing import TYPE_CHECKING

from deixis.base.sound import RATE, Samples
from deixis.base.video import OpenedVideo, VideoFrame
from deixis.errors import InputError, MissingExtraError

if TYPE_CHECKING:
    from av.audio.stream import AudioStream
    from av.container import OutputContainer
    from av.video.stream import VideoStream

_TICKS = 1000  # a second
# A number of threads of our own: with other numbers the same frames become other bytes.
_ENCODER = {"preset": "veryfast", "crf": "28", "threads": "2"}


def clip_bytes(
    video: OpenedVideo,
    start: float = 0.0,
    end: float | None = None,
    *,
    rate: float,
    longest_side: int,
    most_seconds: float,
    sound: bool = True,
) -> bytes:
    """Return a part of a video as an MP4 of H.264, with its sound as AAC if it has any.

    Times in it are those of the video less `start`. Of one part come the same bytes every time.

    Args:
        video: what it is taken from.
        start: seconds.
        end: seconds; None is the end of the video.
        rate: at most about so many frames a second.
        longest_side: of the frames, in pixels; smaller ones stay as they are.
        most_seconds: where it stops, however late `end` is.
        sound: whether its sound comes too.

    Raises:
        InputError: no frame of that part can be decoded.
        MissingExtraError: PyAV is not installed.
    """
    try:
        import av
    except ImportError as error:
        raise MissingExtraError("av", "media") from error
    stop = min(video.seconds if end is None else end, start + most_seconds)
    heard = video.sound_samples(stop, stop) if sound else None
    data = io.BytesIO()
    with av.open(data, "w", format="mp4", container_options={"fflags": "+bitexact"}) as clip:
        seen = clip.add_stream(
            "libx264", Fraction(min(rate, video.rate)).limit_denominator(1000), dict(_ENCODER)
        )
        spoken = clip.add_stream("aac", RATE, layout="mono") if heard else None
        _write_frames(clip, seen, video.read(start, stop, rate), start, _size(video, longest_side))
        if heard is not None and spoken is not None:
            _write_sound(clip, spoken, heard.samples[round(start * RATE) :])
    return data.getvalue()


def _size(video: OpenedVideo, longest_side: int) -> tuple[int, int]:
    """Two pixels share a colour in each direction, so both sides are even."""
    scale = min(1.0, longest_side / max(video.width, video.height)) / 2
    return max(2, round(video.width * scale) * 2), max(2, round(video.height * scale) * 2)


def _write_frames(
    clip: "OutputContainer",
    stream: "VideoStream",
    frames: Iterator[VideoFrame],
    start: float,
    size: tuple[int, int],
) -> None:
    import av

    stream.width, stream.height = size
    stream.pix_fmt = "yuv420p"
    stream.codec_context.time_base = Fraction(1, _TICKS)
    last = -1
    for frame in frames:
        picture = av.VideoFrame.from_ndarray(frame.pixels, format="rgb24")
        picture = picture.reformat(*size, "yuv420p", interpolation="AREA")
        last = max(round(max(frame.time - start, 0) * _TICKS), last + 1)
        picture.pts, picture.time_base = last, Fraction(1, _TICKS)
        clip.mux(stream.encode(picture))
    if last < 0:
        raise InputError(f"no frame from {start:g} seconds on can be decoded; ask for another part")
    clip.mux(stream.encode(None))


def _write_sound(clip: "OutputContainer", stream: "AudioStream", samples: Samples) -> None:
    import av

    for begin in range(0, len(samples), RATE):
        block = samples[None, begin : begin + RATE]
        part = av.AudioFrame.from_ndarray(block, format="fltp", layout="mono")
        part.sample_rate, part.pts, part.time_base = RATE, begin, Fraction(1, RATE)
        clip.mux(stream.encode(part))
    clip.mux(stream.encode(None))
