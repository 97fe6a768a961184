"""Turns to take, across threads and processes: whoever has one works, the others wait.

A turn is a lock on one byte of a file that is never written. The kernel takes a byte back
when its process ends, however it ends, and there is one file however many turns there are: a
file for each would either stay behind or, removed, split those who wait for it.
"""

import os
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl


class _Gate:
    """What the threads of this process wait at for one byte."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.owner = 0
        self.users = 0


class Turns:
    """The turns of one folder: the kernel keeps processes apart, gates the threads of this one."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: int | None = None
        self._guard = threading.Lock()
        self._gates: dict[int, _Gate] = {}

    @contextmanager
    def take(self, key: str) -> Iterator[None]:
        """Wait for the turn of `key` (hexadecimal digits); a thread that has it goes on.

        Raises:
            OSError: the file cannot be made or locked.
        """
        place = int(key[:8], 16) >> 1  # 31 bits: what every system can lock
        me = threading.get_ident()
        with self._guard:
            gate = self._gates.setdefault(place, _Gate())
            mine = gate.owner == me
            gate.users += 1
        try:
            if mine:
                yield
                return
            with gate.lock:
                gate.owner = me
                try:
                    file = self._lock(place)
                    try:
                        yield
                    finally:
                        self._unlock(file, place)
                finally:
                    gate.owner = 0
        finally:
            with self._guard:
                gate.users -= 1
                if not gate.users:
                    del self._gates[place]

    def _lock(self, place: int) -> int:
        pause = 0.002
        while True:
            # Tried again and again, for a kernel that waits for processes and not for threads
            # takes two processes that wait for each other's calls for a deadlock.
            with self._guard:
                file = self._open()
                if _try_lock(file, place):
                    return file
            time.sleep(pause)
            pause = min(2 * pause, 0.05)

    def _unlock(self, file: int, place: int) -> None:
        with self._guard:
            _unlock(file, place)

    def _open(self) -> int:
        if self._file is not None:
            with suppress(FileNotFoundError):
                if os.path.samestat(os.fstat(self._file), os.stat(self._path)):
                    return self._file
            # Somebody removed the folder. The old file stays open: calls may hold bytes of it.
        self._file = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        return self._file


if sys.platform == "win32":

    def _try_lock(file: int, place: int) -> bool:
        os.lseek(file, place, os.SEEK_SET)
        try:
            msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
        except PermissionError:
            return False
        return True

    def _unlock(file: int, place: int) -> None:
        os.lseek(file, place, os.SEEK_SET)
        msvcrt.locking(file, msvcrt.LK_UNLCK, 1)

else:

    def _try_lock(file: int, place: int) -> bool:
        try:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, place)
        except (BlockingIOError, PermissionError):
            return False
        return True

    def _unlock(file: int, place: int) -> None:
        fcntl.lockf(file, fcntl.LOCK_UN, 1, place)


# One for each folder, shared by all stores of this process: a process that closes a file
# loses its locks on it, and does not exclude itself.
_turns: dict[str, Turns] = {}
_turns_guard = threading.Lock()


def turns_in(folder: Path) -> Turns:
    """Return the turns of a folder: the same for all who ask in this process."""
    path = Path(os.path.realpath(folder), "turns")
    with _turns_guard:
        return _turns.setdefault(str(path), Turns(path))


def _forget_turns() -> None:
    global _turns_guard
    _turns_guard = threading.Lock()
    _turns.clear()


if hasattr(os, "register_at_fork"):  # a child has none of the locks, and none of the threads
    os.register_at_fork(after_in_child=_forget_turns)
