"""Files that are there whole or not at all, and what may stand in their place.

Writing follows links. Only a regular file is replaced; a device, a pipe and ``-`` (standard
output) are given what was written, in one go.
"""

import errno
import os
import secrets
import shutil
import stat
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, BinaryIO

PUBLIC = 0o666
"""Rights of a new file that others may read; as of all rights, the umask is taken off."""
PRIVATE = 0o600
"""Rights of a new file that only its owner may read."""

_IN_MEMORY = 1 << 24  # bytes of a draft that is not to become a file
_NEW = os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
# The folder lets nothing be put in the place of what is there: rights, a mount point.
_HELD = {errno.EACCES, errno.EPERM, errno.EROFS, errno.EBUSY, errno.EXDEV}


@contextmanager
def whole_file(path: Path, mode: int = PUBLIC) -> Iterator[IO[bytes]]:
    """Open a draft of a file, which is there when the block ends without an error.

    Of a draft that failed, nothing is left. The folder is made if need be. A file that is there
    keeps its rights; it is written over in place where nothing can be put in its place.

    Args:
        path: the file to write or to replace; ``-`` is standard output.
        mode: rights of a file that is new, `PUBLIC` or `PRIVATE`.

    Raises:
        OSError: the place cannot be written; ``strerror`` always says why.
    """
    about = _about(path)
    with _stream(path, about) as stream:
        if stream is not None:
            with tempfile.SpooledTemporaryFile(_IN_MEMORY) as draft:
                yield draft
                _copy(draft, stream)
            return
    target = Path(os.path.realpath(path))
    target.parent.mkdir(parents=True, exist_ok=True)
    file, name = _draft(target, about, mode)
    try:
        with file:
            yield file
            if name is None:
                _overwrite(target, file)
        if name is not None:
            _put(name, target, about)
    finally:
        if name is not None:
            name.unlink(missing_ok=True)


def is_stdout(path: Path) -> bool:
    """Say whether what is written to a path comes out of standard output."""
    if str(path) == "-":
        return True
    with suppress(OSError, ValueError):
        return os.path.samestat(os.stat(path), os.fstat(1))
    return False


def is_standard(path: Path) -> bool:
    """Say whether a path is standard output or the stream of errors, whatever those are."""
    if str(path) == "-":
        return True
    with suppress(OSError, ValueError):
        return _standard(os.stat(path)) is not None
    return False


def _about(path: Path) -> os.stat_result | None:
    """Return what is known of the file that is there, links followed; None where none is."""
    try:
        about = os.stat(path)
    except FileNotFoundError:
        return None
    except ValueError:
        raise OSError(errno.EINVAL, "no file can have this name", str(path)) from None
    kind = about.st_mode
    if stat.S_ISDIR(kind):
        raise IsADirectoryError(errno.EISDIR, "it is a folder; name a file", str(path))
    if stat.S_ISSOCK(kind):
        raise OSError(errno.ENXIO, "it is a socket; name a file", str(path))
    if stat.S_ISREG(kind) and not os.access(path, os.W_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
    return about


@contextmanager
def _stream(path: Path, about: os.stat_result | None) -> Iterator[BinaryIO | None]:
    """Open what is not to be replaced; None is yielded for a regular file, there or not."""
    if str(path) == "-":
        buffer = getattr(sys.stdout, "buffer", None)
        if buffer is None:
            raise OSError(errno.EBADF, "standard output is closed, or takes no bytes", "-")
        sys.stdout.flush()
        yield buffer
        buffer.flush()
    elif about is not None and (number := _standard(about)) is not None:
        # What a shell has sent to a file goes on behind what this process has printed there.
        for printed in filter(None, (sys.stdout, sys.stderr)):
            printed.flush()
        with os.fdopen(os.dup(number), "wb") as stream:
            yield stream
    elif about is not None and not stat.S_ISREG(about.st_mode):
        with os.fdopen(_descriptor(path, about), "wb") as stream:
            yield stream
    else:
        yield None


def _standard(about: os.stat_result) -> int | None:
    """Return the number of the standard stream that a file is, if any."""
    for number in (1, 2):
        with suppress(OSError):
            if os.path.samestat(os.fstat(number), about):
                return number
    return None


def _descriptor(path: Path, about: os.stat_result) -> int:
    """Open a device or a pipe without waiting for anybody at its other end."""
    try:
        descriptor = os.open(path, os.O_WRONLY | getattr(os, "O_NONBLOCK", 0))
    except OSError as error:
        if error.errno != errno.ENXIO or not stat.S_ISFIFO(about.st_mode):
            raise
        reason = "nobody reads this pipe; start its reader first"
        raise OSError(errno.ENXIO, reason, str(path)) from None
    if hasattr(os, "O_NONBLOCK"):
        os.set_blocking(descriptor, True)
    return descriptor


def _draft(target: Path, about: os.stat_result | None, mode: int) -> tuple[IO[bytes], Path | None]:
    """Open a draft beside its target; it has no name where the folder takes no new file."""
    name = target.with_name(f".deixis-{secrets.token_hex(8)}.part")
    rights = mode if about is None else stat.S_IMODE(about.st_mode) & 0o777
    try:
        file = os.fdopen(os.open(name, _NEW, rights), "w+b")
    except OSError as error:
        if about is None or error.errno not in _HELD:
            raise
        return tempfile.SpooledTemporaryFile(_IN_MEMORY), None
    if about is not None:
        with suppress(OSError):  # another user's file, or a file system without rights
            if hasattr(os, "chown"):
                os.chown(name, about.st_uid, about.st_gid)
        with suppress(OSError):
            os.chmod(name, rights)
    return file, name


def _put(draft: Path, target: Path, about: os.stat_result | None) -> None:
    try:
        os.replace(draft, target)
    except OSError as error:
        if about is None or error.errno not in _HELD:
            raise
        with draft.open("rb") as file:
            _overwrite(target, file)


def _overwrite(target: Path, draft: IO[bytes]) -> None:
    with target.open("r+b") as file:
        _copy(draft, file)
        file.truncate()


def _copy(draft: IO[bytes], out: IO[bytes]) -> None:
    draft.seek(0)
    shutil.copyfileobj(draft, out)
    out.flush()
