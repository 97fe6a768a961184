"""Where recorded answers lie: one SQLite file that never holds a pickle, and turns to take.

A folder holds ``cache.db`` (diskcache's, in its own format) and ``turns``, an empty file
whose bytes are locked, one for each answer that is being fetched. Nothing else is ever made,
so a killed process leaves nothing behind: the kernel lets go of its bytes and SQLite rolls
its half-written row back. As with any SQLite file, the folder must be on a local disk.
"""

import os
import sqlite3
import sys
import threading
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import diskcache  # type: ignore[import-untyped]

from deixis.base.forks import Lock, in_child
from deixis.base.printable import one_line
from deixis.errors import DataError
from deixis.llms.cache.turns import turns_in

DATABASE = "cache.db"
_BATCH = 256  # rows read at once: a long scan must not hold a transaction open
# A value of ours; empty for what a row of another kind holds.
_VALUE = "CASE WHEN mode = 1 AND typeof(value) = 'blob' THEN value ELSE x'' END"
_SELECT = f"SELECT {_VALUE} FROM Cache WHERE key = ? AND raw = 1"
_LEFT: list[sqlite3.Connection] = []
"""Of a parent: to a child they are of no use, and to close them is the parent's."""
_OPENING = "f" * 64  # whose turn it is to make or open the database


class BytesDisk(diskcache.Disk):  # type: ignore[misc]
    """Text keys and bytes values inside the database: nothing is pickled, unpickled or a file.

    diskcache unpickles what a row says is a pickle, and reads and removes whatever path a row
    names. Rows may be somebody else's, so each such row reads as empty here.
    """

    def put(self, key: Any) -> tuple[str, bool]:
        """Return the key as it is; only text is one."""
        if type(key) is not str:
            raise TypeError(f"a key is text, not {type(key).__name__}")
        return key, True

    def get(self, key: Any, raw: Any) -> str:
        """Return a stored key; "" for one of another kind."""
        return key if raw and type(key) is str else ""

    def store(self, value: Any, read: bool, key: Any = None) -> tuple[int, int, None, bytes]:
        """Return the columns of a value; only bytes are one, whatever their length."""
        if type(value) is not bytes or read:
            raise TypeError(f"a value is bytes, not {type(value).__name__}")
        return 0, diskcache.core.MODE_RAW, None, value

    def fetch(self, mode: Any, filename: Any, value: Any, read: bool) -> bytes:
        """Return a stored value; empty for one of another kind."""
        plain = mode == diskcache.core.MODE_RAW and type(value) is bytes
        return value if plain else b""

    def remove(self, file_path: Any) -> None:
        """Remove nothing: no value of ours is a file."""


def seal(body: bytes) -> bytes:
    """Put the checksum of `body` before it: against what breaks, not who forges."""
    return b"%08x\n" % zlib.crc32(body) + body


def unseal(sealed: bytes) -> bytes | None:
    """Return what was sealed; None when a byte of it was lost or changed."""
    body = sealed[9:]
    return body if sealed[:9] == b"%08x\n" % zlib.crc32(body) else None


class Store:
    """Sealed values by key (64 hexadecimal digits), in a folder that need not exist yet.

    Every method raises `DataError`, and nothing else, when the folder, the database or the
    disk do not let it do its work.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._opened: Any = None
        # diskcache connects anew in each thread, and LangGraph's threads live for one step.
        self._reader: sqlite3.Connection | None = None
        self._reading = Lock()
        self._writer = 0  # the thread of a transaction, which reads what it has written
        in_child(self, Store._leave_reader)

    def __del__(self) -> None:  # noqa: D105
        if self._reader is not None:
            self._reader.close()

    def exists(self) -> bool:
        """Say whether there is a database; reading from none must not make one."""
        return self._opened is not None or (self.folder / DATABASE).exists()

    def read(self, key: str) -> bytes | None:
        """Return what was stored under `key`; None when nothing whole is there."""
        if self._opened is None and not self.exists():
            return None
        try:  # not _errors(), which would take a tenth of the time of a hit
            database = self._database()
            if self._writer == threading.get_ident():
                rows = database._sql(_SELECT, (key,)).fetchall()
            else:
                with self._reading:
                    rows = self._connected().execute(_SELECT, (key,)).fetchall()
            return unseal(rows[0][0]) if rows else None
        except DataError:
            raise
        except Exception as error:
            raise self._wrapped(error) from error

    def write(self, key: str, body: bytes) -> None:
        """Store `body` under `key`, in place of what is there."""
        with self._errors():
            self._database().set(key, seal(body))

    def delete(self, keys: list[str] | None) -> int:
        """Remove these keys, or all there is when None; return how many were there."""
        if not self.exists():
            return 0
        with self._errors():
            database = self._database()
            if keys is None:
                return int(database.clear())
            with database.transact():
                return sum(database.delete(key) for key in keys)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Let other processes see all writes of the block at once, or none."""
        with self._errors():
            context = self._database().transact()
            context.__enter__()
        self._writer = threading.get_ident()
        try:
            yield
        except BaseException:
            with suppress(Exception):  # SQLite has rolled back by itself, or cannot
                context.__exit__(*sys.exc_info())
            raise
        finally:
            self._writer = 0
        with self._errors():
            context.__exit__(None, None, None)

    def rows(self, prefix: str = "") -> Iterator[tuple[str, bytes | None]]:
        """Yield keys in their order with their values; None is a value that is not whole.

        Args:
            prefix: how the keys begin, in lower-case hexadecimal digits.
        """
        # diskcache has no ordered scan, and its plain one asks for each value apart.
        select = (
            f"SELECT {_VALUE}, key FROM Cache WHERE raw = 1 AND typeof(key) = 'text'"
            " AND length(key) = 64 AND key NOT GLOB '*[^0-9a-f]*'"
            " AND key >= ? AND key < ? AND key > ? ORDER BY key LIMIT ?"
        )
        last = ""
        while self.exists():
            with self._errors():
                values = (prefix, prefix + "g", last, _BATCH)
                rows = self._database()._sql(select, values).fetchall()
            yield from ((key, unseal(value)) for value, key in rows)
            if len(rows) < _BATCH:
                return
            last = rows[-1][1]

    @contextmanager
    def turn(self, key: str) -> Iterator[None]:
        """Wait until nobody else, in any process, has the turn for `key`; then have it.

        A thread that already has it goes on at once.
        """
        with self._errors():
            self._make_folder()
            context = turns_in(self.folder).take(key)
            context.__enter__()
        try:
            yield
        finally:
            context.__exit__(None, None, None)

    @contextmanager
    def _errors(self) -> Iterator[None]:
        # diskcache makes attributes, pragmas and arguments of rows, so that a damaged file
        # can raise nearly anything; the blocks under this hold calls of diskcache only.
        try:
            yield
        except DataError:
            raise
        except Exception as error:
            raise self._wrapped(error) from error

    def _wrapped(self, error: Exception) -> DataError:
        reason = one_line(error)
        if isinstance(error, diskcache.Timeout):
            reason = "it is locked or cannot be written"
        return DataError(f"the cache of answers {self.folder / DATABASE}: {reason}")

    def _database(self) -> Any:
        if self._opened is None:
            with self.turn(_OPENING):
                if self._opened is None:  # another thread may have had the turn before
                    self._opened = self._open()
        return self._opened

    def _connected(self) -> sqlite3.Connection:
        """Return what reads, for all threads in turn."""
        if self._reader is None:
            path = self.folder / DATABASE
            self._reader = sqlite3.connect(
                path, timeout=60, isolation_level=None, check_same_thread=False
            )
            self._reader.execute("PRAGMA query_only = 1")
        return self._reader

    def _leave_reader(self) -> None:
        if self._reader is not None:
            _LEFT.append(self._reader)
            self._reader = None

    def _open(self) -> Any:
        path = self.folder / DATABASE
        try:
            # SQLite gives its side files the rights of this one. Never open one that exists:
            # closing it would drop the locks that SQLite holds on it in this process.
            os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
        except FileExistsError:
            with suppress(PermissionError):  # another user's file
                path.chmod(0o600)
        settings = {"eviction_policy": "none", "cull_limit": 0, "statistics": 0}
        return diskcache.Cache(str(self.folder), timeout=60, disk=BytesDisk, **settings)

    def _make_folder(self) -> None:
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not any(self.folder.iterdir()):  # a folder with other things in it is left open
            self.folder.chmod(0o700)
