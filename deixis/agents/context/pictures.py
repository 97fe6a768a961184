"""Pixels of the pictures in hand: in this process only, never in the graph's state."""

import os
from collections import OrderedDict
from typing import Any

import numpy as np
from PIL import Image

from deixis.agents.context.records import PictureRecord
from deixis.base.forks import Lock
from deixis.base.images import UNNAMED, OpenedImage, Urls, is_url, open_image
from deixis.base.records import ImageInfo
from deixis.base.urls import HIDDEN, without_credentials
from deixis.errors import InputError
from deixis.tools.base import Picture

KEEP_BYTES = 256_000_000
"""Pixels kept for the nodes still to come; older pictures are opened again if needed."""


class Held(str):
    """What stands for a picture that no checkpoint may hold: the name of its form, or its URL.

    So events of a graph are JSON, and tell no credentials. ``picture`` is what was given.
    """

    picture: Any

    def left(self) -> dict[str, Any]:
        """Return what a checkpoint keeps of it: a record that no picture fits."""
        return {"sha256": "", "width": 1, "height": 1, "source": str(self)}


def held(image: Any) -> Any:
    """Return a picture as the state of a graph may have it; what cannot be used stays."""
    if isinstance(image, Held):
        return image
    if isinstance(image, os.PathLike):
        return os.fsdecode(image)
    if isinstance(image, str):
        name = without_credentials(image) if is_url(image) else image
        name = "" if name == image else name
    else:
        forms = {"bytes": bytes, "PIL image": Image.Image, "array": np.ndarray}
        name = next((name for name, form in forms.items() if isinstance(image, form)), "")
    if not name:
        return image
    standing = Held(name)
    standing.picture = image
    return standing


_kept: OrderedDict[str, Picture] = OrderedDict()
_lock = Lock()


def take_in(image: Any, max_pixels: int, urls: Urls = "public") -> OpenedImage:
    """Open a picture and keep its pixels; the limits are those of `open_image`.

    Raises:
        InputError: the picture cannot be used.
    """
    image = image.picture if isinstance(image, Held) else image
    opened = open_image(image, max_pixels=max_pixels, urls=urls)
    with _lock:
        _kept[opened.sha256] = opened.pixels
        _kept.move_to_end(opened.sha256)
        while len(_kept) > 1 and sum(pixels.nbytes for pixels in _kept.values()) > KEEP_BYTES:
            _kept.popitem(last=False)
    return opened


def take_again(record: ImageInfo, max_pixels: int, urls: Urls = "public") -> OpenedImage:
    """Open the picture of an earlier result; the limits are those of `open_image`.

    Raises:
        InputError: it cannot be opened again, or is another one by now.
    """
    kept = _pixels(record.sha256) if record.source in UNNAMED else None
    if kept is not None:
        return OpenedImage(kept, record.sha256, record.source, [])
    _check_source(record.source)
    opened = take_in(record.source, max_pixels, urls)
    if opened.sha256 != record.sha256:
        raise InputError(f"the picture {record.source!r} has changed since; give it anew as image")
    return opened


def _pixels(sha256: str) -> Picture | None:
    with _lock:
        return _kept.get(sha256)


def _check_source(source: str) -> None:
    """Raise `InputError` where nothing can be opened by the source of a record."""
    if source in UNNAMED:
        how = f"as {source}"
    elif HIDDEN in source and "://" in source:
        how = f"with credentials, {source}"
    else:
        return
    raise InputError(
        f"the picture was given {how}, which no checkpoint keeps, and is gone from memory; "
        "invoke the graph with it again"
    )


def pixels_of(
    picture: PictureRecord, given: Any, max_pixels: int, urls: Urls = "public"
) -> Picture:
    """Return the pixels of a picture opened before, opening it again when they are gone.

    Args:
        picture: its record in the state.
        given: the picture as the user gave it; None on a thread resumed elsewhere.
        max_pixels: as for `take_in`.
        urls: likewise.

    Raises:
        InputError: it cannot be opened again, or has changed since.
    """
    kept = _pixels(picture["sha256"])
    if kept is not None:
        return kept
    again = given if given is not None and not isinstance(given, dict) else picture["source"]
    if again is picture["source"]:
        _check_source(again)
    opened = take_in(again, max_pixels, urls)
    if opened.sha256 != picture["sha256"]:
        raise InputError(f"the picture {picture['source']} changed while it was looked at")
    return opened.pixels
