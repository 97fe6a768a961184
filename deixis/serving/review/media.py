"""The media of rows under review, of which those alone are opened that the reviewers may see."""

import mimetypes
from io import BytesIO
from pathlib import Path
from typing import Any, NamedTuple

from PIL import Image

from deixis.base.images import UNNAMED, named, open_image, regular_file
from deixis.errors import InputError
from deixis.evaluation.pages.access import Access, place_of
from deixis.exchange.items import relative_to
from deixis.schema import Extraction

_MOST = 200_000_000
"""Bytes of sound or video that are sent."""


class Medium(NamedTuple):
    """What a browser can show: its media type, and its bytes."""

    kind: str
    data: bytes


def medium_of(row: Extraction, kind: str, place: int, results: Path, access: Access) -> Medium:
    """Return a medium of a row; a picture upright and in its size, as PNG or JPEG.

    Args:
        row: which names it; nothing else is opened.
        kind: ``image``, ``audio`` or ``video``.
        place: of several pictures, from 0.
        results: the file of results, beside which media lie.
        access: what else may be opened.

    Raises:
        InputError: the row has none, it may not be opened, or is not the one looked at.
    """
    if kind == "image":
        return _picture(row, place, results, access)
    info = {"audio": row.audio, "video": row.video}.get(kind)
    if info is None or place != 0:
        raise InputError(f"the row has no such medium: {kind} {place}")
    path = place_of(info, results, access)  # type: ignore[arg-type]  # it has a source as well
    if isinstance(path, str):
        raise InputError("sound and video of a URL are not fetched; open it in another tab")
    guessed = mimetypes.guess_type(path.name)[0] or ""
    media_type = guessed if guessed.startswith(("audio/", "video/")) else f"{kind}/mp4"
    with regular_file(str(path), named(info.source), kind) as file:
        data = file.read(_MOST + 1)
    if len(data) > _MOST:
        raise InputError(f"{named(info.source)} is over {_MOST:,} bytes; open it elsewhere")
    return Medium(media_type, data)


def _picture(row: Extraction, place: int, results: Path, access: Access) -> Medium:
    if not 0 <= place < len(row.pictures):
        raise InputError(f"the row has no picture {place}")
    info = row.pictures[place]
    given = place_of(info, results, access)
    pixels = open_image(given if isinstance(given, str) else str(given)).pixels
    height, width = pixels.shape[:2]
    if (width, height) != (info.width, info.height):
        raise InputError(
            f"{named(info.source)} is {width} x {height} now, and was {info.width} x {info.height} "
            "when it was looked at: it is another picture"
        )
    file = BytesIO()
    large = width * height > 1_000_000
    Image.fromarray(pixels).save(file, "JPEG" if large else "PNG", quality=92)
    return Medium("image/jpeg" if large else "image/png", file.getvalue())


def moved_source(source: str, old: Path, new: Path) -> str:
    """Return how a file in the folder `new` names a medium that one in `old` names so."""
    if source in UNNAMED or "://" in source:
        return source
    return relative_to(new, str(old / source))


def moved_record(info: dict[str, Any], old: Path, new: Path) -> dict[str, Any]:
    """Return the record of a medium for a file in another folder."""
    return {**info, "source": moved_source(info["source"], old, new)}
