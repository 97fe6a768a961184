"""Where every row of a file of results stands, and what rows can be ordered and chosen by.

The index is a database in a temporary file: of a file of any size, no more than a page of rows is
in memory.
"""

import json
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path
from threading import RLock
from typing import IO, Any, Literal, NamedTuple

from deixis.base.json_lines import parsed
from deixis.base.text_files import LONGEST, Line, open_data, raw_lines
from deixis.batch.output import beside
from deixis.errors import DataError, InputError
from deixis.evaluation.disagreements import RowPair, compare_row
from deixis.evaluation.metrics.scoring import How
from deixis.formats.muie_rows import MuieContent
from deixis.rows import id_of, parse_row

Order = Literal["file", "uncertain", "disagreement"]
State = Literal["all", "open", "mine", "others", "done", "skipped", "nobody"]
HOW = How.named("gmner")
"""How two results, or two reviewers, are compared: names, types, and boxes by an IoU of 0.5."""
_SHOWN = 300
_TABLES = """
CREATE TABLE rows (n INTEGER PRIMARY KEY, id TEXT, start INTEGER, text TEXT, folded TEXT,
    certainty REAL, disagreement REAL, error TEXT, warnings INTEGER, other INTEGER);
CREATE INDEX by_id ON rows (id);
CREATE TABLE types (type TEXT, n INTEGER, PRIMARY KEY (type, n)) WITHOUT ROWID;
CREATE TABLE others (id TEXT PRIMARY KEY, start INTEGER) WITHOUT ROWID;
CREATE TABLE reviews (reviewer TEXT, id TEXT, verdict TEXT, at TEXT, start INTEGER,
    PRIMARY KEY (reviewer, id)) WITHOUT ROWID;
"""
_STATES: dict[State, str] = {
    "all": "1",
    "open": "mine.verdict IS NULL",
    "mine": "mine.verdict IN ('accepted', 'corrected')",
    "skipped": "mine.verdict = 'skipped'",
    "others": "EXISTS (SELECT 1 FROM reviews o WHERE o.id = rows.id AND o.reviewer != :reviewer "
    "AND o.verdict != 'skipped')",
    "done": "EXISTS (SELECT 1 FROM reviews o WHERE o.id = rows.id AND o.verdict != 'skipped')",
    "nobody": "NOT EXISTS (SELECT 1 FROM reviews o WHERE o.id = rows.id "
    "AND o.verdict != 'skipped')",
}
_ORDERS: dict[Order, str] = {
    "file": "n",
    "uncertain": "certainty, n",
    "disagreement": "disagreement DESC, n",
}


class Wanted(NamedTuple):
    """Which rows are listed, and in which order: see `Index.listed`."""

    reviewer: str = ""
    state: State = "all"
    failed: bool = False
    type: str | None = None
    text: str = ""
    order: Order = "file"
    offset: int = 0
    limit: int = 100


class Index:
    """The rows of a file, which are numbered from 1; those that failed stand behind the others.

    Args:
        results: what `deixis batch` has written; what failed is beside it.
        also: another run over the same rows; rows on which the two differ come first in the order
            ``disagreement``. Without it that is the order of what the committee disagrees on.

    Raises:
        InputError: a file cannot be read, or has no rows.
        DataError: it is no text.
    """

    def __init__(self, results: Path, also: Path | None = None) -> None:
        self.lock = RLock()
        self._db = sqlite3.connect("", check_same_thread=False)  # "": a file that nobody sees
        self._db.row_factory = sqlite3.Row
        self._db.executescript(_TABLES)
        self._file = open_data(results)
        self._other: IO[bytes] | None = None
        self.compared = also is not None
        try:
            self._other = None if also is None else open_data(also)
            self._fill(results)
        except BaseException:
            self.close()
            raise

    def _fill(self, results: Path) -> None:
        with self._db:
            if self._other is not None:
                self._db.executemany(
                    "INSERT OR IGNORE INTO others VALUES (?, ?)", _ids(self._other)
                )
            for n, line in enumerate((x for x in raw_lines(self._file) if x.data.strip()), 1):
                self._add(n, line)
            self._add_failures(beside(results, ".failures.jsonl"))
            self._db.execute("CREATE INDEX by_certainty ON rows (certainty, n)")
            self._db.execute("CREATE INDEX by_disagreement ON rows (disagreement DESC, n)")
        if not self.count():
            raise InputError(f"{results}: there are no rows to review")

    def close(self) -> None:
        """Let go of the files."""
        with self.lock:
            self._db.close()
            self._file.close()
            if self._other is not None:
                self._other.close()

    def ask(self, query: str, values: Any = ()) -> list[sqlite3.Row]:
        """Return what a query brings, from any thread."""
        with self.lock, closing(self._db.execute(query, values)) as found:
            return found.fetchall()

    def change(self, query: str, values: Iterable[Any]) -> None:
        """Run a statement once for each of several values."""
        with self.lock, self._db:
            self._db.executemany(query, values)

    def count(self) -> int:
        """Return how many rows there are, with those that failed."""
        return int(self.ask("SELECT COUNT(*) FROM rows")[0][0])

    def types(self) -> list[dict[str, Any]]:
        """Return the types that entities have, and in how many rows."""
        found = self.ask("SELECT type, COUNT(*) AS rows FROM types GROUP BY type ORDER BY type")
        return [dict(each) for each in found]

    def listed(self, wanted: Wanted) -> tuple[int, list[dict[str, Any]]]:
        """Return how many rows are wanted, and a page of them.

        ``open`` are those that the reviewer has not decided, ``nobody`` those that nobody has.
        """
        parts, values = [_STATES[wanted.state]], wanted._asdict()
        if wanted.failed:
            parts.append("(error IS NOT NULL OR warnings > 0)")
        if wanted.type is not None:
            parts.append("EXISTS (SELECT 1 FROM types t WHERE t.n = rows.n AND t.type = :type)")
        if wanted.text:
            parts.append("instr(folded, :text) > 0")
            values["text"] = wanted.text.casefold()
        source = (
            "FROM rows LEFT JOIN reviews mine ON mine.id = rows.id AND mine.reviewer = :reviewer "
            f"WHERE {' AND '.join(parts)}"
        )
        total = self.ask(f"SELECT COUNT(*) {source}", values)[0][0]
        columns = (
            "n, rows.id, text, certainty, disagreement, error, warnings, mine.verdict, "
            "(SELECT COUNT(*) FROM reviews o WHERE o.id = rows.id AND o.reviewer != :reviewer "
            "AND o.verdict != 'skipped') AS others"
        )
        order = _ORDERS[wanted.order]
        page = f"SELECT {columns} {source} ORDER BY {order} LIMIT :limit OFFSET :offset"
        return total, [dict(each) for each in self.ask(page, values)]

    def row(self, n: int) -> dict[str, Any]:
        """Return what the index knows of a row.

        Raises:
            InputError: there is no such row.
        """
        found = self.ask("SELECT * FROM rows WHERE n = ?", (n,))
        if not found:
            raise InputError(f"there is no row {n}; they are numbered from 1")
        return dict(found[0])

    def number_of(self, id_: str) -> int | None:
        """Return the number of the row with an id."""
        found = self.ask("SELECT MIN(n) FROM rows WHERE id = ? AND start IS NOT NULL", (id_,))
        return found[0][0] if found else None

    def data(self, start: int) -> Any:
        """Return the object of the line that starts at a byte of the results."""
        with self.lock:
            return parsed(_line_at(self._file, start), constants=False)

    def pair(self, n: int) -> RowPair | None:
        """Return in what the other run differs on a row; None if it has no such row."""
        about = self.row(n)
        if about["other"] is None or about["start"] is None:
            return None
        return self._pair(self.data(about["start"]), about["other"])

    def _pair(self, data: Any, start: int) -> RowPair:
        assert self._other is not None
        with self.lock:
            other = parsed(_line_at(self._other, start), constants=False)
        return compare_row(parse_row(data, MuieContent), parse_row(other, MuieContent), None, HOW)

    def _add(self, n: int, line: Line) -> None:
        id_: str | None = None
        text, error, data = "", None, {}
        try:
            given = json.loads(line.data) if len(line.data) <= LONGEST else None
            if not isinstance(given, dict) or not isinstance(id_of(given.get("id")), str):
                raise ValueError("no row with an id")
            data, id_ = given, id_of(given["id"])
            text = str(data.get("text") or "")
            if self._db.execute("SELECT 1 FROM rows WHERE id = ?", (id_,)).fetchone():
                raise ValueError(f"the id {id_!r} stands on an earlier line too, which counts")
        except (ValueError, RecursionError) as wrong:
            error = f"line {line.number}: {wrong}"
        certainty, disagreement = (1.0, 0.0) if error else measures(data)
        other = None
        if self._other is not None and error is None:
            disagreement = 0.0
            found = self._db.execute("SELECT start FROM others WHERE id = ?", (id_,)).fetchone()
            if found is not None:
                other = found[0]
                try:
                    disagreement = self._pair(data, other).amount
                except (ValueError, DataError) as wrong:
                    other, error = None, f"cannot be compared with the other run: {wrong}"
        warnings = data.get("warnings") if isinstance(data.get("warnings"), list) else []
        self._db.execute(
            "INSERT INTO rows VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                *(n, id_, line.start, text[:_SHOWN], f"{id_} {text}".casefold()),
                *(certainty, disagreement, error, len(warnings or ()), other),
            ),
        )
        kinds = {each.get("type") for each in _dicts(data.get("entities"))}
        self._db.executemany(
            "INSERT OR IGNORE INTO types VALUES (?, ?)",
            ((kind, n) for kind in kinds if isinstance(kind, str)),
        )

    def _add_failures(self, path: Path) -> None:
        if not path.is_file():
            return
        n = int(self._db.execute("SELECT COUNT(*) FROM rows").fetchone()[0])
        with open_data(path) as file:
            for line in raw_lines(file):
                try:
                    data = json.loads(line.data)
                    id_, error = data["id"], str(data["error"])
                except (ValueError, KeyError, TypeError, RecursionError):
                    continue  # a half line, or none of a run
                n += 1
                said = id_ if isinstance(id_, str) else f"line {data.get('line')}"
                self._db.execute(
                    "INSERT INTO rows VALUES (?, ?, NULL, '', ?, 1.0, 0.0, ?, 0, NULL)",
                    (n, said, said.casefold(), error),
                )


def measures(data: dict[str, Any]) -> tuple[float, float]:
    """Return how certain the least certain part of a result is, and how far voters disagree.

    Certainty is the least confidence of an entity, or of a verdict on whether it can be seen: the
    nearer to one half, the less (``max(c, 1 - c)``); undecided beside a medium is 0. Disagreement
    is 1 less the least agreement of a committee's votes. Both run 0..1.
    """
    media = any(data.get(name) for name in ("image", "images", "audio", "video"))
    certain, agreed = [1.0], [1.0]
    for entity in _dicts(data.get("entities")):
        certain += _shares(entity.get("confidence"))
        if media and entity.get("groundable", True) is None:
            certain.append(0.0)
        for decision in _dicts(entity.get("decisions")):
            if decision.get("subject") == "groundable":
                certain += [max(c, 1 - c) for c in _shares(decision.get("confidence"))]
        knowledge = entity.get("knowledge")
        if isinstance(knowledge, dict):
            for attribute in _dicts(knowledge.get("attributes")):
                agreed += _shares(attribute.get("agreement"))
    return min(certain), 1 - min(agreed)


def _ids(file: IO[bytes]) -> Iterator[tuple[str, int]]:
    for line in raw_lines(file):
        try:
            id_ = id_of(json.loads(line.data)["id"])
        except (ValueError, KeyError, TypeError, RecursionError):
            continue  # a row that is none agrees with nothing
        if isinstance(id_, str):
            yield id_, line.start


def _line_at(file: IO[bytes], start: int) -> str:
    file.seek(start)
    return file.readline(LONGEST).split(b"\r")[0].decode("utf-8")


def _shares(given: Any) -> list[float]:
    fits = isinstance(given, int | float) and not isinstance(given, bool) and 0 <= given <= 1
    return [float(given)] if fits else []


def _dicts(given: Any) -> list[dict[str, Any]]:
    return [each for each in given if isinstance(each, dict)] if isinstance(given, list) else []
