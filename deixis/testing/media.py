"""Sound and video for tests, made on the spot: tones, and boxes that move."""

import io
import math
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deixis.base.sound import RATE, wav_bytes

BOX = 16
"""The side of the moving box, in pixels."""


def tone(
    seconds: float, hertz: float = 440.0, rate: int = RATE, channels: int = 1
) -> NDArray[np.float32]:
    """Return a sine of half the full height, of shape ``(N,)`` or ``(N, channels)``."""
    times = np.arange(round(seconds * rate)) / rate
    wave = (0.5 * np.sin(2 * math.pi * hertz * times)).astype(np.float32)
    return wave if channels == 1 else np.repeat(wave[:, None], channels, axis=1)


def wav(seconds: float, hertz: float = 440.0, rate: int = RATE, channels: int = 1) -> bytes:
    """Return a tone as a WAV file of 16 bits."""
    return wav_bytes(tone(seconds, hertz, rate, channels), rate)


def boxes(count: int, width: int = 96, height: int = 64, step: float = 2.0) -> NDArray[np.uint8]:
    """Return frames of shape ``(T, H, W, 3)``: a red box goes right over a grey ground.

    In frame `t` its left upper corner is at ``(round(t * step) % (width - BOX), 8)``. There is a
    texture on the box and the ground, so that trackers find points to hold on to.
    """
    noise = np.random.default_rng(0).integers(-30, 30, (height, width, 1))
    frames = np.repeat((110 + noise)[None], count, axis=0).repeat(3, axis=3).astype(np.uint8)
    red = np.array([220, 30, 30]) + noise[:BOX, :BOX]
    for index, frame in enumerate(frames):
        left = round(index * step) % (width - BOX)
        frame[8 : 8 + BOX, left : left + BOX] = red.clip(0, 255)
    return frames


def film(
    frames: NDArray[np.uint8],
    rate: int = 25,
    *,
    times: Sequence[float] | None = None,
    sound: NDArray[np.float32] | None = None,
    sound_start: float = 0.0,
    turned: int = 0,
    mirrored: bool = False,
    form: str = "mp4",
    codec: str = "libx264",
    audio_codec: str = "aac",
    **options: str,
) -> bytes:
    """Return frames as a video file.

    Args:
        frames: of shape ``(T, H, W, 3)``, with even sides.
        rate: frames a second.
        times: when each begins, in seconds, for a variable frame rate.
        sound: mono, `RATE` samples a second, that goes with them.
        sound_start: seconds after the first frame at which that begins.
        turned: degrees, counterclockwise, that a player is to turn the frames by.
        mirrored: whether it is to mirror them too, left and right.
        form: ``mp4``, ``matroska``, ``webm``, ``avi``, ``mpegts``...
        codec: of the frames.
        audio_codec: of the sound.
        options: of the encoder of the frames, such as ``g`` (frames from key to key).
    """
    import av

    data = io.BytesIO()
    with av.open(data, "w", format=form) as file:
        stream: Any = file.add_stream(codec, rate=rate, options=options or {"preset": "ultrafast"})
        stream.height, stream.width = frames.shape[1:3]
        stream.pix_fmt = "yuv420p"
        stream.codec_context.time_base = stream.time_base = Fraction(1, 1000 if times else rate)
        if turned or mirrored:
            stream.set_display_rotation(turned, hflip=mirrored)
        heard: Any = file.add_stream(audio_codec, rate=RATE) if sound is not None else None
        if heard:
            heard.layout = "mono"
        for index, pixels in enumerate(frames):
            frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
            frame.pts = round(times[index] * 1000) if times else index
            frame.time_base = stream.codec_context.time_base
            file.mux(stream.encode(frame))
        file.mux(stream.encode(None))
        if sound is not None:
            part = av.AudioFrame.from_ndarray(sound[None], format="fltp", layout="mono")
            part.sample_rate, part.time_base = RATE, Fraction(1, RATE)
            part.pts = round(sound_start * RATE)
            file.mux(heard.encode(part))
            file.mux(heard.encode(None))
    return data.getvalue()


def heard(sound: NDArray[np.float32], form: str, codec: str, rate: int = RATE) -> bytes:
    """Return sound alone as a file: ``mp3`` with ``libmp3lame``, ``flac``, ``ogg``, ``mp4``..."""
    import av

    data = io.BytesIO()
    with av.open(data, "w", format=form) as file:
        stream: Any = file.add_stream(codec, rate=rate)
        layout = "mono" if sound.ndim == 1 else {2: "stereo", 6: "5.1"}[sound.shape[1]]
        stream.layout = layout
        columns = np.ascontiguousarray(sound.reshape(len(sound), -1).T)
        for start in range(0, len(sound), rate):
            block = np.ascontiguousarray(columns[:, start : start + rate])
            part = av.AudioFrame.from_ndarray(block, format="fltp", layout=layout)
            part.sample_rate, part.pts, part.time_base = rate, start, Fraction(1, rate)
            file.mux(stream.encode(part))
        file.mux(stream.encode(None))
    return data.getvalue()
