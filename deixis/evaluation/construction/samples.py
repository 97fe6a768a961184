"""Rows with all that stands in them, so that what is made of them loses nothing."""

import json
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import ValidationError

from deixis.base.json_lines import LIST, has_half, parsed
from deixis.base.problems import first_problem
from deixis.base.text_files import folder_of, lines_of, write_lines
from deixis.base.urls import without_credentials
from deixis.batch.row import Problem
from deixis.errors import DataError
from deixis.rows import Row, id_of, parse_row


class Sample(NamedTuple):
    """A row: the number of its line, what it says as `Row`, and the object that stands there.

    ``image`` is the picture as it can be opened: a path from the working folder, a URL, None.
    """

    line: int
    row: Row
    data: dict[str, Any]
    image: str | None


def samples(path: Path) -> Iterator[Sample | Problem]:
    """Yield the rows of a file, and what is wrong with the others.

    Raises:
        DataError: the file is no text.
        InputError: it cannot be read.
    """
    folder = folder_of(path)
    seen: dict[str, int] = {}
    for number, line in lines_of(path):
        data: Any = None
        try:
            data = parsed(line)
            row = parse_row(data, Row)
        except ValidationError as error:
            place, what = first_problem(error)
            said = f"{place}: {what}" if place else LIST if isinstance(data, list) else "no row"
            given = id_of(data.get("id")) if isinstance(data, dict) else None
            yield Problem(number, given if isinstance(given, str) else None, said)
            continue
        except ValueError as error:
            yield Problem(number, None, f"not JSON: {error}")
            continue
        if has_half(line, data):
            yield Problem(number, row.id, "it has half a surrogate pair, which no text has")
            continue
        if row.id in seen:
            yield Problem(number, row.id, f"the id stands on line {seen[row.id]} too, which counts")
            continue
        seen[row.id] = number
        yield Sample(number, row, data, _opened(row.image, folder))


def all_samples(path: Path) -> list[Sample]:
    """Return the rows of a file.

    Raises:
        DataError: some are wrong; the first 20 are named with file and line.
        InputError: it cannot be read.
    """
    found: list[Sample] = []
    problems: list[str] = []
    for each in samples(path):
        if isinstance(each, Problem):
            problems.append(f"{path}:{each.line}: {each.error}")
        else:
            found.append(each)
    if problems:
        more = f" (and {len(problems) - 20} more)" if len(problems) > 20 else ""
        raise DataError("; ".join(problems[:20]) + more)
    return found


def as_seen_from(folder: Path, sample: Sample) -> dict[str, Any]:
    """Return the object of a row for a file in another folder: a relative picture is found there.

    Credentials of a URL are left out.
    """
    if sample.image is None:
        return sample.data
    image = sample.image
    if "://" in image:
        image = without_credentials(image)
    elif sample.row.image is not None and not os.path.isabs(sample.row.image):
        try:
            image = os.path.relpath(os.path.realpath(image), os.path.realpath(folder))
        except ValueError:  # another drive
            image = os.path.abspath(image)
    given = sample.data["image"]
    return {
        **sample.data,
        "image": {**given, "source": image} if isinstance(given, dict) else image,
    }


def write_samples(path: Path, chosen: Iterable[Sample]) -> int:
    """Write rows, the whole file or none of it; return how many.

    Raises:
        InputError: the file cannot be written.
    """
    lines = (json.dumps(as_seen_from(path.parent, each), ensure_ascii=False) for each in chosen)
    return write_lines(path, lines)


def _opened(image: str | None, folder: Path) -> str | None:
    return image if image is None or "://" in image else str(folder / image)
