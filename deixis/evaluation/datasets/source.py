"""Where a data set lies, and what comes of it."""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from pydantic import BaseModel, ValidationError

from deixis.base.gathering import files_in
from deixis.base.json_lines import parsed
from deixis.base.problems import problem_line
from deixis.base.text_files import lines_of
from deixis.errors import DataError, InputError
from deixis.rows import Row

Model = TypeVar("Model", bound=BaseModel)
_BOXES = ("xml", "xml.tar.gz", "xml.tgz", "xml.tar", "xml.zip")


class Converted(NamedTuple):
    """The rows of a split, and how often each quirk of its files was met (0 included)."""

    rows: tuple[Row, ...]
    counts: dict[str, int]


@dataclass(frozen=True)
class Source:
    """The files of one split; the fields are the arguments of `convert`."""

    folder: Path
    split: str
    box_files: Path | None = None
    images: Path | None = None
    beside: Path | None = None

    def file(self, suffix: str, *folders: str) -> Path:
        """Return ``SPLIT + suffix`` in the folder itself or in one of its `folders`.

        Raises:
            InputError: it is not there; the message says which splits are.
        """
        name = self.split + suffix
        places = [self.folder, *(self.folder / folder for folder in folders)]
        paths = [path for place in places if place.is_dir() for path in files_in(place, suffix)]
        for path in paths:
            if path.name[: -len(suffix)] == self.split:
                return path
        there = sorted({path.name[: -len(suffix)] for path in paths})
        hint = f"there: {', '.join(there)}" if there else f"no file there ends in {suffix}"
        raise InputError(f"there is no {name} in {' or '.join(map(str, places))}; {hint}")

    def boxes(self) -> Path:
        """Return the folder or archive of box files: as given, or ``xml``, ``xml.tar.gz``, ...

        Raises:
            InputError: there is none.
        """
        places = [self.folder / name for name in _BOXES]
        for place in [self.box_files] if self.box_files else places:
            if place.exists():
                return place
        if self.box_files:
            raise InputError(f"there is no {self.box_files}")
        raise InputError(
            f"there is no {' or '.join(_BOXES)} in {self.folder}; say with --boxes where the box "
            "files are"
        )

    def media(self, given: str | None) -> str | None:
        """Return a path as rows name it; URLs and absolute paths stay."""
        if given is None or "://" in given or os.path.isabs(given):
            return given
        return self.from_rows(self.folder / given)

    def from_rows(self, path: Path) -> str:
        """Return a path as seen from the file of rows; absolute ones stay."""
        if self.beside is None or path.is_absolute():
            return str(path)
        return os.path.relpath(path, self.beside)


class Dataset(NamedTuple):
    """A data set that can be read.

    Attributes:
        read: turns a split into rows; its docstring says which files.
        boxes: its box files may lie elsewhere.
        images: its pictures are named by the ids, so that a folder of them may be given.
        lines: how a file of the release in JSON Lines ends after the name of its split, which
            could be taken for a file of rows; "" if there is none.
    """

    read: Callable[[Source], Converted]
    boxes: bool = False
    images: bool = True
    lines: str = ""


def read_records(path: Path, model: type[Model]) -> Iterator[tuple[str, Model]]:
    """Yield ``(file:line, record)`` of a JSON Lines file; unknown keys are errors.

    Raises:
        DataError: a line is no such record; the message names the file, the line and the key.
    """
    for number, line in lines_of(path):
        where = f"{path}:{number}"
        try:
            given = parsed(line)
            record = model.model_validate_json(line, strict=True)
        except ValidationError as error:
            raise DataError(f"{where}: {problem_line(error)}") from None
        except ValueError as error:
            raise DataError(f"{where}: not JSON ({error})") from None
        unknown = _unknown(given, record)
        if unknown:
            raise DataError(f"{where}: there is no key {unknown}")
        yield where, record


def _unknown(given: Any, kept: Any, place: str = "") -> str | None:
    """Return the place of the first key that a model has ignored."""
    if isinstance(kept, BaseModel):
        kept = {name: getattr(kept, name) for name in type(kept).model_fields}
    if isinstance(given, dict) and isinstance(kept, dict):
        inside = [(f"{place}.{key}".lstrip("."), key, value) for key, value in given.items()]
        ignored = (name for name, key, _ in inside if key not in kept)
        deeper = (_unknown(value, kept[key], name) for name, key, value in inside if key in kept)
        return next(ignored, None) or next(filter(None, deeper), None)
    if isinstance(given, list) and isinstance(kept, list | tuple):
        numbered = enumerate(zip(given, kept, strict=True))
        deeper = (_unknown(*both, f"{place}.{number}") for number, both in numbered)
        return next(filter(None, deeper), None)
    return None
