"""Files of sound and video: where their bytes come from, and how a decoder may read them.

A file stays on disk, a download goes to a temporary file without a name, and bytes stay where
they are: each decoder reads from a place of its own, and several may read at once. FFmpeg is
handed open files alone. It knows only formats that hold their own data, so no playlist and no
reference in a file makes it open anything else.
"""

import hashlib
import io
import os
import re
import tempfile
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import IO, TYPE_CHECKING, Any, BinaryIO, Literal

from deixis.base.forks import Lock
from deixis.base.images import Urls, is_url, named, regular_file
from deixis.base.printable import one_line
from deixis.base.urls import without_credentials
from deixis.errors import InputError, MissingExtraError

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.packet import Packet
    from av.stream import Stream

Kind = Literal["sound", "video"]

# The names that FFmpeg gives to what reads a format; none of these opens a second file.
_FORMATS = (
    "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpegts,mpeg,flv,asf,ogg,wav,w64,aiff,au,caf"
    ",mp3,aac,flac,amr,ac3,eac3"
)
# Of these the length in the header is a guess from the first few frames.
_GUESSED = ("mp3", "aac", "amr", "ac3", "eac3", "mpegts", "mpeg", "flv")
_BLOCK = 1 << 20  # bytes
_TOO_LONG = "give a shorter one, or raise max_seconds (options.max_seconds in the stack)"
_COMMON = {"sound": "a WAV, MP3, FLAC, OGG or M4A", "video": "an MP4, WebM, MKV, MOV or AVI"}
_OTHERS = (
    (
        rb"\A\s*(#EXTM3U|ffconcat|\[playlist\])|<MPD|\Av=0\r?\n",
        "a playlist, which names other files; give the {kind} itself",
    ),
    (
        rb"\A(\x89PNG|\xff\xd8\xff|GIF8|BM|II\*\0|MM\0\*|RIFF....WEBP|....ftyp(avif|heic|mif1))",
        "a picture, not {kind}; give it as an image",
    ),
)


class MediaFile:
    """The bytes of one sound or video.

    Args:
        source: the path as given, the URL without credentials, else ``bytes``.
        where: how errors call it.
        data: the bytes, or an open file, which is closed when this object is gone.
    """

    def __init__(self, source: str, where: str, data: bytes | IO[bytes]) -> None:
        self.source = source
        self.where = where
        self._data = data
        self._lock = Lock()
        if isinstance(data, bytes):
            self.size = len(data)
        else:
            weakref.finalize(self, data.close)
            self.size = os.fstat(data.fileno()).st_size

    def open(self) -> BinaryIO:
        """Return a file of its own that begins at the first byte."""
        if isinstance(self._data, bytes):
            return io.BytesIO(self._data)
        return io.BufferedReader(_Reader(self._data, self._lock, self.size), 1 << 16)

    @cached_property
    def head(self) -> bytes:
        """The first bytes, which tell its format."""
        with self.open() as file:
            return file.read(512)

    @cached_property
    def sha256(self) -> str:
        """The hash of all bytes, in hexadecimal."""
        digest = hashlib.sha256()
        with self.open() as file:
            while block := file.read(_BLOCK):
                digest.update(block)
        return digest.hexdigest()


class _Reader(io.RawIOBase):
    """One place in a file that several read."""

    def __init__(self, file: IO[bytes], lock: Lock, size: int) -> None:
        self._file, self._lock, self._size, self._place = file, lock, size, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        start = {os.SEEK_SET: 0, os.SEEK_CUR: self._place, os.SEEK_END: self._size}[whence]
        self._place = max(start + offset, 0)
        return self._place

    def readinto(self, buffer: Any) -> int:
        with self._lock:
            self._file.seek(self._place)
            data = self._file.read(max(0, min(len(buffer), self._size - self._place)))
        buffer[: len(data)] = data
        self._place += len(data)
        return len(data)


def media_file(
    given: object, kind: Kind, *, max_bytes: int, urls: Urls, timeout: float
) -> MediaFile:
    """Find a sound or a video that is given as a path, an http(s) URL or bytes.

    Raises:
        InputError: it is none of these, cannot be read, is empty or too large.
    """
    if isinstance(given, bytes):
        file = MediaFile("bytes", "the bytes", given)
    elif isinstance(given, str | os.PathLike):
        source = os.fsdecode(given)
        if isinstance(given, str) and is_url(source):
            source = without_credentials(source)
            data = _downloaded(given, named(source), kind, max_bytes, urls, timeout)
        else:
            data = regular_file(source, named(source), "file" if kind == "sound" else kind)
        file = MediaFile(source, named(source), data)
    else:
        array = {"sound": "a pair (samples, rate)", "video": "a pair (frames, rate)"}[kind]
        raise InputError(
            f"{kind} is given as a path, an http(s) URL, bytes or {array}; "
            f"got {type(given).__name__}"
        )
    if file.size > max_bytes:
        raise InputError(
            f"{file.where}: over {max_bytes:,} bytes; give a smaller file, or raise "
            "max_media_bytes (options.max_media_bytes in the stack)"
        )
    if not file.size:
        raise InputError(f"{file.where}: empty, 0 bytes; give a file with {kind}")
    return file


def _downloaded(
    url: str, where: str, kind: Kind, max_bytes: int, urls: Urls, timeout: float
) -> IO[bytes]:
    if urls == "none":
        raise InputError(
            f"{where}: URLs are not opened; give a path, or allow them with --urls public "
            "(options.urls in the stack)"
        )
    from deixis.base.downloads import download_into  # only URLs need what it imports

    file = tempfile.TemporaryFile()  # noqa: SIM115 - handed on
    try:
        public = urls != "any"
        download_into(
            file, url, where, max_bytes=max_bytes, timeout=timeout, public=public, kind=kind
        )
        file.flush()
    except BaseException as error:
        file.close()
        if not isinstance(error, OSError):
            raise
        raise InputError(
            f"{where}: cannot be stored ({one_line(error, 100)}); free space in "
            f"{tempfile.gettempdir()}, or set TMPDIR"
        ) from error
    return file


@contextmanager
def container(
    file: MediaFile, kind: Kind, max_pixels: int | None = None
) -> Iterator["InputContainer"]:
    """Let FFmpeg read a file; nothing but this file.

    Args:
        file: what is read.
        kind: what is looked for in it, for errors.
        max_pixels: of a frame; the decoders refuse larger ones.

    Raises:
        InputError: it is in no format that is read.
        MissingExtraError: PyAV is not installed.
    """
    try:
        import av
    except ImportError as error:
        raise MissingExtraError("av", "media") from error
    _check_form(file, kind)
    options = {"max_pixels": str(max_pixels)} if max_pixels else None
    # Tags in old encodings; from version 19 on they are read without being told.
    lenient: dict[str, Any] = {"metadata_errors": "replace"} if av.__version__ < "19" else {}
    try:
        opened = av.open(
            file.open(),
            "r",
            options=options,
            container_options={"format_whitelist": _FORMATS, "protocol_whitelist": "none"},
            io_open=_nothing_else,
            **lenient,
        )
    except Exception as error:  # FFmpeg's errors are OSError, ValueError, EOFError and more
        raise InputError(f"{file.where}: {_described(file, kind, error)}") from error
    with opened:
        yield opened


def _nothing_else(url: str, flags: int, options: dict[str, str]) -> None:
    raise PermissionError("a file of sound or video may not open another one")


def _check_form(file: MediaFile, kind: Kind) -> None:
    """Refuse what FFmpeg would take for a playlist, or for a video of one frame."""
    for form, description in _OTHERS:
        if re.search(form, file.head, re.DOTALL):
            raise InputError(f"{file.where}: {description.format(kind=kind)}")


def _described(file: MediaFile, kind: Kind, error: Exception) -> str:
    if file.head[4:8] == b"ftyp":
        return "an MP4 that is broken or cut short, without its index; give a whole one"
    return (
        f"not a file with {kind} that can be read, or broken at its start ({_reason(error)}); "
        f"give {_COMMON[kind]}"
    )


def header_seconds(opened: "InputContainer") -> float:
    """Return how long a file says that it is; 0 where nothing says so, or it is a guess."""
    guessed = set(opened.format.name.split(",")) & set(_GUESSED)
    return 0.0 if guessed else (opened.duration or 0) / 1_000_000


def check_seconds(seconds: float, where: str, kind: Kind, max_seconds: float) -> None:
    """Refuse more than so many seconds.

    Raises:
        InputError: there are more.
    """
    if seconds > max_seconds:
        raise InputError(f"{where}: over {max_seconds:,g} seconds of {kind}; {_TOO_LONG}")


def decoded(opened: "InputContainer", stream: "Stream", faults: list[str]) -> Iterator[Any]:
    """Yield the frames of a stream from here on; what is broken is left out.

    Args:
        opened: the container, which is read to its end.
        stream: of sound or video.
        faults: gets a line for each packet that cannot be decoded.
    """
    for packet in packets(opened, stream, faults):
        try:
            frames = packet.decode()
        except EOFError:  # the decoder was flushed already
            continue
        except Exception as error:  # as below
            faults.append(_reason(error))
            continue
        yield from frames


def packets(
    opened: "InputContainer", stream: "Stream | None", faults: list[str]
) -> Iterator["Packet[Stream]"]:
    """Yield the packets of a stream, or of all, from here on, to where it is broken.

    Args:
        opened: the container, which is read to its end.
        stream: None is all of them.
        faults: gets a line if it ends before its end.
    """
    try:
        yield from opened.demux(stream) if stream else opened.demux()
    except Exception as error:  # FFmpeg's own, and what PyAV stumbles over: IndexError and others
        faults.append(_reason(error))


def _reason(error: Exception) -> str:
    return one_line(getattr(error, "strerror", None) or "its parts do not fit together", 100)
