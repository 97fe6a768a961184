"""The frames of a video, one after the other: decoded from a file, or taken from an array."""

import math
import sys
from array import array
from collections import deque
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from deixis.base.media_files import (
    MediaFile,
    check_seconds,
    container,
    decoded,
    header_seconds,
    packets,
)
from deixis.errors import InputError

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

Picture = NDArray[np.uint8]

_MOST_RATE = 240  # frames a second of the longest video: more are refused
_FAR = 30  # frames: what is farther ahead is sought, if a key frame lies between
_SHOWN = 0.04  # seconds that a single frame is shown, if nothing says how long
_LEAST_SIDE = 8  # pixels
_THREADS = 4  # that decode; each holds some frames in memory, so of large frames there are fewer
_AT_ONCE = 36_000_000  # pixels of the frames that threads work on


class Footage(Protocol):
    """Frames that can be taken out by their numbers.

    ``times`` are seconds from the first frame, ascending, of shape ``(T,)``; ``size`` is
    (width, height), upright.
    """

    times: NDArray[np.float64]
    size: tuple[int, int]

    def pictures(self, wanted: Sequence[int]) -> Iterator[tuple[int, Picture]]:
        """Yield each of these numbers, which ascend, with its frame: upright RGB."""
        ...


class ArrayFootage:
    """Frames that are in memory."""

    def __init__(self, frames: Picture, rate: float) -> None:
        self._frames = frames
        self.times = np.arange(len(frames)) / rate
        self.size = frames.shape[2], frames.shape[1]

    def pictures(self, wanted: Sequence[int]) -> Iterator[tuple[int, Picture]]:
        """Yield copies of the frames of these numbers."""
        for index in wanted:
            yield index, self._frames[index].copy()


class Survey(NamedTuple):
    """What a file says of its frames: their time stamps, those of key frames, and the end.

    Stamps ascend, each once, in units of the stream. The first one counts as a key frame.
    ``counted`` is True where decoded frames are to be told by counting, not by their stamps.
    ``read`` are the seconds that all streams together last.
    """

    stamps: NDArray[np.int64]
    keys: NDArray[np.int64]
    end: int
    counted: bool
    read: float


class FileFootage:
    """Frames that are decoded when they are asked for; several threads may ask at once.

    Args:
        file: the video.
        max_seconds: refuse longer ones.
        max_pixels: refuse larger frames.
        notes: gets a line when something is wrong, here and in later reading.

    Raises:
        InputError: there are no frames that can be decoded, or too many, or too large.
    """

    def __init__(
        self, file: MediaFile, max_seconds: float, max_pixels: int, notes: list[str]
    ) -> None:
        self._file, self._max_pixels, self._notes = file, max_pixels, notes
        with container(file, "video", max_pixels) as opened:
            stream = _video_stream(opened, file.where)
            check_pixels(file.where, stream.width, stream.height, max_pixels)
            check_seconds(header_seconds(opened), file.where, "video", max_seconds)
            base = float(stream.time_base or 0)
            self._survey = _survey(opened, stream, file.where, max_seconds)
            self.sound = any(s.codec_context is not None for s in opened.streams.audio)
            promised = header_seconds(opened)
        stamps = self._survey.stamps
        self.times = (stamps - stamps[0]) * base
        self.begin = float(stamps[0] * base)
        self.seconds = float((self._survey.end - stamps[0]) * base)
        if promised > self._survey.read + 1:
            read = f"{self._survey.read:.1f} of {promised:.1f} seconds"
            notes.append(f"the video is cut short: {read}")
        self.size = 0, 0
        self._matrix: list[int] | None = None
        first = next(self.pictures([0]), None)
        if first is None:
            raise InputError(f"{file.where}: no frame of it could be decoded; give a whole video")
        self.size = first[1].shape[1], first[1].shape[0]
        check_pixels(file.where, *self.size, max_pixels)

    def pictures(self, wanted: Sequence[int]) -> Iterator[tuple[int, Picture]]:
        """Yield the frames of these numbers; in place of a broken one stands its neighbour.

        What has no neighbour either is left out.
        """
        faults: list[str] = []
        for key, stretch in self._stretches(wanted):
            left = deque(stretch)
            last: VideoFrame | None = None
            with closing(self._frames(key, stretch[0], faults)) as frames:
                for index, last in frames:
                    if left[0] > index:
                        continue
                    picture = self._upright(last)
                    while left and left[0] <= index:
                        yield left.popleft(), picture
                    if not left:
                        break
            if last is not None and left:
                picture = self._upright(last)
                yield from ((index, picture) for index in left)
        if faults:
            note = f"parts of the video are broken and left out ({faults[0]})"
            self._notes += [note] if note not in self._notes else []

    def _upright(self, frame: "VideoFrame") -> Picture:
        if self._matrix is None:  # of the first frame, which is read before any thread asks
            self._matrix = display_matrix(frame)
        return upright(frame, self.size, self._matrix)

    def _stretches(self, wanted: Sequence[int]) -> Iterator[tuple[int, list[int]]]:
        """Yield what is decoded in one go, and the stamp of the key frame to begin with."""
        stamps, keys = self._survey.stamps, self._survey.keys
        begin, stretch = int(stamps[0]), list[int]()
        for index in wanted:
            key = int(keys[np.searchsorted(keys, stamps[index], "right") - 1])
            if np.searchsorted(stamps, key) - (stretch[-1] if stretch else 0) > _FAR:
                if stretch:
                    yield begin, stretch
                begin, stretch = key, []
            stretch.append(index)
        if stretch:
            yield begin, stretch

    def _frames(
        self, key: int, wanted: int, faults: list[str]
    ) -> Generator[tuple[int, "VideoFrame"]]:
        """Decode from a key frame on; from the beginning, where the file knows no way to it."""
        stamps = self._survey.stamps
        for begin in dict.fromkeys((key, int(stamps[0]))):
            with container(self._file, "video", self._max_pixels) as opened:
                stream = _video_stream(opened, self._file.where)
                stream.thread_type = "AUTO"
                pixels = max(stream.width * stream.height, 1)
                stream.thread_count = max(1, min(_THREADS, _AT_ONCE // pixels))
                if begin != stamps[0]:
                    opened.seek(begin, stream=stream)
                index = -1
                for frame in decoded(opened, stream, faults):
                    stamp = None if self._survey.counted else frame.pts
                    index = index + 1 if stamp is None else int(np.searchsorted(stamps, stamp))
                    if index > wanted and begin != stamps[0]:
                        break  # it went too far
                    wanted = len(stamps)  # was reached
                    yield min(index, len(stamps) - 1), frame
                else:
                    return


def display_matrix(frame: "VideoFrame") -> list[int]:
    """Return how a player is to lay a frame on the screen: rows of 3 numbers.

    Its x and y go to (a x + c y, b x + d y), with a, b in the first row and c, d in the second.
    PyAV frees a frame that was asked for it only when Python collects garbage, so one is asked.
    """
    matrix: Any = frame.side_data.get("DISPLAYMATRIX")
    return np.frombuffer(matrix, "=i4").tolist() if matrix else [1, 0, 0, 0, 1]


def upright(frame: "VideoFrame", size: tuple[int, int], matrix: list[int]) -> Picture:
    """Return the pixels of a decoded frame, turned as the file says.

    Args:
        frame: decoded.
        size: (width, height) that it is to have then; (0, 0) leaves it its own.
        matrix: as of `display_matrix`.
    """
    a, b, _, c, d = matrix[:5]
    swapped = abs(b) + abs(c) > abs(a) + abs(d)
    width, height = size[::-1] if swapped else size
    rgb = frame.reformat(width or frame.width, height or frame.height, "rgb24")
    pixels = rgb.to_ndarray().astype(np.uint8, copy=False)
    if swapped:
        pixels, a, d = pixels.transpose(1, 0, 2), c, b
    return np.ascontiguousarray(pixels[:: -1 if d < 0 else 1, :: -1 if a < 0 else 1])


def check_pixels(where: str, width: int, height: int, max_pixels: int) -> None:
    """Refuse frames that are too large or too small.

    Raises:
        InputError: they are over `max_pixels`, or a side has under 8 pixels.
    """
    if width * height > max_pixels:
        raise InputError(
            f"{where}: frames of {width} x {height} are over {max_pixels:,} pixels; "
            "make the video smaller"
        )
    if min(width, height) < _LEAST_SIDE:
        raise InputError(
            f"{where}: frames of {width} x {height}; both sides need at least {_LEAST_SIDE} pixels"
        )


def _video_stream(opened: "InputContainer", where: str) -> "VideoStream":
    from av.stream import Disposition

    for stream in opened.streams.video:
        cover = stream.disposition & Disposition.attached_pic
        if stream.codec_context is not None and not cover:
            return stream
    heard = "; it has sound, so give it as audio" if opened.streams.audio else ""
    raise InputError(f"{where}: holds no moving picture that can be decoded{heard}")


def _survey(
    opened: "InputContainer", stream: "VideoStream", where: str, max_seconds: float
) -> Survey:
    """Read what the packets say, without decoding them."""
    base = float(stream.time_base or 1)
    stamps, keys, end = array("q"), array("q"), -sys.maxsize
    begins, ends = math.inf, -math.inf
    for packet in packets(opened, None, []):  # where it is broken it ends
        stamp = packet.dts if packet.pts is None else packet.pts
        if stamp is None or not packet.size or packet.is_discard or not packet.time_base:
            continue
        unit = float(packet.time_base)
        begins = min(begins, stamp * unit)
        last = stamp + (packet.duration or 0)
        ends = max(ends, last * unit)
        if packet.stream_index != stream.index:
            continue
        stamps.append(stamp)
        if packet.is_keyframe:
            keys.append(stamp)
        end = max(end, last)
        check_seconds(ends - begins, where, "video", max_seconds)
        if len(stamps) > max_seconds * _MOST_RATE:
            most = f"{max_seconds * _MOST_RATE:,.0f}"
            raise InputError(f"{where}: over {most} frames; give a shorter video")
    if not stamps:
        raise InputError(f"{where}: holds no frame with a time; give a whole video")
    ordered = np.unique(np.array(stamps))
    # AVI keeps no time stamps: those that are made up lie in the order of decoding.
    counted = opened.format.name == "avi"
    if end <= ordered[-1]:  # nothing says how long the last is shown: as long as the others
        count = len(ordered)
        shown = (ordered[-1] - ordered[0]) / (count - 1) if count > 1 else _SHOWN / base
        end = int(ordered[-1] + max(shown, 1))
    known = ordered[:1] if counted else np.unique([ordered[0], *keys])
    return Survey(ordered, known, end, counted, ends - begins)
