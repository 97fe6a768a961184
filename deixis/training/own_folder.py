"""What lies beside a trained part of a stack: how it was made, its types, and a card."""

import hashlib
import json
import os
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import yaml

from deixis import __version__
from deixis.base.atomic import whole_file
from deixis.errors import InputError
from deixis.type_schema import TypeSchema


def check_out(out: Path) -> None:
    """Raise an InputError unless a folder can be made there, or an empty one filled."""
    if out.is_dir() and not any(out.iterdir()):
        return
    if os.path.lexists(out):
        raise InputError(f"{out} is there already; name a folder that is not, or is empty")


def put(made: Path, out: Path) -> None:
    """Put a finished folder in its place, in one step."""
    if out.is_dir():
        out.rmdir()
    made.rename(os.path.realpath(out))


def hashes(**files: Path | None) -> dict[str, dict[str, str]]:
    """Return the names of the files of rows, and their SHA-256.

    Raises:
        InputError: one is no file.
    """
    given = {name: path for name, path in files.items() if path}
    for path in given.values():
        if not path.is_file():
            raise InputError(f"{path} is no file; name one with rows, as JSON Lines")
    return {
        name: {"file": path.name, "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}
        for name, path in given.items()
    }


def write_run(
    folder: Path, rows: Mapping[str, Mapping[str, str]], settings: Any, document: Any
) -> None:
    """Write ``training.json``: packages, rows with their hashes, settings, and what came of it.

    There is no time in it: the same rows, settings and packages give the same file.
    """
    about = {
        "deixis": __version__,
        "packages": {name: version(name) for name in ("numpy", "scikit-learn", "torch")},
        "rows": rows,
        "settings": settings,
        "result": document,
    }
    _write(folder / "training.json", json.dumps(about, indent=1) + "\n")


def write_schema(folder: Path, schema: TypeSchema) -> None:
    """Write ``schema.yaml``, which ``--schema`` takes."""
    data = schema.model_dump(mode="json", exclude_defaults=True)
    _write(folder / "schema.yaml", yaml.safe_dump(data, sort_keys=False, allow_unicode=True))


def write_card(folder: Path, text: str) -> None:
    """Write ``README.md``, the model card."""
    _write(folder / "README.md", text)


def _write(path: Path, text: str) -> None:
    with whole_file(path) as file:
        file.write(text.encode())
