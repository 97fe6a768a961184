"""The rows of a batch run: checked up front, then read again one by one as they are needed.

What is known of a row is its place in the file, kept in a temporary SQLite database that
lives on disk, so that memory does not grow with the number of rows. It is private to the
process and gone when it ends.
"""

import os
import sqlite3
from collections.abc import Iterator
from hashlib import blake2b
from pathlib import Path

from deixis.base.text_files import Line, folder_of, open_data, raw_lines
from deixis.batch.row import BadRow, Problem, Reading, Task, task_of
from deixis.errors import InputError

_AT_ONCE = 500  # rows looked up together
_TABLES = """
CREATE TABLE task (id TEXT UNIQUE, line INTEGER, start INTEGER, length INTEGER, turn INTEGER,
    wanted INTEGER DEFAULT 1, done INTEGER DEFAULT 0);
CREATE TABLE problem (line INTEGER PRIMARY KEY, id TEXT, error TEXT);
"""


class Rows:
    """The rows of an input file, one JSON object per line: ``id``, ``text``, and maybe ``image``.

    ``patches`` and ``caption`` of the picture and ``mentions`` may be there as well, as a graph
    takes them, and ``images``, ``audio``, ``video`` and ``task`` for graphs that do. Empty lines
    and other keys are passed over. A relative path is relative to the file.

    Args:
        path: the file, as `deixis.base.text_files` reads it.
        max_text: most characters of a text.
        gold_mentions: takes the ``entities`` of each row for its mentions.
        takes: what else the graph takes (`deixis.agents.context.system.System`).

    Raises:
        DataError: the file holds no text.
        InputError: the file cannot be read.
    """

    def __init__(
        self,
        path: Path,
        max_text: int,
        *,
        gold_mentions: bool = False,
        takes: tuple[str, ...] = (),
    ) -> None:
        self.path = path
        folder = Path(os.path.abspath(folder_of(path)))
        self._how = Reading(folder, max_text, gold_mentions, takes)
        self._file = open_data(path)
        self._table = sqlite3.connect("", isolation_level=None)  # on disk, without a name
        self._table.execute("PRAGMA journal_mode = OFF")
        self._table.executescript(_TABLES)

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
        for line in raw_lines(self._file):
            if line.data.strip():
                problem = self._scan_line(line, shuffle_seed)
                if problem is not None:
                    self._table.execute("INSERT INTO problem VALUES (?, ?, ?)", problem)
        self._table.execute("CREATE INDEX turns ON task (turn, line)")
        self._table.execute("CREATE INDEX named ON problem (id)")
        if limit is not None:
            self._table.execute(
                "UPDATE task SET wanted = 0 WHERE rowid NOT IN "
                "(SELECT rowid FROM task ORDER BY turn, line LIMIT ?)",
                (limit,),
            )
        self._table.execute("COMMIT")

    def problems(self) -> Iterator[Problem]:
        """Yield what is wrong, by line."""
        select = "SELECT line, id, error FROM problem ORDER BY line"
        return (Problem(*row) for row in self._table.execute(select))

    def __len__(self) -> int:
        """Return how many tasks are left."""
        return int(
            self._table.execute("SELECT count(*) FROM task WHERE wanted AND NOT done").fetchone()[0]
        )

    def finish(self, id_: str) -> Task | Problem | None:
        """Take a task out that need not be run.

        Returns:
            What the input holds of the row; None if it is not there.

        Raises:
            KeyError: the task was taken out before.
        """
        row = self._table.execute(
            "SELECT line, start, length, done FROM task WHERE id = ?", (id_,)
        ).fetchone()
        if row is None:
            select = "SELECT line, id, error FROM problem WHERE id = ? LIMIT 1"
            wrong = self._table.execute(select, (id_,)).fetchone()
            return None if wrong is None else Problem(*wrong)
        if row[3]:
            raise KeyError(id_)
        self._mark(id_, done=True)
        return self._read(id_, *row[:3])

    def leave(self, id_: str) -> None:
        """Take a task out that has been run."""
        self._mark(id_, done=True)

    def again(self, id_: str) -> None:
        """Put a task back that was taken out."""
        self._mark(id_, done=False)

    def _mark(self, id_: str, *, done: bool) -> None:
        self._table.execute("UPDATE task SET done = ? WHERE id = ?", (done, id_))

    def __iter__(self) -> Iterator[Task | Problem]:
        """Yield the tasks in their order; a problem where the file is no longer the same."""
        last = (-(2**63), 0)
        while rows := self._table.execute(
            "SELECT id, line, start, length, turn FROM task WHERE (turn, line) > (?, ?) "
            "AND wanted AND NOT done ORDER BY turn, line LIMIT ?",
            (*last, _AT_ONCE),
        ).fetchall():
            for id_, line, start, length, _ in rows:
                yield self._read(id_, line, start, length)
            last = (rows[-1][4], rows[-1][1])

    def close(self) -> None:
        """Let go of the file and of what was noted of it."""
        self._file.close()
        self._table.close()

    def _read(self, id_: str, line: int, start: int, length: int) -> Task | Problem:
        self._file.seek(start)
        try:
            task = task_of(line, self._file.read(length), self._how)
        except BadRow as error:
            return Problem(line, id_, f"the file has changed: {error}")
        return task if task.id == id_ else Problem(line, id_, "the file has changed")

    def _scan_line(self, line: Line, shuffle_seed: int | None) -> Problem | None:
        number = line.number
        try:
            task = task_of(number, line.data, self._how)
        except BadRow as error:
            return Problem(number, error.id, str(error))
        turn = number
        if shuffle_seed is not None:
            mixed = blake2b(f"{shuffle_seed} {task.id}".encode(), digest_size=8).digest()
            turn = int.from_bytes(mixed, signed=True)
        try:
            self._table.execute(
                "INSERT INTO task (id, line, start, length, turn) VALUES (?, ?, ?, ?, ?)",
                (task.id, number, line.start, len(line.data), turn),
            )
        except sqlite3.IntegrityError:
            first = self._table.execute("SELECT line FROM task WHERE id = ?", (task.id,))
            return Problem(
                number, task.id, f"the id stands on line {first.fetchone()[0]} too, which is run"
            )
        return None
