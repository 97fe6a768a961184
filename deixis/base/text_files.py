"""Data files as other programs write them: with any ends of lines, packed, or a stream.

All of them are read through here, so that a file says the same with a byte order mark and
without, with LF, CRLF or CR alone, and packed by gzip, bzip2 or xz. Other ends of lines that
Unicode knows (U+0085, U+2028) are characters like all others: texts have them.
"""

import atexit
import bz2
import gzip
import lzma
import os
import shutil
import stat
import tempfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, NamedTuple

from deixis.base.atomic import PUBLIC, whole_file
from deixis.base.reading import TooMuch, copied, open_input
from deixis.errors import DataError, InputError

STDIN = Path("-")
LONGEST = 1 << 27
"""Bytes of a line: a longer one is no row, and would fill the memory."""
_RATIO, _FREE = 300, 1 << 26
"""A packed file may hold so many times its size, or so many bytes."""
_BLOCK = 1 << 20
_MARK = b"\xef\xbb\xbf"
_PACKED: dict[bytes, Callable[..., Any]] = {
    b"\x1f\x8b": gzip.open,
    b"BZh": bz2.open,
    b"\xfd7zXZ\x00": lzma.open,
}
UTF_16 = "in UTF-16; convert it to UTF-8, e.g. with: iconv -f UTF-16 -t UTF-8"
_REFUSED = {  # the first that fits counts
    b"\xff\xfe\0\0": "in UTF-32; convert it to UTF-8, e.g. with: iconv -f UTF-32 -t UTF-8",
    b"\xff\xfe": UTF_16,
    b"\xfe\xff": UTF_16,
    b"\x28\xb5\x2f\xfd": "packed by zstd; unpack it, e.g. with: zstd -d",
    b"PK\x03\x04": "a zip archive; unpack it, and give the file inside",
    b"PAR1": "in Parquet; write it as JSON Lines, e.g. with pandas",
    **dict.fromkeys(_PACKED, "packed twice; unpack it once"),
}
_kept: dict[Path, Path] = {}


class Line(NamedTuple):
    """A line without its end: its number from 1, and at which byte of the file it starts."""

    number: int
    start: int
    data: bytes


def keep_streams(*paths: Path | None) -> None:
    """Copy what can be read only once, so that it can be opened again: ``-`` and pipes.

    For commands, which call it with all files that they read; some are read twice.

    Raises:
        InputError: standard input is named twice, or one cannot be read.
    """
    if paths.count(STDIN) > 1:
        raise InputError("- is standard input and can be read once; give a file for the other")
    for path in paths:
        if path is None or not is_stream(path):
            continue
        handle, name = tempfile.mkstemp(prefix="deixis-")
        atexit.register(Path(name).unlink, missing_ok=True)
        with _blame(path), os.fdopen(handle, "wb") as copy, open_input(path) as stream:
            shutil.copyfileobj(stream, copy)
        _kept[path] = Path(name)


def is_stream(path: Path) -> bool:
    """Say whether a path is ``-`` or a pipe: it has no folder that others are relative to."""
    try:
        return path == STDIN or stat.S_ISFIFO(path.stat().st_mode)
    except (OSError, ValueError):
        return False


def folder_of(path: Path) -> Path:
    """Return the folder that paths in a file are relative to: of a stream, the working folder."""
    return Path() if is_stream(path) else path.parent


def open_data(path: Path) -> IO[bytes]:
    """Open a file for reading, unpacked; it can be sought in.

    Raises:
        DataError: it holds no text in UTF-8, or more than is unpacked here.
        InputError: it cannot be read.
    """
    with _blame(path):
        file = open_input(_kept.get(path, path))
        try:
            begin = _begin(file)
            for magic, unpack in _PACKED.items():
                if begin.startswith(magic):
                    most = max(_FREE, _RATIO * file.seek(0, os.SEEK_END))
                    file.seek(0)
                    with file, unpack(file, "rb") as source:
                        file = copied(source, most)
                    begin = _begin(file)
                    break
            for magic, what in _REFUSED.items():
                if begin.startswith(magic):
                    raise DataError(f"{path} is {what}")
        except BaseException:
            file.close()
            raise
    return file


def raw_lines(file: IO[bytes]) -> Iterator[Line]:
    """Yield all lines; of one that is longer than `LONGEST`, a byte more than that.

    A mark at the beginning of one is left out, as joined files have it in the middle. CR ends a
    line of its own, too.
    """
    number = start = 0
    while piece := file.readline(LONGEST + 1):
        after = start + len(piece)
        end = piece
        while not end.endswith(b"\n") and (end := file.readline(_BLOCK)):
            after += len(end)
        for line in piece.removesuffix(b"\n").removesuffix(b"\r").split(b"\r"):
            number += 1
            skipped = len(_MARK) if line.startswith(_MARK) else 0
            yield Line(number, start + skipped, line[skipped:])
            start += len(line) + 1
        start = after


def lines_of(path: Path) -> Iterator[tuple[int, str]]:
    """Yield ``(number, line)`` of a file; empty lines are skipped, numbers are from 1.

    Raises:
        DataError: a line is not UTF-8 or too long, or the file is none of text.
        InputError: the file cannot be read.
    """
    with open_data(path) as file, _blame(path):
        for number, _, line in raw_lines(file):
            where = f"{path}:{number}"
            if len(line) > LONGEST:
                raise DataError(f"{where}: a line of more than {LONGEST:,} bytes")
            if line.strip():
                try:
                    text = line.decode("utf-8")
                except UnicodeDecodeError as error:
                    raise DataError(f"{where}: not UTF-8 ({error.reason})") from None
                yield number, text


def write_lines(path: Path, lines: Iterable[str], mode: int = PUBLIC) -> int:
    """Write lines, the whole file or none of it (``-``: stdout); return how many.

    Args:
        path: the file.
        lines: each without its end.
        mode: as `whole_file` takes it.

    Raises:
        DataError: a line has half a surrogate pair, which JSON can say and UTF-8 cannot.
        InputError: the file cannot be written.
    """
    count = 0
    try:
        with whole_file(path, mode) as file:
            for line in lines:
                file.write(line.encode() + b"\n")
                count += 1
    except UnicodeEncodeError as error:
        near = error.object[max(error.start - 20, 0) : error.start]
        raise DataError(
            f"cannot write {path}: line {count + 1} would have half a surrogate pair behind "
            f"{near!r}; take it out of what is read"
        ) from None
    except OSError as error:
        raise InputError(f"cannot write {path}: {error.strerror}") from None
    return count


def read_text(path: Path) -> str:
    r"""Return the text of a file, whose lines then end in ``\n``; a mark is left out.

    Raises:
        DataError: it is not UTF-8; the message names the line.
        InputError: it cannot be read.
    """
    with open_data(path) as file, _blame(path):
        data = file.read()
    try:
        return decoded(data)
    except NotText as error:
        raise DataError(f"{path}:{error.line}: {error}") from None


class NotText(ValueError):
    """Bytes are no text; the message says what to do, ``line`` where that was seen."""

    def __init__(self, message: str, line: int) -> None:
        super().__init__(message)
        self.line = line


def decoded(data: bytes) -> str:
    r"""Return the text that bytes hold, whose lines then end in ``\n``; a mark is left out.

    CR ends a line where there is no other end in all of the text: elsewhere it is a character.

    Raises:
        NotText: they are not UTF-8.
    """
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise NotText(f"it is {UTF_16}", 1)
    try:
        text = data.removeprefix(_MARK).decode("utf-8").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise NotText(f"not UTF-8 text ({error.reason}); convert it to UTF-8", line) from None
    return text if "\n" in text else text.replace("\r", "\n")


def _begin(file: IO[bytes]) -> bytes:
    begin = file.read(8)
    file.seek(0)
    return begin


@contextmanager
def _blame(path: Path) -> Iterator[None]:
    """Turn what the system or an unpacker says into an error that names the file."""
    try:
        yield
    except TooMuch:
        raise DataError(
            f"{path} holds more than {_RATIO} times its size; unpack it yourself if that is meant"
        ) from None
    except (gzip.BadGzipFile, EOFError, zlib.error, lzma.LZMAError) as error:
        raise DataError(f"{path} is damaged: {error}") from None
    except OSError as error:
        if error.errno is None:  # as bz2 says it
            raise DataError(f"{path} is damaged: {error}") from None
        raise InputError(f"cannot read {path}: {error.strerror}") from None
