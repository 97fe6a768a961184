"""What one reviewer has said: a file of gold rows, and beside it a file of rows that were skipped.

Lines are appended whole. A row that is decided again takes the place of its old line, so that an id
stands once in the gold, as those who read gold ask; a kill at any moment loses nothing.
"""

import hashlib
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from deixis.base.atomic import whole_file
from deixis.base.json_lines import parsed
from deixis.base.printable import one_line
from deixis.batch.output import append_line, line_of
from deixis.errors import DataError, InputError

_PLAIN = re.compile(r"[a-z0-9][a-z0-9_-]{0,40}")
_HASHED = re.compile(r".*-[0-9a-f]{12}")
_DEVICES = {"con", "prn", "aux", "nul", *(f"{p}{n}" for p in ("com", "lpt") for n in range(10))}
_SKIPPED = ".skipped.jsonl"
_OPEN = os.O_CREAT | os.O_APPEND | os.O_WRONLY | getattr(os, "O_BINARY", 0)


class Said(NamedTuple):
    """What stands on a line: of which row, what was said of it, and from which byte to which."""

    id: str
    review: dict[str, Any]
    start: int
    end: int


def reviewer_of(given: str) -> str:
    """Return a reviewer's name as it is kept.

    Raises:
        InputError: it is empty or longer than 100 characters.
    """
    name = one_line(given)
    if not 0 < len(name) <= 100:
        raise InputError("a reviewer has a name of 1 to 100 characters; give one")
    return name


def stem_of(reviewer: str) -> str:
    """Return what the files of a reviewer are called: no path, and no two names have the same.

    A name of small letters, digits, ``-`` and ``_`` stays; any other is shortened to such, and
    gets a part of its hash: file systems may take ``Ann`` and ``ann`` for one.
    """
    if _PLAIN.fullmatch(reviewer) and not _HASHED.fullmatch(reviewer) and reviewer not in _DEVICES:
        return reviewer
    plain = re.sub(r"[^a-z0-9]+", "-", reviewer.casefold()).strip("-")[:40] or "reviewer"
    return f"{plain}-{hashlib.sha256(reviewer.encode()).hexdigest()[:12]}"


def gold_files(folder: Path) -> list[Path]:
    """Return the files of gold of all reviewers in a folder."""
    if not folder.is_dir():
        return []
    return sorted(x for x in folder.glob("*.jsonl") if not x.name.endswith(_SKIPPED))


class Shelf:
    """The two files of a reviewer.

    Args:
        folder: where they are.
        reviewer: the name, as `reviewer_of` returns it.
    """

    def __init__(self, folder: Path, reviewer: str) -> None:
        self.reviewer = reviewer
        self.gold = folder / f"{stem_of(reviewer)}.jsonl"
        self.skipped = self.gold.with_name(self.gold.name.removesuffix(".jsonl") + _SKIPPED)

    def mend(self) -> None:
        """Cut off the half of a line that a kill has left; of lines of one id, keep the last.

        Raises:
            DataError: a line is no review.
            InputError: a file cannot be written.
        """
        for path in (self.gold, self.skipped):
            if not path.is_file():
                continue
            _cut(path)
            last: dict[str, Said] = {}
            replaced = []
            for said in lines(path):
                if said.id in last:
                    replaced.append(last[said.id])
                last[said.id] = said
            _take_out(path, replaced)

    def said(self) -> Iterator[Said]:
        """Yield what was said of every row, skipped ones first: where both are, gold counts."""
        for path in (self.skipped, self.gold):
            if path.is_file():
                yield from lines(path)

    def read(self, start: int) -> dict[str, Any]:
        """Return the gold row that starts at a byte."""
        with self.gold.open("rb") as file:
            file.seek(start)
            row: dict[str, Any] = parsed(file.readline().decode())
        return row

    def keep(self, row: dict[str, Any], old: Said | None) -> int | None:
        """Keep a gold row, or that a row is skipped; return where its line starts.

        That is None if other lines have moved, and all have to be looked for again.

        Args:
            row: with ``id`` first and ``review``.
            old: what was said of the row before.

        Raises:
            InputError: it cannot be written, or is no text; what was said before then stands.
        """
        skip = row["review"]["verdict"] == "skipped"
        try:
            line = line_of(row)
        except ValueError as error:  # half a surrogate pair, which JSON may write as \ud800
            raise InputError(f"the correction has what is no character: {error}") from None
        was_gold = old is not None and old.review["verdict"] != "skipped"
        if was_gold and not skip:
            assert old is not None
            _take_out(self.gold, [old], line)
            return None
        start = self._append(self.skipped if skip else self.gold, line)
        if was_gold and old is not None:
            _take_out(self.gold, [old])
            return None
        return start

    def _append(self, path: Path, line: bytes) -> int:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            file = os.open(path, _OPEN, 0o666)
        except OSError as error:
            raise InputError(f"cannot write {path}: {error.strerror}") from None
        try:
            start = os.fstat(file).st_size
            append_line(file, line, path)
            return start
        finally:
            os.close(file)


def lines(path: Path) -> Iterator[Said]:
    """Yield what the whole lines of a file say.

    Raises:
        DataError: a line is no review.
    """
    end = 0
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            start, end = end, end + len(line)
            if not line.endswith(b"\n"):
                return  # a kill has left it, or it is being written
            if not line.strip():
                continue
            try:
                row = parsed(line.decode())
                id_, review = row["id"], row["review"]
                if not (isinstance(id_, str) and review["verdict"] and review["reviewer"]):
                    raise ValueError("no id")
            except (ValueError, KeyError, TypeError):
                raise DataError(
                    f"{path}:{number}: this is no review; mend or delete the line"
                ) from None
            yield Said(id_, review, start, end)


def _cut(path: Path) -> None:
    with path.open("r+b") as file:
        end, line = 0, b"\n"
        for line in file:
            end += len(line)
        if line.endswith(b"\n"):
            return
        try:
            parsed(line.decode())
        except ValueError:
            file.truncate(end - len(line))
        else:
            file.write(b"\n")  # an editor has left it out


def _take_out(path: Path, places: list[Said], line: bytes = b"") -> None:
    """Write a file anew without some lines, and with one more."""
    if not places and not line:
        return
    try:
        with path.open("rb") as file, whole_file(path) as draft:
            for said in sorted(places, key=lambda each: each.start):
                while (left := said.start - file.tell()) and (
                    block := file.read(min(left, 1 << 20))
                ):
                    draft.write(block)
                file.seek(said.end)
            while block := file.read(1 << 20):
                draft.write(block)
            draft.write(line)
    except OSError as error:
        raise InputError(f"cannot write {path}: {error.strerror}") from None
