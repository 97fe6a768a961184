"""The lock of a batch run's output: one process at a time, on all systems."""

import os
import sys
from pathlib import Path
from typing import IO

from deixis.errors import InputError

_NOTE = b"process"


def hold(path: Path, output: Path) -> IO[bytes]:
    """Lock a file that stays for ever: were it removed, two could lock two files of its name.

    Args:
        path: the file to lock; made if need be.
        output: what it stands for, for messages.

    Raises:
        InputError: another process has it, or it holds what no run has written.
        OSError: it cannot be made.
    """
    file = path.open("ab+")
    if not _try_lock(file.fileno()):
        file.seek(0)
        holder = file.read(100).decode("utf-8", "replace").strip() or "another process"
        file.close()
        raise InputError(f"{output} is being written by {holder}; wait for it, or stop it")
    file.seek(0)
    if not (_NOTE + b" ").startswith(file.read(len(_NOTE) + 1)):
        file.close()
        raise InputError(f"{path} is no file of a run and would be emptied; give another --out")
    file.truncate(0)
    file.write(b"%b %d" % (_NOTE, os.getpid()))
    file.flush()
    return file


if sys.platform == "win32":
    import msvcrt

    def _try_lock(file: int) -> bool:
        os.lseek(file, 1 << 20, os.SEEK_SET)  # others may read what stands before
        try:
            msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
        except PermissionError:
            return False
        return True

else:
    import fcntl

    def _try_lock(file: int) -> bool:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True
