"""Checkpoints: folders that are there whole or not at all, whenever the process is killed."""

import json
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from zipfile import BadZipFile, ZipFile

from deixis.base.printable import first_line
from deixis.errors import ModelFileError

_DRAFT = ".draft"
_NAME = re.compile(r"checkpoint-(\d+)")


def draft_in(folder: Path) -> Path:
    """Return the folder in which a checkpoint is written, piece by piece."""
    return folder / _DRAFT


def put(folder: Path, step: int) -> None:
    """Put a checkpoint that is written whole into its place."""
    name = f"checkpoint-{step}"
    _remove(folder / name)  # of a run that was killed behind it, and has come here again
    os.rename(draft_in(folder) / name, folder / name)


def last_in(folder: Path) -> Path | None:
    """Return the last whole checkpoint; None if there is none."""
    whole = [path for path in _entries(folder) if _NAME.fullmatch(path.name)]
    return max(whole, key=step_of, default=None)


def check_whole(checkpoint: Path) -> None:
    """Refuse a checkpoint with a damaged file, of which only ends and tables are read.

    Raises:
        ModelFileError: which one.
    """
    from safetensors import SafetensorError, safe_open

    for path in sorted(checkpoint.iterdir()):
        try:
            if path.suffix == ".safetensors":
                with safe_open(path, "pt"):
                    pass
            elif path.suffix == ".json":
                json.loads(path.read_bytes())
            elif path.suffix in {".pt", ".pth", ".bin"}:
                ZipFile(path).close()
        except (SafetensorError, BadZipFile, ValueError) as error:
            raise ModelFileError(
                f"{path} is damaged ({first_line(error)}): remove {checkpoint}, so that --resume "
                "goes on with the one before it, or from the start"
            ) from error


def history_of(checkpoint: Path) -> list[dict[str, Any]]:
    """Return the history of the run that a checkpoint is of."""
    state = json.loads((checkpoint / "trainer_state.json").read_text(encoding="utf-8"))
    history: list[dict[str, Any]] = state["log_history"]
    return history


def step_of(checkpoint: Path) -> int:
    """Return after which step a checkpoint was written."""
    return int(checkpoint.name.rpartition("-")[2])


def keep_only(folder: Path, kept: set[int]) -> None:
    """Remove all checkpoints but those of some steps, and what was left half written."""
    for path in _entries(folder):
        if not _NAME.fullmatch(path.name) or step_of(path) not in kept:
            _remove(path)


@contextmanager
def put_folder(place: Path) -> Iterator[Path]:
    """Give a folder to be written, which then takes its place; else that is as it was.

    Args:
        place: what is there is replaced.
    """
    draft = place.with_name(f"{_DRAFT}-{place.name}")
    _remove(draft)
    draft.mkdir(parents=True)
    yield draft
    _remove(place)
    os.rename(draft, place)


def _entries(folder: Path) -> list[Path]:
    return list(folder.iterdir()) if folder.is_dir() else []


def _remove(folder: Path) -> None:
    """Remove a folder under another name, so that none is seen half removed."""
    if not folder.exists():
        return
    going = folder.with_name(f"{_DRAFT}-{folder.name}-old")
    shutil.rmtree(going, ignore_errors=True)
    os.rename(folder, going)
    shutil.rmtree(going)
