"""Gold rows of a folder of brat: one for each text, with what its annotations say."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from deixis.base.gathering import files_in
from deixis.base.json_lines import parsed
from deixis.base.text_files import read_text
from deixis.errors import DataError, InputError
from deixis.exchange.brat_lines import Standoff
from deixis.exchange.brat_names import Names, names_in
from deixis.exchange.checking import checked
from deixis.exchange.items import How
from deixis.rows import Problem

_LARGEST = 100_000_000  # bytes of a text or its annotations


def read(path: Path, how: How) -> Iterator[dict[str, Any] | Problem]:
    """Yield a row for each text, in the order of their names, and what is wrong with it.

    Raises:
        InputError: the folder cannot be read, or has no texts.
    """
    try:
        texts = files_in(path, ".txt")
        config = path / "annotation.conf"
        names = names_in(read_text(config)) if config.is_file() else Names()
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}") from None
    if not texts:
        raise InputError(f"{path} has no .txt files; give the folder that brat keeps them in")
    for text in texts:
        try:
            yield from _row(text, names)
        except DataError as error:
            yield Problem(0, text.stem, str(error))
        except OSError as error:
            yield Problem(0, text.stem, f"{text.name}: {error.strerror}")


def _row(path: Path, names: Names) -> Iterator[dict[str, Any] | Problem]:
    if path.stat().st_size > _LARGEST:
        raise DataError(f"{path.name}: more than {_LARGEST:,} bytes are no text to annotate")
    try:
        text = path.read_bytes().decode()  # ends of lines as they are: offsets count them
    except UnicodeDecodeError as error:
        raise DataError(f"{path.name}: not UTF-8 ({error.reason})") from None
    problems: list[str] = []
    rest = _rest(path.with_suffix(".json"), problems)
    about = rest.get("row") if isinstance(rest.get("row"), dict) else {}
    row = {"id": path.stem, "image": None} | (about or {}) | {"text": text}
    id_ = row["id"] if isinstance(row["id"], str) else path.stem
    annotations = path.with_suffix(".ann")
    if annotations.is_file():
        standoff = Standoff(annotations, text, names, problems)
        row |= standoff.content(rest)
    else:
        problems.append(f"{annotations.name} is not there: the text has no annotations")
        row["entities"] = []
    for problem in problems:
        yield Problem(0, id_, problem)
    yield checked(row, 0)


def _rest(path: Path, problems: list[str]) -> dict[str, Any]:
    """Return what was put beside a text when it was exported; nothing beside one of another's."""
    if not path.is_file():
        return {}
    try:
        given = parsed(read_text(path))
    except ValueError as error:
        problems.append(f"{path.name}: left out what stands beside the text: {error}")
        return {}
    return given if isinstance(given, dict) else {}
