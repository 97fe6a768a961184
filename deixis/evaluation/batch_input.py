"""The rows of a batch run: checked up front, then read again one by one as they are needed.

What is known of a row is its place in the file, kept in a temporary SQLite database that
lives on disk, so that memory does not grow with the number of rows. It is private to the
process and gone when it ends.
"""

import json
import os
import re
import sqlite3
from collections.abc import Iterable, Iterator
from hashlib import blake2b
from pathlib import Path
from typing import Any, NamedTuple

from deixis.agents.open import checked_text
from deixis.agents.patches import checked_patches
from deixis.errors import InputError

_URL = re.compile(r"https?://", re.IGNORECASE)
_AT_ONCE = 500  # rows looked up together


class Task(NamedTuple):
    """One row to run: ``image`` is an absolute path, a URL, or None; ``patches`` are checked."""

    line: int
    id: str
    text: str
    image: str | None
    patches: list[dict[str, Any]] | None = None


class Problem(NamedTuple):
    """A row that cannot be run, by the number of its line from 1; ``id`` is None if it has none."""

    line: int
    id: str | None
    error: str


class _Bad(Exception):
    """A row is wrong: its id, as far as it has one, and why."""

    def __init__(self, row: object, error: str) -> None:
        super().__init__(_writable(error))
        given = row.get("id") if isinstance(row, dict) else None
        self.id = _writable(given) if isinstance(given, str) else None


class Rows:
    """The rows of an input file, one JSON object a line: ``id``, ``text``, and maybe ``image``.

    ``patches`` of the picture may be there as well, as `checked_patches` takes them. Empty lines
    and other keys are passed over. A relative ``image`` is relative to the file.

    Args:
        path: the file.
        max_text: most characters of a text.

    Raises:
        InputError: the file cannot be read.
    """

    def __init__(self, path: Path, max_text: int) -> None:
        self.path = path
        self._max_text = max_text
        self._folder = Path(os.path.abspath(path)).parent
        try:
            if not path.is_file():
                why = "it is no plain file" if path.exists() else "there is no such file"
                raise InputError(f"cannot read {path}: {why}")
            self._file = path.open("rb")
        except OSError as error:
            raise InputError(f"cannot read {path}: {error.strerror}") from None
        self._table = sqlite3.connect("", isolation_level=None)  # on disk, without a name
        self._table.execute("PRAGMA journal_mode = OFF")
        self._table.execute(
            "CREATE TABLE task (id TEXT UNIQUE, line INTEGER, start INTEGER, turn INTEGER)"
        )
        self._table.execute("CREATE TABLE problem (line INTEGER PRIMARY KEY, id TEXT, error TEXT)")

    def scan(self, shuffle_seed: int | None = None, limit: int | None = None) -> None:
        """Check every row of the file, once: it is then a task or a problem.

        Args:
            shuffle_seed: makes an order of its own, the same for the same seed and ids.
            limit: only so many tasks, the first in that order.

        Raises:
            InputError: the file cannot be read, or the disk has no room for the table.
        """
        try:
            self._scan(shuffle_seed, limit)
        except OSError as error:
            raise InputError(f"cannot read {self.path}: {error.strerror}") from None
        except sqlite3.OperationalError as error:
            raise InputError(f"cannot take note of the rows of {self.path}: {error}") from None

    def _scan(self, shuffle_seed: int | None, limit: int | None) -> None:
        self._table.execute("BEGIN")
        start = 0
        for number, line in enumerate(self._file, start=1):
            if line.strip():
                problem = self._scan_line(number, line, start, shuffle_seed)
                if problem is not None:
                    self._table.execute("INSERT INTO problem VALUES (?, ?, ?)", problem)
            start += len(line)
        self._table.execute("CREATE INDEX turns ON task (turn, line)")
        if limit is not None:
            self._table.execute(
                "DELETE FROM task WHERE rowid NOT IN "
                "(SELECT rowid FROM task ORDER BY turn, line LIMIT ?)",
                (limit,),
            )
        self._table.execute("COMMIT")

    def problems(self) -> Iterator[Problem]:
        """Yield what is wrong, by line."""
        select = "SELECT line, id, error FROM problem ORDER BY line"
        return (Problem(*found) for found in self._table.execute(select))

    def __len__(self) -> int:
        """Return how many tasks are left."""
        return int(self._table.execute("SELECT count(*) FROM task").fetchone()[0])

    def drop(self, ids: Iterable[str]) -> None:
        """Take tasks out that need not be run; ids that are not among them are passed over."""
        self._table.execute("BEGIN")
        self._table.executemany("DELETE FROM task WHERE id = ?", ((each,) for each in ids))
        self._table.execute("COMMIT")

    def __iter__(self) -> Iterator[Task | Problem]:
        """Yield the tasks in their order; a problem where the file is no longer the same."""
        last = (-(2**63), 0)
        while found := self._table.execute(
            "SELECT id, line, start, turn FROM task WHERE (turn, line) > (?, ?) "
            "ORDER BY turn, line LIMIT ?",
            (*last, _AT_ONCE),
        ).fetchall():
            for id_, line, start, _ in found:
                self._file.seek(start)
                try:
                    task = self._task(line, self._file.readline())
                    yield task if task.id == id_ else Problem(line, id_, "the file has changed")
                except _Bad as error:
                    yield Problem(line, id_, f"the file has changed: {error}")
            last = (found[-1][3], found[-1][1])

    def close(self) -> None:
        """Let go of the file and of what was noted of it."""
        self._file.close()
        self._table.close()

    def _scan_line(
        self, number: int, line: bytes, start: int, shuffle_seed: int | None
    ) -> Problem | None:
        try:
            task = self._task(number, line)
        except _Bad as error:
            return Problem(number, error.id, str(error))
        turn = number
        if shuffle_seed is not None:
            mixed = blake2b(f"{shuffle_seed} {task.id}".encode(), digest_size=8).digest()
            turn = int.from_bytes(mixed, signed=True)
        try:
            self._table.execute(
                "INSERT INTO task VALUES (?, ?, ?, ?)", (task.id, number, start, turn)
            )
        except sqlite3.IntegrityError:
            first = self._table.execute("SELECT line FROM task WHERE id = ?", (task.id,))
            return Problem(
                number, task.id, f"the id stands on line {first.fetchone()[0]} too, which is run"
            )
        return None

    def _task(self, number: int, line: bytes) -> Task:
        """Read one line.

        Raises:
            _Bad: it is no row that could be run.
        """
        row = _parsed(number, line)
        if not isinstance(row, dict):
            raise _Bad(row, 'a row is a JSON object, {"id": ..., "text": ..., "image": ...}')
        id_ = row.get("id")
        if not isinstance(id_, str):
            raise _Bad(row, f"id must be a string; got {_kind(id_)}")
        if not id_.strip() or id_ != _writable(id_):
            raise _Bad(row, "the id is empty, or has a character that no text has")
        try:
            text = checked_text(row.get("text"), self._max_text)
            patches = checked_patches(row.get("patches"))
        except InputError as error:
            raise _Bad(row, str(error)) from None
        return Task(number, id_, text, self._image(row), patches)

    def _image(self, row: dict[str, Any]) -> str | None:
        image = row.get("image")
        if image is None:
            return None
        if not isinstance(image, str):
            raise _Bad(row, f"image must be a path, a URL or null; got {_kind(image)}")
        if not image.strip() or image != _writable(image):
            raise _Bad(row, "image is empty, or has a character that no path has")
        if _URL.match(image):
            return image
        path = self._folder / image
        try:
            there = path.is_file()
        except OSError as error:  # a name that is too long
            raise _Bad(row, f"cannot look at the image {image[:200]!r}: {error.strerror}") from None
        if not there:
            why = "is no file" if path.exists() else "is not there"
            raise _Bad(row, f"the image {image[:200]!r} {why} (looked in {self._folder})")
        return str(path)


def _parsed(number: int, line: bytes) -> Any:
    try:
        text = line.decode("utf-8-sig" if number == 1 else "utf-8")
        return json.loads(text, object_pairs_hook=_without_twins, parse_constant=_no_number)
    except UnicodeDecodeError as error:
        raise _Bad(None, f"not UTF-8 ({error.reason} at byte {error.start})") from None
    except RecursionError:
        raise _Bad(None, "not JSON that can be read: nested too deeply") from None
    except ValueError as error:
        raise _Bad(None, f"not JSON: {error}") from None


def _without_twins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"the key {twice[:80]!r} stands twice in one object")
    return found


def _no_number(name: str) -> float:
    raise ValueError(f"{name} is no JSON value")


def _kind(value: object) -> str:
    if value is None:
        return "null, or nothing"
    return {bool: "true or false", int: "a number", float: "a number", str: "a string"}.get(
        type(value), "a list" if isinstance(value, list) else "an object"
    )


def _writable(text: str) -> str:
    """Replace what no file can hold: NUL, and half a surrogate pair."""
    return text.encode("utf-8", "replace").decode("utf-8").replace("\0", "\ufffd")
