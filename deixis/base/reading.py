"""Files to read: ``-`` is standard input, and what can be read only once is copied first."""

import errno
import os
import stat
import sys
import tempfile
from pathlib import Path
from typing import IO

_BLOCK, _IN_MEMORY = 1 << 20, 1 << 24  # bytes; of the second, a copy is not put on disk


def open_input(path: Path) -> IO[bytes]:
    """Open a file that can be read from any place, as often as one likes.

    Standard input (``-``), a pipe and a device are copied into a file without a name, which is
    gone when it is closed. They are empty when they are opened again.

    Raises:
        OSError: it cannot be read; ``strerror`` always says why.
    """
    if str(path) == "-":
        buffer = getattr(sys.stdin, "buffer", None)
        if buffer is None:
            raise OSError(errno.EBADF, "standard input is closed, or gives no bytes", "-")
        return copied(buffer)
    try:
        about = os.stat(path)
    except ValueError:
        raise OSError(errno.EINVAL, "no file can have this name", str(path)) from None
    if stat.S_ISDIR(about.st_mode):
        raise IsADirectoryError(errno.EISDIR, "it is a folder; name a file", str(path))
    file = path.open("rb")
    if stat.S_ISREG(about.st_mode):
        return file
    with file:
        empty = os.path.samestat(about, os.stat(os.devnull))
        if not (stat.S_ISFIFO(about.st_mode) or file.isatty() or empty):
            raise OSError(errno.EINVAL, "it is a device, which may never end", str(path))
        return copied(file)


def writable(name: str) -> str:
    """Return what can be written, as UTF-8, of the name of a file that need not be any."""
    try:
        return name.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    except UnicodeEncodeError:
        return name.encode("utf-8", "replace").decode()


class TooMuch(Exception):
    """A stream holds more than it may."""


def copied(source: IO[bytes], most: int | None = None) -> IO[bytes]:
    """Copy what is left of a stream into a file without a name, which is gone when it is closed.

    Raises:
        TooMuch: it has more than `most` bytes.
        OSError: it cannot be read, or the disk is full.
    """
    copy: IO[bytes] = tempfile.SpooledTemporaryFile(_IN_MEMORY)  # noqa: SIM115 - handed on
    try:
        while block := source.read(_BLOCK):
            copy.write(block)
            if most is not None and copy.tell() > most:
                raise TooMuch
        copy.seek(0)
    except BaseException:
        copy.close()
        raise
    return copy
