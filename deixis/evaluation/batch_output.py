"""The files of a batch run: held by one process, and whole lines whenever that is killed.

Beside ``NAME.jsonl`` lie ``NAME.failures.jsonl`` (what failed in the latest run),
``NAME.settings.json`` (what determined the results) and ``NAME.lock``, which is empty or says
who has it.
"""

import json
import os
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

from deixis.atomic import whole_file
from deixis.errors import DataError, InputError, SettingsError

_BEGINNING = b'{"id": '


def beside(path: Path, suffix: str) -> Path:
    """Return the file that belongs to an output, such as ``out.failures.jsonl``."""
    return path.with_name(path.name.removesuffix(".jsonl") + suffix)


def line_of(record: dict[str, Any]) -> bytes:
    """Return a record as one line; ``id`` has to be its first key.

    Raises:
        ValueError: it holds what JSON or UTF-8 cannot.
    """
    return json.dumps(record, ensure_ascii=False, allow_nan=False).encode() + b"\n"


class Output:
    """The output of a run, kept from all other processes until it is closed.

    Args:
        path: the file of results; made, or continued.
        identity: everything that determines a result, by name.
        settings: short hash of that; stands in every line.

    Raises:
        InputError: another process has it, or the place cannot be written.
    """

    def __init__(self, path: Path, identity: dict[str, str], settings: str) -> None:
        self.path = path
        self.failures = beside(path, ".failures.jsonl")
        self.settings = settings
        self._identity = identity
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._lock = _hold(beside(path, ".lock"), path)
            self._results = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | _BINARY, 0o644)
        except OSError as error:
            raise InputError(f"cannot write {path}: {error.strerror}") from None
        self._failed: int | None = None

    def finished(self) -> Iterator[str]:
        """Yield the ids of the rows that are there.

        The half of a line that a killed run has left is then cut off, the list of failures
        emptied, and what determines the results written down.

        Raises:
            DataError: the file holds something else.
            SettingsError: its rows were made with other settings.
            InputError: the place cannot be written.
        """
        end = 0
        with self.path.open("rb") as file:
            for number, line in enumerate(file, start=1):
                if line.endswith(b"\n"):
                    yield self._id(line, f"{self.path}:{number}")
                    end += len(line)
                elif not (line.startswith(_BEGINNING) or _BEGINNING.startswith(line)):
                    raise DataError(f"{self.path}:{number}: {_NOT_OURS}")
        try:
            os.ftruncate(self._results, end)
            with whole_file(beside(self.path, ".settings.json"), mode=0o644) as draft:
                draft.write(json.dumps(self._identity, indent=1).encode() + b"\n")
            flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_TRUNC | _BINARY
            self._failed = os.open(self.failures, flags, 0o644)
        except OSError as error:
            raise InputError(f"cannot write beside {self.path}: {error.strerror}") from None

    def add(self, line: bytes) -> None:
        """Append one finished row, in one write: a kill leaves at most half of the last line.

        Raises:
            InputError: the disk is full, or gone.
        """
        _append(self._results, line, self.path)

    def fail(self, id_: str | None, line: int, error: str) -> None:
        """Append one failed row.

        Raises:
            InputError: as for `add`.
        """
        if self._failed is None:
            raise RuntimeError("finished() has to be read to its end first")
        record = {"id": id_, "line": line, "error": error, "settings": self.settings}
        _append(self._failed, line_of(record), self.failures)

    def close(self) -> None:
        """Let go of the files, and let another process have them."""
        for file in (self._results, self._failed):
            if file is not None:
                os.close(file)
        self._lock.close()

    def _id(self, line: bytes, where: str) -> str:
        try:
            row = json.loads(line)
            id_, settings = row["id"], row["settings"]
        except (ValueError, RecursionError, KeyError, TypeError, IndexError):
            raise DataError(f"{where}: {_NOT_OURS}") from None
        if not isinstance(id_, str) or not isinstance(settings, str):
            raise DataError(f"{where}: {_NOT_OURS}")
        if settings != self.settings:
            raise SettingsError(
                f"{where}: was made with other settings ({self._changes()}); run with those that "
                f"it was begun with, or give another --out"
            )
        return id_

    def _changes(self) -> str:
        try:
            before = json.loads(beside(self.path, ".settings.json").read_bytes())
            names = sorted(
                name
                for name in {*before, *self._identity}
                if before.get(name) != self._identity.get(name)
            )
        except (OSError, ValueError, AttributeError, TypeError):
            names = []
        return f"different: {', '.join(names)}" if names else "it is not known which"


_NOT_OURS = "this is no line that deixis batch has written; give another --out"
_BINARY = getattr(os, "O_BINARY", 0)


def _append(file: int, line: bytes, path: Path) -> None:
    before = os.fstat(file).st_size
    written = 0
    try:
        while written < len(line):  # once, unless the disk is nearly full
            written += os.write(file, line[written:])
    except OSError as error:
        with suppress(OSError):
            os.ftruncate(file, before)
        raise InputError(
            f"cannot write {path}: {error.strerror}; what is in it stays: mend that, and run "
            "the same line again"
        ) from None


def _hold(path: Path, output: Path) -> IO[bytes]:
    """Lock a file that stays for ever: were it removed, two could lock two files of its name."""
    file = path.open("ab+")
    if not _try_lock(file.fileno()):
        file.seek(0)
        holder = file.read(100).decode("utf-8", "replace").strip() or "another process"
        file.close()
        raise InputError(f"{output} is being written by {holder}; wait for it, or stop it")
    file.truncate(0)
    file.write(f"process {os.getpid()}".encode())
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
