"""The one place that opens video: from a path, a URL, bytes or frames with their rate.

A video stays where it is: what is held in memory is one frame at a time. Times are seconds from
the first frame, in a variable frame rate too; frames are upright. Decoding takes PyAV, which
the extra ``media`` brings.
"""

import hashlib
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deixis.base.footage import ArrayFootage, FileFootage, Footage, Picture, check_pixels
from deixis.base.images import Urls
from deixis.base.media_files import MediaFile, check_seconds, media_file
from deixis.base.sound import OpenedSound, sound_of
from deixis.errors import InputError


@dataclass(frozen=True, eq=False, slots=True)
class VideoFrame:
    """One frame of a video.

    ``index`` is its number from 0 in the order of presentation, ``time`` its seconds from the
    first frame, ``pixels`` upright RGB, uint8, of shape ``(H, W, 3)``.
    """

    index: int
    time: float
    pixels: Picture


class OpenedVideo:
    """A video that frames and sound are read from. Several threads may read at once.

    Attributes:
        sha256: of the file, or of rate, shape and pixels when frames were given.
        seconds: from the first frame to the end of the last.
        width: of the frames, upright, in pixels.
        height: of the frames, upright, in pixels.
        frames: how many there are.
        rate: their mean number a second.
        sound: whether there is sound too.
        source: the path as given, the URL without credentials, else ``bytes`` or ``array``.
        notes: what degraded, one line each; reading may add to it.
    """

    def __init__(
        self,
        footage: Footage,
        *,
        sha256: str,
        seconds: float,
        source: str,
        notes: list[str],
        file: MediaFile | None = None,
    ) -> None:
        self._footage = footage
        self._file = file
        self.sha256 = sha256
        self.seconds = seconds
        self.width, self.height = footage.size
        self.frames = len(footage.times)
        self.rate = self.frames / seconds
        self.sound = isinstance(footage, FileFootage) and footage.sound
        self.source = source
        self.notes = notes

    def read(
        self, start: float = 0.0, end: float | None = None, rate: float | None = None
    ) -> Iterator[VideoFrame]:
        """Yield frames in order, one at a time in memory.

        Args:
            start: seconds; the first frame is that which is shown then.
            end: seconds; frames that begin then or later are left out. None: to the last. At or
                before `start` there are none.
            rate: about so many frames a second: those that are shown at regular times, each
                once. None: all.
        """
        times = self._footage.times
        stop = int(np.searchsorted(times, math.inf if end is None else end))
        stop = 0 if end is not None and end <= start else stop
        first = max(int(np.searchsorted(times, start, "right")) - 1, 0)
        wanted = np.arange(first, stop)
        if rate is not None and stop > first:
            begin = max(start, 0.0)
            count = math.ceil((times[stop - 1] - begin) * rate + 1e-6)
            ticks = begin + np.arange(max(count, 1)) / rate
            shown = np.searchsorted(times, ticks + 1e-6, "right") - 1
            wanted = np.unique(np.clip(shown, first, stop - 1))
        return self._frames(wanted.tolist())

    def at(self, times: Sequence[float]) -> list[VideoFrame]:
        """Return the frame nearest to each of these times, in their order.

        Few are decoded besides: it goes from key frame to key frame. A frame that stands for
        several times is the same object; one that is broken is left out.
        """
        nearest = self._nearest(times)
        frames = {frame.index: frame for frame in self._frames(np.unique(nearest).tolist())}
        return [frames[index] for index in nearest.tolist() if index in frames]

    def each(self, times: Sequence[float]) -> Iterator[VideoFrame]:
        """Yield the frames nearest to these times, in their own order and each once.

        As `at`, with one frame at a time in memory.
        """
        return self._frames(np.unique(self._nearest(times)).tolist())

    def _nearest(self, times: Sequence[float]) -> NDArray[np.int64]:
        """Return the number of the frame nearest to each of these times."""
        known = self._footage.times
        after = np.clip(np.searchsorted(known, times), 1, max(len(known) - 1, 1))
        after = np.minimum(after, len(known) - 1)
        before = np.maximum(after - 1, 0)
        nearer = np.abs(known[before] - times) <= np.abs(known[after] - times)
        return np.where(nearer, before, after)

    def sound_samples(self, max_seconds: float, end: float | None = None) -> OpenedSound | None:
        """Decode the video's own sound; its time 0 is that of the first frame.

        Args:
            max_seconds: refuse longer sound.
            end: seconds where decoding stops without a word. None: at the end.

        Returns:
            None if the video has no sound.

        Raises:
            InputError: it cannot be decoded, or is longer than `max_seconds`.
        """
        if self._file is None or not isinstance(self._footage, FileFootage) or not self.sound:
            return None
        return sound_of(self._file, max_seconds, self._footage.begin, end)

    def _frames(self, wanted: Sequence[int]) -> Iterator[VideoFrame]:
        for index, pixels in self._footage.pictures(wanted):
            yield VideoFrame(index, float(self._footage.times[index]), pixels)


def open_video(
    video: object,
    *,
    max_seconds: float,
    max_bytes: int,
    max_pixels: int,
    urls: Urls = "public",
    timeout: float = 60.0,
) -> OpenedVideo:
    """Open a video in any form that Deixis takes. Its frames are decoded when they are read.

    Args:
        video: a path (str or Path), an http(s) URL, the bytes of a file, or a pair
            ``(frames, rate)``: an RGB uint8 array of shape ``(T, H, W, 3)``, which has to stay
            as it is, and the frames a second.
        max_seconds: refuse longer videos, and those of more than 240 frames for each of them.
        max_bytes: refuse larger files; a download stops there.
        max_pixels: refuse larger frames, before decoding them.
        urls: as for `deixis.base.images.open_image`.
        timeout: seconds that a download may take in all.

    Raises:
        InputError: the video cannot be found, read, decoded, or is outside the limits.
        MissingExtraError: PyAV is not installed, and it takes it.
    """
    if isinstance(video, tuple):
        return _from_array(video, max_seconds, max_bytes, max_pixels)
    file = media_file(video, "video", max_bytes=max_bytes, urls=urls, timeout=timeout)
    notes: list[str] = []
    footage = FileFootage(file, max_seconds, max_pixels, notes)
    return OpenedVideo(
        footage,
        sha256=file.sha256,
        seconds=footage.seconds,
        source=file.source,
        notes=notes,
        file=file,
    )


def _from_array(
    given: tuple[Any, ...], max_seconds: float, max_bytes: int, max_pixels: int
) -> OpenedVideo:
    where = "the array"
    if len(given) != 2 or not isinstance(given[0], np.ndarray):
        raise InputError("video as an array is a pair (frames, rate) with a NumPy array")
    frames, rate = given
    if frames.dtype != np.uint8 or frames.ndim != 4 or frames.shape[3] != 3 or not len(frames):
        raise InputError(
            f"{where}: frames have to be RGB, uint8, of shape (T, H, W, 3); got {frames.dtype} of "
            f"shape {frames.shape}"
        )
    number = isinstance(rate, int | float | np.number) and not isinstance(rate, bool)
    if not number or not 0 < rate < math.inf:
        raise InputError(f"{where}: its rate is the number of frames a second; got {rate!r}")
    check_pixels(where, frames.shape[2], frames.shape[1], max_pixels)
    check_seconds(seconds := len(frames) / float(rate), where, "video", max_seconds)
    if frames.nbytes > max_bytes:
        raise InputError(f"{where}: over {max_bytes:,} bytes; give fewer or smaller frames")
    digest = hashlib.sha256(f"{float(rate)} {frames.shape}".encode("ascii"))
    for frame in frames:
        digest.update(np.ascontiguousarray(frame).data)
    footage = ArrayFootage(frames, float(rate))
    return OpenedVideo(
        footage, sha256=digest.hexdigest(), seconds=seconds, source="array", notes=[]
    )
