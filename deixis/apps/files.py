"""The files that the commands write, each whole or not at all."""

from io import BytesIO
from pathlib import Path
from typing import Any

from deixis import exports
from deixis.atomic import whole_file
from deixis.errors import InputError
from deixis.schema import Extraction


def write(path: Path, content: bytes) -> Path:
    """Write a file that others may read, making its folder if need be.

    Raises:
        InputError: the place cannot be written.
    """
    try:
        with whole_file(path) as file:
            file.write(content)
    except OSError as error:
        raise InputError(f"cannot write {path}: {error.strerror}") from None
    return path


def write_extraction(folder: Path, extraction: Extraction, image: Any) -> list[Path]:
    """Write ``extraction.json``, ``overlay.png`` and ``page.html`` into a folder."""
    overlay = BytesIO()
    extraction.overlay(image).save(overlay, format="PNG")
    page = extraction.to_html(image)
    document = extraction.model_dump_json(indent=2) + "\n"
    return [
        write(folder / "extraction.json", document.encode()),
        write(folder / "overlay.png", overlay.getvalue()),
        write(folder / "page.html", page.encode()),
    ]


def write_index(folder: Path, extractions: list[Extraction], images: list[Any]) -> Path:
    """Write ``index.html``, one page that shows several extractions."""
    return write(folder / "index.html", exports.page(extractions, images).encode())
