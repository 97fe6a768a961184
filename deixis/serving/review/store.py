"""The rows under review, and what each reviewer says of them."""

import threading
from collections.abc import Iterable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, NamedTuple

from pydantic import ValidationError

from deixis.base.problems import problem_line
from deixis.batch.lock import hold
from deixis.errors import DataError, InputError
from deixis.evaluation.pages.access import Access
from deixis.exchange.gold import gold_row
from deixis.exchange.items import extraction_of
from deixis.rows import CARRIED
from deixis.schema import Extraction
from deixis.serving.review.changes import changes, corrected
from deixis.serving.review.index import Index, Wanted
from deixis.serving.review.media import moved_source
from deixis.serving.review.shelf import Said, Shelf, lines, reviewer_of

Verdict = Literal["accepted", "corrected", "skipped"]
FOUND = ("entities", "relations", "events")


class StaleError(Exception):
    """The reviewer has said something else of the row meanwhile, in another tab."""

    def __init__(self, verdict: str, at: str) -> None:
        super().__init__(
            f"you have {verdict} this row at {at}, after it was opened here; open it again"
        )


class Opened(NamedTuple):
    """A row that can be reviewed: its number, its id, what the graph has found, and `CARRIED`."""

    n: int
    id: str
    extraction: Extraction
    carried: dict[str, Any]


class Store:
    """A file of results, and a folder with a file of gold for each reviewer.

    Methods may be called from several threads. One process has the folder at a time.

    Args:
        results: what `deixis batch` has written.
        folder: for what reviewers say; made if need be.
        also: another run over the same rows, to find those on which the two differ.
        access: which media may be opened, besides those beside the results.
        reviewer: the only reviewer; None lets each tell who it is.

    Raises:
        DataError: a file is none that this has written, or is no text.
        InputError: a file cannot be read or written, or another process has the folder.
    """

    def __init__(
        self,
        results: Path,
        folder: Path,
        *,
        also: Path | None = None,
        access: Access = Access(),  # noqa: B008  # never changed
        reviewer: str | None = None,
    ) -> None:
        self.results, self.folder, self.access = results, folder, access
        self.reviewer = None if reviewer is None else reviewer_of(reviewer)
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._held = hold(folder / "lock", folder)
        except OSError as error:
            raise InputError(f"cannot write into {folder}: {error.strerror}") from None
        self._shelves: dict[str, Shelf] = {}
        self._writing = threading.Lock()
        try:
            self.index = Index(results, also)
        except BaseException:
            self._held.close()
            raise
        try:
            for path in sorted(folder.glob("*.jsonl")):
                self._known(path)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Let go of the files."""
        self.index.close()
        self._held.close()

    def describe(self, reviewer: str) -> dict[str, Any]:
        """Return what is under review, and how far each reviewer is."""
        counts = "SELECT reviewer, verdict, COUNT(*) FROM reviews GROUP BY reviewer, verdict"
        told: dict[str, dict[str, Any]] = {}
        for name, verdict, number in self.index.ask(counts):
            told.setdefault(name, {"name": name})[verdict] = number
        failed = "SELECT COUNT(*) FROM rows WHERE error IS NOT NULL"
        return {
            "results": self.results.name,
            "rows": self.index.count(),
            "failed": self.index.ask(failed)[0][0],
            "types": self.index.types(),
            "compared": self.index.compared,
            "reviewers": list(told.values()),
            "reviewer": self.reviewer,
            "place": self._place(reviewer),
        }

    def listed(self, wanted: Wanted) -> dict[str, Any]:
        """Return a page of rows, and how many there are."""
        total, rows = self.index.listed(wanted)
        return {"total": total, "rows": rows}

    def opened(self, n: int) -> Opened:
        """Return a row of which people can say something.

        Raises:
            InputError: there is no such row, or it has no result.
        """
        about = self.index.row(n)
        if about["start"] is None or about["id"] is None:
            raise InputError(f"row {n} has no result: {about['error']}")
        try:
            data = self.index.data(about["start"])
            made = extraction_of(data) if isinstance(data, dict) else None
        except ValidationError as error:
            raise InputError(f"row {n} is damaged: {problem_line(error)}") from None
        except ValueError as error:
            raise InputError(f"row {n} is no JSON: {error}") from None
        if made is None:
            raise InputError(f"row {n} is no result of deixis batch: it has no warnings nor usage")
        if self.index.number_of(about["id"]) != n:
            raise InputError(f"row {n}: {about['error']}")
        carried = {name: data[name] for name in CARRIED if name in data}
        return Opened(n, about["id"], made, carried)

    def row(self, n: int, reviewer: str) -> dict[str, Any]:
        """Return a row as a reviewer sees it: with what that one has said of it, if anything.

        Raises:
            InputError: there is no such row.
        """
        about = self.index.row(n)
        shown: dict[str, Any] = {"n": n, "id": about["id"], "error": about["error"]}
        try:
            row = self.opened(n)
        except InputError as error:
            return {**shown, "error": about["error"] or str(error), "extraction": None}
        shown["extraction"] = row.extraction.model_dump(mode="json")
        shown["mine"] = None
        if (old := self._said(row.id, reviewer)) is not None:
            shown["mine"] = {"verdict": old.review["verdict"], "version": old.review["at"]}
            if old.review["verdict"] == "corrected":
                gold = self._shelves[reviewer].read(old.start)
                with suppress(ValidationError, KeyError):
                    found = {**shown["extraction"], **gold["review"]["found"]}
                    corrected = Extraction.model_validate(found).model_dump(mode="json")
                    shown["mine"]["extraction"] = corrected
        query = "SELECT reviewer, verdict FROM reviews WHERE id = ? AND reviewer != ?"
        shown["others"] = [dict(each) for each in self.index.ask(query, (row.id, reviewer))]
        pair = self.index.pair(n)
        shown["differences"] = pair and [each.document() for each in pair.differences]
        return shown

    def review(
        self,
        n: int,
        reviewer: str,
        verdict: Verdict,
        *,
        extraction: Mapping[str, Any] | None = None,
        version: str | None = None,
        seconds: float = 0.0,
    ) -> dict[str, Any]:
        """Keep what a reviewer says of a row; returns verdict, version and changes.

        Args:
            n: of the row.
            reviewer: who.
            verdict: whether it is right as it is, was corrected, or is left to others. What was
                corrected without a change is accepted.
            extraction: what is right, of a row that was corrected.
            version: of what the reviewer had said when the row was opened; None for nothing.
            seconds: how long it took.

        Raises:
            InputError: there is no such row, or the correction is not of it.
            StaleError: the reviewer has meanwhile said something else.
        """
        reviewer = self._allowed(reviewer)
        row = self.opened(n)
        right = row.extraction
        if (extraction is not None) != (verdict == "corrected"):
            raise InputError("an extraction goes with corrected, and with that alone")
        if extraction is not None:
            right = corrected(row.extraction, extraction)
        changed = changes(row.extraction, right)
        told: dict[str, Any] = {"reviewer": reviewer, "verdict": verdict, "changed": changed}
        if verdict == "corrected" and not changed:
            told["verdict"] = "accepted"
        with self._writing:
            shelf = self._shelves.setdefault(reviewer, Shelf(self.folder, reviewer))
            old = self._said(row.id, reviewer)
            if old is not None and old.review["at"] != version:
                raise StaleError(old.review["verdict"], old.review["at"])
            told |= {"seconds": round(seconds, 1), "at": datetime.now(UTC).isoformat()}
            line: dict[str, Any] = {"id": row.id}
            if verdict != "skipped":
                line = gold_row(right, row.id, self._sources(right)) | row.carried
            line["review"] = dict(told)
            if told["verdict"] == "corrected":
                found = right.model_dump(mode="json", include={*FOUND})
                line["review"]["found"] = found
            start = shelf.keep(line, old)
            if start is None:
                self._learn(shelf)
            else:
                self._add(shelf, [Said(row.id, told, start, start)])
        return {"n": n, "verdict": told["verdict"], "version": told["at"], "changed": changed}

    def reviewer_named(self, given: str) -> str:
        """Return the name of who asks; "" for nobody yet.

        Raises:
            InputError: it is no name, or not that of the only reviewer.
        """
        return self._allowed(given) if given else self.reviewer or ""

    def _allowed(self, given: str) -> str:
        name = reviewer_of(given)
        if self.reviewer not in (None, name):
            raise InputError(f"this server was started for {self.reviewer!r} alone")
        return name

    def _place(self, reviewer: str) -> int | None:
        """Return the row that a reviewer has said something of last."""
        query = "SELECT id FROM reviews WHERE reviewer = ? ORDER BY at DESC LIMIT 1"
        found = self.index.ask(query, (reviewer,))
        return self.index.number_of(found[0][0]) if found else None

    def _known(self, path: Path) -> None:
        names = {said.review["reviewer"] for said in lines(path)}
        for name in names:
            shelf = Shelf(self.folder, name)
            if len(names) > 1 or path not in (shelf.gold, shelf.skipped):
                raise DataError(f"{path} is not the file of {name!r}; name it {shelf.gold.name}")
            shelf.mend()
            self._shelves[name] = shelf
            self._learn(shelf)

    def _learn(self, shelf: Shelf) -> None:
        name = shelf.reviewer
        self.index.change("DELETE FROM reviews WHERE reviewer = ?", iter([(name,)]))
        self._add(shelf, shelf.said())

    def _add(self, shelf: Shelf, said: Iterable[Said]) -> None:
        self.index.change(
            "INSERT OR REPLACE INTO reviews VALUES (?, ?, ?, ?, ?)",
            (
                (shelf.reviewer, each.id, each.review["verdict"], each.review["at"], each.start)
                for each in said
            ),
        )

    def _said(self, id_: str, reviewer: str) -> Said | None:
        query = "SELECT * FROM reviews WHERE reviewer = ? AND id = ?"
        found = self.index.ask(query, (reviewer, id_))
        if not found:
            return None
        verdict, start = found[0]["verdict"], found[0]["start"]
        path = self._shelves[reviewer]
        end = start
        if verdict != "skipped":
            with path.gold.open("rb") as file:
                file.seek(start)
                end = start + len(file.readline())
        return Said(id_, {"verdict": verdict, "at": found[0]["at"]}, start, end)

    def _sources(self, right: Extraction) -> dict[str, Any]:
        """Return the media as a file in the folder of the reviews names them."""

        def moved(info: Any) -> str:
            return moved_source(info.source, self.results.parent, self.folder)

        named = {name: getattr(right, name) for name in ("image", "audio", "video")}
        sources: dict[str, Any] = {name: moved(info) for name, info in named.items() if info}
        if right.images:
            sources["images"] = [moved(info) for info in right.images]
        return sources
