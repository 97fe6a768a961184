"""The files of a batch run: held by one process, and whole lines whenever that is killed.

Beside ``NAME.jsonl`` lie ``NAME.failures.jsonl`` (what failed in the latest run),
``NAME.settings.json`` (what determined the results) and ``NAME.lock``, which is empty or says
who has it.
"""

import codecs
import json
import os
import shutil
import stat
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import IO, Any, Generic, NamedTuple, Protocol, TypeVar

from pydantic import ValidationError

from deixis.base.atomic import is_standard, whole_file
from deixis.base.problems import problem_line
from deixis.batch.lock import hold
from deixis.errors import DataError, InputError, SettingsError
from deixis.schema import Extraction

_BEGINNING = b'{"id": '
_FAILURES, _SETTINGS, _LOCK = ".failures.jsonl", ".settings.json", ".lock"


def beside(path: Path, suffix: str) -> Path:
    """Return the file that belongs to an output, such as ``out.failures.jsonl``.

    It lies beside the file that a link leads to: whoever names that has the same.
    """
    real = Path(os.path.realpath(path)) if path.is_symlink() else path
    return real.with_name(real.name.removesuffix(".jsonl") + suffix)


def check_place(path: Path, source: Path) -> None:
    """Refuse what an output cannot be, before anything is made or emptied there.

    Args:
        path: of the output.
        source: the rows to run, which are not to be written over.

    Raises:
        InputError: it, or what lies beside it, is there and no regular file, or is the source,
            or cannot be looked at.
    """
    _check_file(path, source, path)
    for suffix in (_FAILURES, _SETTINGS, _LOCK):
        _check_file(beside(path, suffix), source, path)


def _check_file(file: Path, source: Path, path: Path) -> None:
    try:
        mode = file.stat().st_mode
    except FileNotFoundError:
        mode = stat.S_IFREG  # to be made, where a dangling link leads too
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", "no file can have this name")
        raise InputError(f"cannot write {str(file)!r}: {reason}") from None
    if file is path and stat.S_ISDIR(mode):
        raise InputError(f"{path} is a folder; name a file in it: {path / 'results.jsonl'}")
    if is_standard(file) or not stat.S_ISREG(mode):
        raise InputError(
            f"{path} is no file that a run could go on from; give one, and pass it on when the "
            "run has ended"
            if file is path
            else f"{file} is no file, and a run writes there beside {path}; give another --out"
        )
    if file.exists() and source.exists() and file.samefile(source):
        what = "" if file is path else f", and a run writes there beside {path}"
        raise InputError(f"{file} is the input{what}; give another --out")


class Settled(Protocol):
    """A finished line: it says with which settings it was made."""

    settings: str


Finish = TypeVar("Finish", bound=Settled)


class Finished(Extraction):
    """A line of results; ``input`` is `Task.input`, the last three are of `Task.carried`."""

    id: str
    settings: str
    input: str = ""
    task: str | list[str] | None = None
    dataset: str | None = None
    aligned: bool | None = None


class Place(NamedTuple):
    """Where a line of results stands: for messages, and from which byte to which."""

    where: str
    start: int
    end: int


def line_of(record: dict[str, Any]) -> bytes:
    """Return a record as one line; ``id`` has to be its first key.

    Raises:
        ValueError: it holds what JSON or UTF-8 cannot.
    """
    return json.dumps(record, ensure_ascii=False, allow_nan=False).encode() + b"\n"


class Output(Generic[Finish]):
    """The output of a run, kept from all other processes until it is closed.

    Args:
        path: the file of results; made, or continued.
        identity: everything that determines a result, by name.
        settings: short hash of that; stands in every line.
        read: returns a finished line; raises `ValidationError` for one that is damaged.

    Raises:
        InputError: another process has it, or the place cannot be written.
    """

    def __init__(
        self,
        path: Path,
        identity: dict[str, str],
        settings: str,
        read: Callable[[bytes], Finish],
    ) -> None:
        self.path = path
        self._read = read
        self.failures = beside(path, _FAILURES)
        self.settings = settings
        self._known = beside(path, _SETTINGS)
        self._identity = json.dumps(identity, indent=1).encode() + b"\n"
        self._failed: int | None = None
        try:
            Path(os.path.realpath(path)).parent.mkdir(parents=True, exist_ok=True)
            with ExitStack() as opened:
                self._lock = opened.enter_context(hold(beside(path, _LOCK), path))
                self._results = os.open(path, _APPEND | os.O_RDWR, 0o666)
                opened.pop_all()
        except OSError as error:
            raise InputError(f"cannot write {path}: {error.strerror}") from None

    def finished(self) -> Iterator[tuple[Place, Finish]]:
        """Yield the rows that are there.

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
                where = f"{self.path}:{number}"
                if number == 1 and line.startswith(codecs.BOM_UTF8):  # an editor's
                    end = len(codecs.BOM_UTF8)
                    line = line[end:]
                if line.endswith(b"\n") and not line.strip():
                    end += len(line)
                elif line.endswith(b"\n"):
                    place = Place(where, end, end + len(line))
                    yield place, self._row(line, where)
                    end = place.end
                elif not (line.startswith(_BEGINNING) or _BEGINNING.startswith(line)):
                    raise DataError(f"{where}: {_NOT_OURS}")
        try:
            os.ftruncate(self._results, end)
            if not self._known.is_file() or self._known.read_bytes() != self._identity:
                with whole_file(self._known) as draft:
                    draft.write(self._identity)
            self._failed = os.open(self.failures, _APPEND | os.O_WRONLY | os.O_TRUNC, 0o666)
        except OSError as error:
            raise InputError(f"cannot write beside {self.path}: {error.strerror}") from None

    def take_out(self, places: Iterable[Place]) -> None:
        """Write the file anew without some of its rows, given in their order.

        Raises:
            InputError: the place cannot be written; all rows are then there.
        """
        os.close(self._results)
        self._results = -1  # closed
        try:
            with self.path.open("rb") as file, whole_file(self.path) as draft:
                for place in places:
                    _copy(file, draft, place.start - file.tell())
                    file.seek(place.end)
                shutil.copyfileobj(file, draft)
            self._results = os.open(self.path, _APPEND | os.O_RDWR, 0o666)
        except OSError as error:
            raise InputError(f"cannot write {self.path}: {error.strerror}") from None

    def add(self, line: bytes) -> None:
        """Append one finished row, in one write: a kill leaves at most half of the last line.

        Raises:
            InputError: the disk is full, or gone.
        """
        append_line(self._results, line, self.path)

    def fail(self, id_: str | None, line: int, error: str) -> None:
        """Append one failed row.

        Raises:
            InputError: as for `add`.
        """
        if self._failed is None:
            raise RuntimeError("finished() has to be read to its end first")
        record = {"id": id_, "line": line, "error": error, "settings": self.settings}
        append_line(self._failed, line_of(record), self.failures)

    def close(self) -> None:
        """Let go of the files, and let another process have them."""
        for file in (self._results, self._failed):
            if file is not None and file >= 0:
                os.close(file)
        self._lock.close()

    def _row(self, line: bytes, where: str) -> Finish:
        try:
            row = self._read(line)
        except ValidationError as error:
            self._check_settings(_begun(line, where), where)
            problem = problem_line(error)
            raise DataError(
                f"{where}: this row is damaged ({problem}); delete the line, and the row is run "
                "again, or give another --out"
            ) from None
        self._check_settings(row.settings, where)
        return row

    def _check_settings(self, settings: str, where: str) -> None:
        if settings != self.settings:
            raise SettingsError(
                f"{where}: was made with other settings ({self._changes()}); run with those that "
                f"it was begun with, or give another --out"
            )

    def _changes(self) -> str:
        try:
            before, now = json.loads(self._known.read_bytes()), json.loads(self._identity)
            names = sorted(name for name in {*before, *now} if before.get(name) != now.get(name))
        except (OSError, ValueError, AttributeError, TypeError):
            names = []
        return f"different: {', '.join(names)}" if names else "it is not known which"


def _begun(line: bytes, where: str) -> str:
    """Return the settings of a line that does not hold a whole row."""
    try:
        row = json.loads(line)
        id_, settings = row["id"], row["settings"]
    except (ValueError, RecursionError, KeyError, TypeError, IndexError):
        raise DataError(f"{where}: {_NOT_OURS}") from None
    if not isinstance(id_, str) or not isinstance(settings, str):
        raise DataError(f"{where}: {_NOT_OURS}")
    return settings


_NOT_OURS = "this is no line that such a run has written; give another --out"
_APPEND = os.O_CREAT | os.O_APPEND | getattr(os, "O_BINARY", 0)


def _copy(source: IO[bytes], target: IO[bytes], length: int) -> None:
    while length and (block := source.read(min(length, 1 << 20))):
        target.write(block)
        length -= len(block)


def append_line(file: int, line: bytes, path: Path) -> None:
    """Append a line in one write; of one that does not fit on the disk nothing is left.

    `file` is a descriptor that is open for appending, `path` is for messages.

    Raises:
        InputError: the disk is full, or gone.
    """
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
