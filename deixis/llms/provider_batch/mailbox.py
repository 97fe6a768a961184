"""What a run asks by batches, and what has come back: on disk, whatever happens to the process.

A request is needed, then in a job, then answered. One whose job brought no answer is needed again;
after `MOST_TRIES` its fault is the answer. Bodies are dropped with the answer. What was asked by
two rows is asked once.
"""

import shutil
import sqlite3
import uuid
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from deixis.base.forks import Lock
from deixis.errors import InputError, SettingsError
from deixis.llms.provider_batch.records import Entry, Job, Kind, Outcome
from deixis.llms.servers import faults

MOST_TRIES = 3
"""Jobs that a request may be in without an answer before it has failed."""
MOST_BYTES = 20_000_000_000
"""Bytes of requests that are written down before no more rows are begun: those go first."""
_DATABASE, _PART = "requests.sqlite", "part.jsonl"
_TABLES = """
CREATE TABLE IF NOT EXISTS kind (id INTEGER PRIMARY KEY, spec TEXT, path TEXT, betas TEXT,
    UNIQUE (spec, path, betas));
CREATE TABLE IF NOT EXISTS request (id INTEGER PRIMARY KEY, key TEXT UNIQUE, kind INTEGER,
    body BLOB, tries INTEGER DEFAULT 0, job INTEGER, status INTEGER, reply BLOB,
    read INTEGER DEFAULT 0);
CREATE INDEX IF NOT EXISTS needed ON request (kind, id) WHERE job IS NULL AND status IS NULL;
CREATE INDEX IF NOT EXISTS posted ON request (job) WHERE job IS NOT NULL;
CREATE TABLE IF NOT EXISTS job (id INTEGER PRIMARY KEY, kind INTEGER, name TEXT, begun REAL,
    count INTEGER, remote TEXT);
CREATE TABLE IF NOT EXISTS at_once (key TEXT PRIMARY KEY, calls TEXT);
CREATE TABLE IF NOT EXISTS made_with (settings TEXT);
"""
_NEEDED = "job IS NULL AND status IS NULL"


class Mailbox:
    """The requests of one run; may be shared by threads.

    Attributes:
        written: bytes of the requests that were written down since the last were handed in.

    Args:
        folder: made if need be, for its owner alone.
        settings: hash of the settings that the requests are made with.

    Raises:
        InputError: the folder cannot be used.
        SettingsError: what is in it was asked with other settings.
    """

    def __init__(self, folder: Path, settings: str) -> None:
        self.folder = folder
        self.written = 0
        self._guard = Lock()
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._table = sqlite3.connect(
                folder / _DATABASE, isolation_level=None, check_same_thread=False, timeout=60
            )
            self._table.execute("PRAGMA journal_mode = WAL")
            self._table.execute("PRAGMA synchronous = NORMAL")
            self._table.executescript(_TABLES)
            before = self._table.execute("SELECT settings FROM made_with").fetchone()
            if before is None:
                self._table.execute("INSERT INTO made_with VALUES (?)", (settings,))
        except (OSError, sqlite3.Error) as error:
            raise InputError(f"cannot use {folder}: {error}") from None
        if before is not None and before[0] != settings:
            self.close()
            raise SettingsError(
                f"{folder}: its batches were asked with other settings; run with those, give "
                "another --out, or delete the folder, and what it has asked is lost"
            )

    def find(self, key: str) -> Entry | None:
        """Return what is known of a request; None if it was never asked."""
        with self._locked():
            row = self._table.execute(
                "SELECT status, reply FROM request WHERE key = ?", (key,)
            ).fetchone()
        return None if row is None else Entry(row[0], row[1] or b"")

    def first_read(self, key: str) -> bool:
        """Say whether an answer is read for the first time, and so is to be counted."""
        with self._locked():
            mark = "UPDATE request SET read = 1 WHERE key = ? AND NOT read"
            return bool(self._table.execute(mark, (key,)).rowcount)

    def need(self, key: str, kind: Kind, body: bytes) -> None:
        """Write a request down, unless that was done before."""
        with self._locked():
            self._table.execute("INSERT OR IGNORE INTO kind VALUES (NULL, ?, ?, ?)", kind)
            added = self._table.execute(
                "INSERT OR IGNORE INTO request (key, kind, body) SELECT ?, id, ? FROM kind "
                "WHERE spec = ? AND path = ? AND betas = ?",
                (key, body, *kind),
            )
            self.written += added.rowcount * len(body)

    def asked_at_once(self, key: str) -> str | None:
        """Return what was kept of a question that no batch took; None for nothing."""
        with self._locked():
            row = self._table.execute("SELECT calls FROM at_once WHERE key = ?", (key,)).fetchone()
        return None if row is None else str(row[0])

    def keep_at_once(self, key: str, calls: str) -> None:
        """Keep what came of a question that no batch took, for the rounds that follow."""
        with self._locked():
            self._table.execute("INSERT OR REPLACE INTO at_once VALUES (?, ?)", (key, calls))

    def drop(self, key: str) -> None:
        """Forget a request that is asked in another way."""
        with self._locked():
            self._table.execute(f"DELETE FROM request WHERE key = ? AND {_NEEDED}", (key,))

    def needed(self) -> int:
        """Return how many requests are to be handed in."""
        with self._locked():
            count = f"SELECT count(*) FROM request WHERE {_NEEDED}"
            return int(self._table.execute(count).fetchone()[0])

    def kinds(self) -> list[Kind]:
        """Return the kinds of which requests are needed."""
        select = (
            "SELECT spec, path, betas FROM kind WHERE EXISTS "
            f"(SELECT 1 FROM request WHERE kind = kind.id AND {_NEEDED})"
        )
        with self._locked():
            return [Kind(*row) for row in self._table.execute(select)]

    def pack(
        self, kind: Kind, line: Callable[[str, bytes], bytes], most: tuple[int, int], now: float
    ) -> tuple[Job, Path] | None:
        """Put the needed requests of a kind into a job, as many as one may have.

        Args:
            kind: of the requests.
            line: writes a request, of a key and a body, as a line of the file.
            most: requests, and bytes of the file.
            now: seconds since 1970.

        Returns:
            The job, and the file to hand in; None if no request is left that would go into one.
            A request that alone is too large has failed.
        """
        path = self.folder / _PART
        with self._locked(), path.open("wb") as file:
            self._table.execute("BEGIN IMMEDIATE")
            (number,) = self._table.execute(
                "SELECT id FROM kind WHERE spec = ? AND path = ? AND betas = ?", kind
            ).fetchone()
            name = uuid.uuid4().hex
            new = "INSERT INTO job (kind, name, begun, count) VALUES (?, ?, ?, 0)"
            job = self._table.execute(new, (number, name, now)).lastrowid
            count = 0
            for id_, key, body in self._needed_in_order(number):
                written = line(key, body)
                if len(written) > most[1]:
                    fault = f"the request has {len(written)} bytes, a batch at most {most[1]}"
                    self._fail(id_, fault)
                    continue
                if count >= most[0] or file.tell() + len(written) > most[1]:
                    break
                file.write(written)
                self._table.execute("UPDATE request SET job = ? WHERE id = ?", (job, id_))
                count += 1
            if count:
                self._table.execute("UPDATE job SET count = ? WHERE id = ?", (count, job))
            else:
                self._table.execute("DELETE FROM job WHERE id = ?", (job,))
            self._table.execute("COMMIT")
        assert job is not None, "a row has an id"
        return (Job(job, kind, name, now, count, ""), path) if count else None

    def _needed_in_order(self, kind: int) -> Iterator[tuple[int, str, bytes]]:
        some = (
            f"SELECT id, key, body FROM request WHERE kind = ? AND {_NEEDED} AND id > ? "
            "ORDER BY id LIMIT 50"
        )
        last = 0
        while rows := self._table.execute(some, (kind, last)).fetchall():
            yield from rows
            last = rows[-1][0]

    def posted(self, job: Job, remote: str) -> None:
        """Write down the provider's id of a job, for good: it is on the disk then."""
        with self._locked():
            self._table.execute("PRAGMA synchronous = FULL")
            self._table.execute("UPDATE job SET remote = ? WHERE id = ?", (remote, job.id))
            self._table.execute("PRAGMA synchronous = NORMAL")

    def jobs(self) -> list[Job]:
        """Return the jobs that are not over."""
        select = (
            "SELECT job.id, spec, path, betas, name, begun, count, coalesce(remote, '') "
            "FROM job JOIN kind ON kind.id = job.kind ORDER BY job.id"
        )
        with self._locked():
            rows = self._table.execute(select).fetchall()
        return [Job(row[0], Kind(*row[1:4]), *row[4:]) for row in rows]

    def in_jobs(self) -> int:
        """Return how many requests are in jobs."""
        with self._locked():
            count = "SELECT count(*) FROM request WHERE job IS NOT NULL"
            return int(self._table.execute(count).fetchone()[0])

    def take_in(self, job: Job, outcomes: Iterable[Outcome], why: str) -> None:
        """Take in what a job says, all or nothing; the job is then over.

        Args:
            job: that has ended.
            outcomes: of its requests, in any order. One of a request that it does not have is
                passed over, and one that can be asked again is needed again.
            why: says what became of those that it does not tell of.

        Raises:
            Exception: whatever `outcomes` raises; nothing is taken in then.
        """
        with self._locked():
            self._table.execute("BEGIN IMMEDIATE")
            for outcome in outcomes:
                if outcome.status and not faults.passes(outcome.status):
                    self._table.execute(
                        "UPDATE request SET status = ?, reply = ?, body = NULL, job = NULL "
                        "WHERE key = ? AND job = ?",
                        (outcome.status, outcome.body, outcome.key, job.id),
                    )
                else:
                    said = outcome.body.decode("utf-8", "replace")
                    self._put_back(job, said, outcome.key)
            self._put_back(job, why)
            self._table.execute("DELETE FROM job WHERE id = ?", (job.id,))
            self._table.execute("COMMIT")

    def put_back(self, job: Job) -> None:
        """Make the requests of a job needed as they were: it was never handed in."""
        with self._locked():
            self._table.execute("BEGIN IMMEDIATE")
            self._table.execute("UPDATE request SET job = NULL WHERE job = ?", (job.id,))
            self._table.execute("DELETE FROM job WHERE id = ?", (job.id,))
            self._table.execute("COMMIT")

    def _put_back(self, job: Job, why: str, key: str | None = None) -> None:
        """Make requests of a job needed again; those that were asked often enough have failed."""
        which, one = "job = ?", (job.id, *([] if key is None else [key]))
        which += "" if key is None else " AND key = ?"
        fault = f"no answer in {MOST_TRIES} batches: {why}".encode()
        self._table.execute(
            "UPDATE request SET status = 0, reply = ?, body = NULL, job = NULL "
            f"WHERE {which} AND tries + 1 >= {MOST_TRIES}",
            (fault, *one),
        )
        again = f"UPDATE request SET tries = tries + 1, job = NULL WHERE {which}"
        self._table.execute(again, one)

    def _fail(self, id_: int, fault: str) -> None:
        failed = "UPDATE request SET status = 0, reply = ?, body = NULL WHERE id = ?"
        self._table.execute(failed, (fault.encode(), id_))

    @contextmanager
    def _locked(self) -> Iterator[None]:
        with self._guard:
            try:
                yield
            except sqlite3.Error as error:
                raise InputError(f"cannot use {self.folder}: {error}") from None
            finally:
                if self._table.in_transaction:
                    self._table.execute("ROLLBACK")

    def close(self) -> None:
        """Let go of the files, which stay."""
        self._table.close()

    def remove(self) -> None:
        """Remove the folder: everything is answered."""
        self.close()
        shutil.rmtree(self.folder, ignore_errors=True)
