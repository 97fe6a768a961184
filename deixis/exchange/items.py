"""What is exported and imported: results and gold rows, one by one, and who writes and reads them.

A file of either is JSON Lines: what `deixis batch` writes, or rows as `MuieContent` has them.
"""

import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import ValidationError

from deixis.base.json_lines import HALF, LIST, has_half, parsed
from deixis.base.problems import first_problem
from deixis.base.text_files import folder_of, lines_of
from deixis.exchange.checking import LARGEST, problems_of
from deixis.formats.muie_rows import MuieContent
from deixis.rows import CARRIED, Problem, id_of, is_result, parse_row
from deixis.schema import Extraction

_OF_A_ROW = {"id", "settings", "input", *CARRIED}
"""What a line of `deixis batch` has beside the fields of an extraction."""


class Item(NamedTuple):
    """One line of a file.

    ``data`` is the object that stands there, ``row`` the same as a gold row has it, ``extraction``
    the same as a graph has made it: None of a gold row, which has no confidence and no ids.
    ``folder`` is what relative paths of its media are relative to.
    """

    line: int
    id: str
    data: dict[str, Any]
    row: MuieContent
    extraction: Extraction | None
    folder: Path

    def opened(self, source: str) -> str:
        """Return a path or URL of a medium of this item as it can be opened from here."""
        return source if "://" in source else str(self.folder / source)


def items_of(path: Path) -> Iterator[Item | Problem]:
    """Yield the lines of a file of results or gold rows, and what is wrong with the others.

    Raises:
        DataError: the file is no text.
        InputError: it cannot be read.
    """
    seen: dict[str, int] = {}
    folder = folder_of(path)
    for number, line in lines_of(path):
        made = _item(number, line, folder)
        if isinstance(made, Item):
            if made.id in seen:
                said = f"the id {made.id!r} stands on line {seen[made.id]} too, which counts"
                made = Problem(number, made.id, said)
            else:
                seen[made.id] = number
        yield made


def _item(number: int, line: str, folder: Path) -> Item | Problem:
    data: Any = None
    try:
        data = parsed(line, constants=False)
        if has_half(line, data):
            return Problem(number, None, HALF)
        row = parse_row(data, MuieContent)
        made = extraction_of(data)
        if "error" in data and "entities" not in data:
            return Problem(number, row.id, "no result, but one of the failures of a batch")
        for problem in (*problems_of(row), *_too_large(made)):
            return Problem(number, row.id, problem)
    except ValidationError as error:
        place, what = first_problem(error)
        if not isinstance(data, dict):
            what = LIST if isinstance(data, list) else "no row"
        said = f"{place}: {what}" if place else what
        given = id_of(data.get("id")) if isinstance(data, dict) else None
        return Problem(number, given if isinstance(given, str) else None, said)
    except ValueError as error:
        return Problem(number, None, f"not JSON: {error}")
    return Item(number, row.id, data, row, made, folder)


def _too_large(made: Extraction | None) -> Iterator[str]:
    for info in made.pictures if made else ():
        if max(info.width, info.height) >= LARGEST:
            yield f"no picture has {info.width} x {info.height} pixels"


def extraction_of(data: dict[str, Any]) -> Extraction | None:
    """Return the extraction that a line holds; None where it is a gold row.

    Raises:
        ValidationError: it is a result, and a wrong one.
    """
    if not is_result(data):
        return None
    return Extraction.model_validate(
        {name: value for name, value in data.items() if name not in _OF_A_ROW}
    )


def relative_to(folder: Path, path: str) -> str:
    """Return how a file in `folder` names a medium: relative if it can be; URLs as they are."""
    if "://" in path:
        return path
    try:
        return os.path.relpath(os.path.realpath(path), os.path.realpath(folder))
    except ValueError:  # another drive
        return os.path.abspath(path)


class How(NamedTuple):
    """What an exporter or an importer can be told; each names in ``options`` what it heeds.

    ``pictures`` stands before the path of every picture, such as the URL that a tool serves them
    under. ``base`` is the IRI that names of nodes begin with. ``model`` is the name of the version
    that made the results. ``rows`` are the results that were exported: from their folder lead the
    paths of media in what is imported. ``schema`` is the type schema whose labels people may choose
    from.
    """

    pictures: str | None = None
    base: str | None = None
    model: str | None = None
    rows: Path | None = None
    schema: str | None = None


class Written(NamedTuple):
    """What an exporter has written: the files, how many of what, and what had to be left out."""

    files: list[Path]
    counts: dict[str, int]
    left_out: list[str] = []  # noqa: RUF012  # never changed


class Exporter(NamedTuple):
    """Writes items in the form of another tool.

    Attributes:
        name: of the form, as the command line has it.
        about: what it is, in a line.
        write: takes items, a file (or a folder, as ``folder`` says) and what it is told.
        folder: whether it writes several files into a folder.
        options: the fields of `How` that it heeds.
    """

    name: str
    about: str
    write: Callable[[Iterable[Item], Path, How], Written]
    folder: bool = False
    options: tuple[str, ...] = ()


class Importer(NamedTuple):
    """Reads gold rows from the form of another tool.

    Attributes:
        name: of the form.
        about: what it is, in a line.
        read: takes a file (or a folder) and what it is told; yields rows, and what is wrong.
        options: the fields of `How` that it heeds.
    """

    name: str
    about: str
    read: Callable[[Path, How], Iterator[dict[str, Any] | Problem]]
    options: tuple[str, ...] = ()
