"""Rows: what a data set holds and what a run predicts, one JSON object per line.

Gold and predictions have one shape. A prediction may be the line that `deixis batch` writes:
the fields of `Extraction` with an ``id``; what is not scored is skipped.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any, NamedTuple, TypeVar, overload

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from deixis.base.boxes import Box
from deixis.base.json_lines import LIST, parsed
from deixis.base.problems import first_problem
from deixis.base.records import Mask
from deixis.base.text_files import lines_of, write_lines
from deixis.errors import DataError

R = TypeVar("R", bound="Row")


class Problem(NamedTuple):
    """A line that is no row, by its number from 1; ``id`` is None if it has none."""

    line: int
    id: str | None
    error: str


def id_of(given: Any) -> Any:
    """Return an id as rows have it: a whole number becomes its digits, all else stays."""
    return str(given) if isinstance(given, int) and not isinstance(given, bool) else given


RowId = Annotated[str, Field(min_length=1), BeforeValidator(id_of)]
"""A string; 1 and "1" are one id."""


class _Row(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True, allow_inf_nan=False)


class RowRegion(_Row):
    """A box, of a prediction even if inverted, and a mask where the task has masks.

    ``image`` is the place of its picture, from 0, among the row's ``images``.
    """

    box: Box
    mask: Mask | None = None
    image: int = Field(default=0, ge=0, exclude_if=lambda place: place == 0)


class RowEntity(_Row):
    """An entity: ``text == row.text[start:end]`` in half-open characters.

    ``start`` and ``end`` are None where a source names no place. ``regions`` are all that are
    acceptable in gold, all that were predicted in a prediction; an empty list says that it is
    not to be seen, None that nobody looked.
    """

    text: str = Field(min_length=1)
    start: int | None = Field(default=None, ge=0)
    end: int | None = Field(default=None, ge=0)
    type: str
    fine_type: str | None = None
    regions: tuple[RowRegion, ...] | None = None


class Row(_Row):
    """One sample: its id (a string or a whole number), its text, its picture and the entities.

    ``size`` is ``(width, height)`` of the picture, None when not known. ``image`` is a path or
    URL as a graph takes it; a relative path is relative to the file of rows. ``images`` are all of
    them, where a sample has several; the first is ``image``.
    """

    id: RowId
    text: str = ""
    image: str | None = None
    images: tuple[str, ...] | None = None
    size: tuple[int, int] | None = None
    entities: tuple[RowEntity, ...] = ()

    @classmethod
    def plain(cls, data: dict[str, Any]) -> dict[str, Any]:
        """Return the data of an extraction as a row has them; those of a row stay.

        An extraction has records of its pictures; an entity that it leaves undecided is one that
        nobody looked for.
        """
        if isinstance(image := data.get("image"), dict):
            size = data.get("size") or (image.get("width"), image.get("height"))
            data = {**data, "image": image.get("source"), "size": size}
        if isinstance(images := data.get("images"), list):
            data = {**data, "images": [source_of(each) for each in images]}
        if isinstance(entities := data.get("entities"), list):
            data = {**data, "entities": [_looked_for(entity) for entity in entities]}
        return data


CARRIED = ("task", "dataset", "aligned")
"""What a line of `deixis batch` repeats of its row, and its gold has too."""


def is_result(data: dict[str, Any]) -> bool:
    """Say whether a line is what a graph has found: a gold row has nothing of a run."""
    return not {"replies", "usage", "warnings"}.isdisjoint(data)


def source_of(medium: Any) -> Any:
    """Return the path or URL that the record of a medium has; all else stays."""
    return medium.get("source") if isinstance(medium, dict) else medium


def parse_row(data: Any, kind: type[R]) -> R:
    """Check one row, which may be an extraction (see `Row.plain`).

    Raises:
        ValidationError: it is no row.
    """
    return kind.model_validate(kind.plain(data) if isinstance(data, dict) else data)


def _looked_for(entity: Any) -> Any:
    if isinstance(entity, dict) and entity.get("groundable", True) is None:
        return {**entity, "regions": None}
    return entity


@overload
def read_rows(path: Path) -> list[Row]: ...
@overload
def read_rows(path: Path, kind: type[R]) -> list[R]: ...
def read_rows(path: Path, kind: type[Any] = Row) -> list[Any]:
    """Read all rows of a file.

    Args:
        path: JSON Lines, as `deixis.base.text_files` reads them.
        kind: what each line is; a data set may have rows with more in them.

    Raises:
        DataError: lines that are no rows, or ids that stand twice; every one is named with
            file and line (the first 20 of them).
        InputError: the file cannot be read.
    """
    rows: list[Any] = []
    problems: list[str] = []
    seen: dict[str, int] = {}
    for number, line in lines_of(path):
        where = f"{path}:{number}"
        try:
            row = parse_row(data := parsed(line), kind)
        except ValidationError as error:
            place, what = first_problem(error)
            what = f"{place}: {what}" if place else LIST if isinstance(data, list) else "no row"
            problems.append(f"{where}: {what}")
            continue
        except ValueError as error:
            problems.append(f"{where}: not JSON ({error})")
            continue
        if row.id in seen:
            problems.append(f"{where}: the id {row.id!r} stands on line {seen[row.id]} too")
        seen.setdefault(row.id, number)
        rows.append(row)
    if problems:
        more = f" (and {len(problems) - 20} more)" if len(problems) > 20 else ""
        raise DataError("; ".join(problems[:20]) + more)
    return rows


def write_rows(path: Path, rows: Iterable[Row]) -> int:
    """Write rows, one per line, the whole file or none of it (``-``: stdout); return how many.

    Raises:
        InputError: the file cannot be written.
    """
    return write_lines(path, (row.model_dump_json(exclude_none=True) for row in rows))
