"""Files of releases that are one JSON document, and the media that they name."""

import json
from collections import Counter
from collections.abc import Container, Sequence
from itertools import chain, count
from pathlib import Path
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from deixis.base.gathering import files_in
from deixis.base.image_files import upright_size
from deixis.base.problems import problem_line
from deixis.base.text_files import read_text
from deixis.errors import DataError, InputError
from deixis.evaluation.datasets.located import line_of
from deixis.evaluation.datasets.source import Source

T = TypeVar("T")
NOT_FOUND = "pictures that were not found (named all the same)"


def read_json(path: Path, kind: TypeAdapter[T]) -> T:
    """Read a document; keys that `kind` does not know are skipped.

    Raises:
        DataError: it is none, or not of this kind; the message names the file and the line.
        OSError: the file cannot be read.
    """
    text = read_text(path)
    try:
        json.loads(text)  # for the line of a mistake
    except json.JSONDecodeError as error:
        raise DataError(f"{path}:{error.lineno}: not JSON ({error.msg})") from None
    except (ValueError, RecursionError) as error:  # a number too long, nesting too deep
        raise DataError(f"{path}:1: not JSON ({error})") from None
    try:
        return kind.validate_json(text, strict=True)
    except ValidationError as error:
        line = line_of(text, error.errors()[0]["loc"])
        raise DataError(f"{path}:{line}: {problem_line(error)}") from None


def misfit(path: Path, place: Sequence[int | str], problem: object) -> DataError:
    """Return the error that says what is wrong with a value of a document, and on which line."""
    return DataError(f"{path}:{line_of(read_text(path), place)}: {problem}")


def file_of(source: Source, names: Sequence[str], *folders: str) -> Path:
    """Return the first file with one of these names, in the folder or in one of its `folders`.

    A blank in a file's name does not count: MNRE has a ``mnre_val .txt``.

    Raises:
        InputError: there is none; the message says which files are there.
    """
    places = [source.folder, *(source.folder / folder for folder in folders)]
    suffix = Path(names[0]).suffix
    paths = [path for place in places if place.is_dir() for path in files_in(place, suffix)]
    for name in names:
        for path in paths:
            if path.name.replace(" ", "") == name:
                return path
    there = ", ".join(sorted({path.name for path in paths})) or f"no file ends in {suffix}"
    raise InputError(
        f"there is no {' or '.join(names)} in {' or '.join(map(str, places))}; there: {there}"
    )


def unique(name: str, taken: Container[str]) -> str:
    """Return a name that is not taken yet: ``name``, ``name#2``, ..."""
    numbered = (f"{name}#{number}" for number in count(2))
    return next(each for each in chain([name], numbered) if each not in taken)


def picture_of(source: Source, name: str, counts: Counter[str], *folders: str) -> dict[str, Any]:
    """Return ``image`` and ``size`` of a row whose picture has this file name.

    It is looked for in the folder of pictures that is given, else in `folders` of the release.
    One that is not there is counted as `NOT_FOUND`, and named at the first of these places: the
    row is of a picture all the same.
    """
    path = medium_of(source, name, *folders)
    size = upright_size(path) if path.is_file() else None
    counts[NOT_FOUND] += not path.is_file()
    return {"image": source.from_rows(path), "size": size}


def medium_of(source: Source, name: str, *folders: str) -> Path:
    """Return where a file of a release is, or else the first place where it may be."""
    places = [source.images] if source.images else [source.folder / each for each in folders]
    paths = [place / name for place in places]
    return next((path for path in paths if path.is_file()), paths[0])
