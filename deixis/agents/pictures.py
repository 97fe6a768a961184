"""Pixels of the pictures in hand: in this process only, never in the graph's state."""

from collections import OrderedDict
from typing import Any

from deixis.errors import InputError
from deixis.forks import Lock
from deixis.images import UNNAMED, OpenedImage, Urls, open_image
from deixis.schema import ImageInfo
from deixis.tools.base import Picture
from deixis.urls import HIDDEN

KEEP_BYTES = 256_000_000
"""Pixels kept for the nodes still to come; older pictures are opened again if needed."""

_kept: OrderedDict[str, Picture] = OrderedDict()
_lock = Lock()


def take_in(image: Any, max_pixels: int, urls: Urls = "public") -> OpenedImage:
    """Open a picture and keep its pixels; the limits are those of `open_image`.

    Raises:
        InputError: the picture cannot be used.
    """
    opened = open_image(image, max_pixels=max_pixels, urls=urls)
    with _lock:
        _kept[opened.sha256] = opened.pixels
        _kept.move_to_end(opened.sha256)
        while len(_kept) > 1 and sum(each.nbytes for each in _kept.values()) > KEEP_BYTES:
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
    picture: dict[str, Any], given: Any, max_pixels: int, urls: Urls = "public"
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
