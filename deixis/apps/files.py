"""The files that the commands write, each whole or not at all."""

import os
import tempfile
from collections.abc import Iterable
from io import BytesIO
from pathlib import Path
from typing import Any

from PIL import Image

from deixis.base.atomic import whole_file
from deixis.errors import InputError
from deixis.schema import Extraction
from deixis.show import views
from deixis.show.media import Media, video_of
from deixis.show.timing import Seconds, Timing


def write(path: Path, content: bytes) -> Path:
    """Write a file that others may read, making its folder if need be; ``-`` is stdout.

    Raises:
        InputError: the place cannot be written.
    """
    try:
        with whole_file(path) as file:
            file.write(content)
    except OSError as error:
        raise InputError(f"cannot write {path}: {error.strerror}") from None
    return path


def obstacle(folder: Path) -> str | None:
    """Say why files cannot be written into a folder, which need not exist; None if they can."""
    try:
        there = next(place for place in (folder, *folder.absolute().parents) if place.exists())
    except OSError as error:
        return error.strerror
    if not there.is_dir():
        return "it is a file" if there == folder else f"{there} is a file"
    try:
        # Rights do not tell all: nobody can make a file in /proc.
        tempfile.TemporaryFile(dir=there).close()
    except OSError:
        return f"{there} cannot be written"
    return None


def check_folder(folder: Path) -> None:
    """Check, before anything is asked or paid for, that files can be written into a folder.

    Raises:
        InputError: they cannot.
    """
    if str(folder) == "-":
        raise InputError("several files are written, which stdout cannot take; name a folder")
    if why := obstacle(folder):
        raise InputError(f"cannot write into {folder}: {why}; name another folder")


def is_one_of(path: Path, others: Iterable[Path]) -> bool:
    """Say whether writing a file would destroy one that is read."""
    return path.is_file() and any(other.is_file() and path.samefile(other) for other in others)


def is_same(one: Path, other: Path) -> bool:
    """Say whether two files to write are one, also where a link leads to it and it is not there."""
    return os.path.realpath(one) == os.path.realpath(other)


def write_extraction(
    folder: Path, extraction: Extraction, image: Any, seconds: Seconds
) -> list[Path]:
    """Write ``extraction.json``, what can be drawn of it, and ``page.html`` with its time.

    That is ``overlay.png``, ``overlay-2.png`` and so on for each picture, and of a video
    ``strip.png`` and ``clip.webm`` (``clip.webp`` where PyAV is missing).

    Args:
        folder: where to; it is made if need be.
        extraction: what to write.
        image: the picture, or `Media`.
        seconds: what took how long.
    """
    media = Media.of(image)
    document = extraction.model_dump_json(indent=2) + "\n"
    written = [write(folder / "extraction.json", document.encode())]
    for number in range(max(1, len(extraction.pictures))):
        name = f"overlay-{number + 1}.png" if number else "overlay.png"
        drawn = extraction.overlay(media.image(number), picture=number)
        written.append(write(folder / name, _png(drawn)))
    if extraction.video is not None:
        video = video_of(extraction, media.video)
        clip = extraction.clip(video)
        media = media._replace(video=video, clip=clip)
        written.append(write(folder / "strip.png", _png(extraction.film_strip(video))))
        written.append(write(folder / f"clip.{clip.kind}", clip.data))
    page = views.page([extraction], [media], timing=Timing([seconds], once={}))
    return [*written, write(folder / "page.html", page.encode())]


def _png(picture: Image.Image) -> bytes:
    file = BytesIO()
    picture.save(file, format="PNG")
    return file.getvalue()


def write_index(
    folder: Path, extractions: list[Extraction], images: list[Any], timing: Timing
) -> Path:
    """Write ``index.html``, one page that shows several extractions."""
    page = views.page(extractions, images, timing=timing)
    return write(folder / "index.html", page.encode())
