"""The one place that opens sound: from a path, a URL, bytes or samples with their rate.

Out comes mono sound of 16,000 samples a second, or an `InputError` that says in one line what
is wrong, where, and what to do. WAV files of whole numbers need no more than the standard
library; all else is decoded by PyAV, which the extra ``media`` brings.
"""

import hashlib
import io
import wave
from collections.abc import Iterator
from itertools import chain
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from deixis.base.images import Urls
from deixis.base.media_files import (
    MediaFile,
    check_seconds,
    container,
    decoded,
    header_seconds,
    media_file,
)
from deixis.base.pcm import BLOCK, RATE, Samples, at_16khz, wav_blocks
from deixis.errors import InputError

if TYPE_CHECKING:
    from av.audio.frame import AudioFrame
    from av.audio.resampler import AudioResampler

__all__ = ["RATE", "OpenedSound", "Samples", "open_sound", "sound_of", "wav_bytes"]

_LOWEST, _HIGHEST = 8_000, 192_000  # samples a second
_MOST_CHANNELS = 64
_LOUDEST = 2.0  # what overshoots a little is cut; what is louder was never scaled to -1..1
_GAP = 0.1  # seconds between one frame and the next from which silence is put in


class OpenedSound(NamedTuple):
    """Decoded sound.

    ``samples`` is mono, float32, of shape ``(N,)``, 16,000 a second, from -1 to 1: the mean of
    the channels. ``sha256`` is that of the file, or of rate, shape and samples when an array was
    given. ``rate`` (a second) and ``channels`` are those of what was given. ``source`` is the
    path as given, the URL without credentials, else ``bytes`` or ``array``.
    ``notes`` says what degraded, one line each.
    """

    samples: Samples
    sha256: str
    seconds: float
    rate: int
    channels: int
    source: str
    notes: list[str]


def open_sound(
    audio: object,
    *,
    max_seconds: float,
    max_bytes: int,
    urls: Urls = "public",
    timeout: float = 60.0,
) -> OpenedSound:
    """Open sound in any form that Deixis takes. Silence is sound too.

    Args:
        audio: a path (str or Path), an http(s) URL, the bytes of a file of sound or of a video
            with sound, or a pair ``(samples, rate)``: an array of shape ``(N,)`` or
            ``(N, channels)``, floats from -1 to 1 or whole numbers of 16 or 32 bits, and how
            many there are a second, from 8,000 to 192,000.
        max_seconds: refuse longer sound; decoding stops there.
        max_bytes: refuse larger files; a download stops there.
        urls: as for `deixis.base.images.open_image`.
        timeout: seconds that a download may take in all.

    Raises:
        InputError: the sound cannot be found, read, decoded, or is outside the limits.
        MissingExtraError: it takes PyAV to decode it, which is not installed.
    """
    if isinstance(audio, tuple):
        return _from_array(audio, max_seconds, max_bytes)
    file = media_file(audio, "sound", max_bytes=max_bytes, urls=urls, timeout=timeout)
    return _from_wav(file, max_seconds) or sound_of(file, max_seconds)


def sound_of(
    file: MediaFile, max_seconds: float, begin: float | None = None, end: float | None = None
) -> OpenedSound:
    """Decode the first stream of sound in a file.

    Args:
        file: of sound, or of video with sound.
        max_seconds: refuse longer sound.
        begin: where its first sample shall be, in seconds of the file's own clock; what comes
            earlier is left out, what comes later has silence before it. None: where it begins.
        end: seconds of the result where decoding stops without a word. None: at the end.

    Raises:
        InputError: there is no such stream, it is broken, or outside the limits.
    """
    faults: list[str] = []
    mono = bytearray()  # grows in place, and becomes the array without a copy
    with container(file, "sound") as opened:
        stream = next((s for s in opened.streams.audio if s.codec_context is not None), None)
        if stream is None:
            raise InputError(
                f"{file.where}: holds no sound that can be decoded; give one that does"
            )
        if end is None:
            check_seconds(header_seconds(opened), file.where, "sound", max_seconds)
        promised = (stream.duration or 0) * float(stream.time_base or 0)
        frames = decoded(opened, stream, faults)
        first = next(frames, None)
        if first is None:
            reason = f" ({faults[0]})" if faults else ""
            raise InputError(
                f"{file.where}: no sound in it could be decoded{reason}; give a whole file"
            )
        late = 0.0  # seconds between where the sound shall begin and where it does
        if begin is not None and first.time is not None:
            late = first.time - begin
            check_seconds(late, file.where, "sound", max_seconds)
            mono += bytes(4 * max(round(late * RATE), 0))
        early = 4 * max(round(-late * RATE), 0)
        for piece in _mono(chain([first], frames), max_seconds, file.where):
            mono += piece.tobytes()
            seconds = (len(mono) - early) / 4 / RATE
            if end is not None and seconds >= end:
                promised = 0.0
                break
            check_seconds(seconds, file.where, "sound", max_seconds)
    del mono[:early]
    if end is not None:
        del mono[4 * max(round(end * RATE), 0) :]
    samples = np.frombuffer(mono, dtype=np.float32)
    seconds = len(samples) / RATE
    if seconds < promised / 10:
        raise InputError(
            f"{file.where}: of {promised:.1f} seconds of sound only {seconds:.1f} could be "
            "decoded; give a whole file"
        )
    notes = _notes(faults, seconds, promised)
    rate, channels = first.sample_rate, len(first.layout.channels)
    return _opened(samples, file.sha256, rate, channels, file.source, notes)


def wav_bytes(samples: NDArray[np.float32], rate: int = RATE) -> bytes:
    """Return sound as a WAV file of 16 bits.

    Args:
        samples: of shape ``(N,)`` or ``(N, channels)``, from -1 to 1.
        rate: samples a second.
    """
    data = io.BytesIO()
    with wave.open(data, "wb") as file:
        file.setnchannels(samples.shape[1] if samples.ndim > 1 else 1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes((np.clip(samples, -1, 1) * 32767).round().astype("<i2").tobytes())
    return data.getvalue()


def _opened(
    samples: Samples, sha256: str, rate: int, channels: int, source: str, notes: list[str]
) -> OpenedSound:
    np.clip(samples, -1, 1, out=samples)
    return OpenedSound(samples, sha256, len(samples) / RATE, rate, channels, source, notes)


def _check_form(where: str, rate: int, channels: int) -> None:
    if not _LOWEST <= rate <= _HIGHEST:
        raise InputError(
            f"{where}: {rate:,} samples a second; from {_LOWEST:,} to {_HIGHEST:,} are read"
        )
    if not 1 <= channels <= _MOST_CHANNELS:
        raise InputError(f"{where}: {channels} channels; from 1 to {_MOST_CHANNELS} are read")


def _notes(faults: list[str], seconds: float, promised: float) -> list[str]:
    notes = []
    if faults:
        notes.append(f"parts of the sound are broken and left out: {len(faults)} ({faults[0]})")
    if promised > seconds + 1:
        notes.append(f"the sound is cut short: {seconds:.1f} of {promised:.1f} seconds")
    return notes


def _from_array(given: tuple[Any, ...], max_seconds: float, max_bytes: int) -> OpenedSound:
    where = "the array"
    if len(given) != 2 or not isinstance(given[0], np.ndarray):
        raise InputError("sound as an array is a pair (samples, rate) with a NumPy array")
    array, rate = given
    if isinstance(rate, bool) or not isinstance(rate, int | np.integer):
        raise InputError(f"{where}: its rate is the whole number of samples a second; got {rate!r}")
    if array.ndim not in (1, 2) or array.dtype not in ("int16", "int32", "float32", "float64"):
        raise InputError(
            f"{where}: has to be of shape (N,) or (N, channels), of int16, int32, float32 or "
            f"float64; got {array.dtype} of shape {array.shape}"
        )
    if not array.size:
        raise InputError(f"{where}: holds no sample; give some sound")
    channels = array.shape[1] if array.ndim == 2 else 1
    _check_form(where, int(rate), channels)
    check_seconds(len(array) / rate, where, "sound", max_seconds)
    if array.nbytes > max_bytes:
        raise InputError(f"{where}: over {max_bytes:,} bytes; give a shorter one")
    scale = 1.0 if array.dtype.kind == "f" else float(np.iinfo(array.dtype).max) + 1
    if not np.isfinite(peak := float(max(array.max(), -float(array.min())) / scale)):
        raise InputError(f"{where}: holds numbers that are not finite; mend them")
    if peak > _LOUDEST:
        raise InputError(
            f"{where}: floats have to be from -1 to 1, and go up to {peak:g}; divide them by that"
        )
    digest = hashlib.sha256(f"{rate} {array.dtype.str} {array.shape}".encode("ascii"))
    digest.update(np.ascontiguousarray(array).data)
    columns = array.reshape(len(array), channels)
    blocks = (
        (columns[start : start + BLOCK] / scale).mean(axis=1)
        for start in range(0, len(array), BLOCK)
    )
    notes = ["samples beyond -1 and 1 are cut"] if peak > 1 else []
    samples = at_16khz(blocks, int(rate))
    return _opened(samples, digest.hexdigest(), int(rate), channels, "array", notes)


def _from_wav(file: MediaFile, max_seconds: float) -> OpenedSound | None:
    """Read a WAV of whole numbers; None for everything else."""
    with file.open() as data:
        try:
            sound = wave.open(data, "rb")  # noqa: SIM115 - it closes nothing that it is given
        except (wave.Error, EOFError, RuntimeError, ValueError):
            return None
        rate, channels, width = sound.getframerate(), sound.getnchannels(), sound.getsampwidth()
        if width not in (1, 2, 3, 4):
            return None
        _check_form(file.where, rate, channels)
        promised = sound.getnframes() / rate
        # A file that was written as it came gives no size, or a huge one.
        check_seconds(
            min(promised, file.size / (width * channels) / rate),
            file.where,
            "sound",
            max_seconds,
        )
        samples = at_16khz(wav_blocks(sound, width, channels), rate)
    if not len(samples):
        raise InputError(f"{file.where}: a WAV without a sample; give some sound")
    endless = promised * rate * width * channels >= 0x7FFF0000
    notes = [] if endless else _notes([], len(samples) / RATE, promised)
    return _opened(samples, file.sha256, rate, channels, file.source, notes)


def _mono(frames: Iterator["AudioFrame"], max_seconds: float, where: str) -> Iterator[Samples]:
    """Bring decoded frames to 16 kHz; where the clock jumps ahead, there is silence."""
    from av.audio.resampler import AudioResampler

    form, resampler, clock = None, None, None
    for frame in frames:
        if frame.time is not None:
            clock = frame.time if clock is None else clock
            if frame.time - clock > _GAP:
                check_seconds(frame.time - clock, where, "sound", max_seconds)
                yield from _resampled(resampler, None)
                form = None
                yield np.zeros(round((frame.time - clock) * RATE), np.float32)
                clock = frame.time
        if (frame.format.name, frame.layout.name, frame.sample_rate) != form:
            yield from _resampled(resampler, None)
            form = frame.format.name, frame.layout.name, frame.sample_rate
            _check_form(where, frame.sample_rate, len(frame.layout.channels))
            resampler = AudioResampler("fltp", frame.layout, RATE)
        clock = (clock or 0.0) + frame.samples / frame.sample_rate
        yield from _resampled(resampler, frame)
    yield from _resampled(resampler, None)


def _resampled(resampler: "AudioResampler | None", frame: "AudioFrame | None") -> Iterator[Samples]:
    for part in resampler.resample(frame) if resampler else []:
        yield part.to_ndarray().mean(axis=0, dtype=np.float32)
