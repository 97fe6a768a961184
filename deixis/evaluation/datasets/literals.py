"""Values that authors wrote with Python's ``str``, read without running anything."""

import ast
import json
import warnings
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from deixis.base.problems import problem_line
from deixis.base.text_files import lines_of
from deixis.errors import DataError

Record = TypeVar("Record", bound=BaseModel)

LONGEST = 1_000_000
"""Characters of a value: a longer one is none that a tweet has."""


def value_of(text: str) -> Any:
    """Read JSON, or else a Python literal.

    Raises:
        ValueError: it is neither.
    """
    if len(text) > LONGEST:
        raise ValueError(f"more than {LONGEST} characters")
    try:
        return json.loads(text)
    except ValueError:
        pass
    except RecursionError:
        raise ValueError("nested too deeply") from None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of odd escapes
            return ast.literal_eval(text)
    except (SyntaxError, MemoryError, RecursionError, TypeError, ValueError):
        raise ValueError("neither JSON nor a Python literal") from None


def records_of(path: Path, kind: type[Record]) -> list[tuple[str, Record]]:
    """Read a file with one value a line, as `value_of` reads them.

    Returns:
        Where each stands, as ``FILE:LINE``, and what it is.

    Raises:
        DataError: a line is no such record; the message has its place and its beginning.
        InputError: the file cannot be read.
    """
    records = []
    for number, line in lines_of(path):
        where = f"{path}:{number}"
        try:
            records.append((where, kind.model_validate(value_of(line))))
        except ValidationError as error:
            raise DataError(f"{where}: {problem_line(error)}: {line[:60]!r}") from None
        except ValueError as error:
            raise DataError(f"{where}: {error}: {line[:60]!r}") from None
    return records
