"""What lies beside a trained part of a stack: how it was made, its types, and a card."""

import hashlib
import json
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import yaml

from deixis import __version__
from deixis.base.atomic import whole_file
from deixis.errors import InputError
from deixis.type_schema import TypeSchema


def hashes(rows: Path, dev: Path | None) -> dict[str, dict[str, str]]:
    """Return the names of the files of rows, and their SHA-256.

    Raises:
        InputError: one is no file.
    """
    files = {"rows": rows, **({"dev": dev} if dev else {})}
    for path in files.values():
        if not path.is_file():
            raise InputError(f"{path} is no file; name one with rows, as JSON Lines")
    return {
        name: {"file": path.name, "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}
        for name, path in files.items()
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
