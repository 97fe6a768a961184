"""Pixels of the pictures in hand: in this process only, never in the graph's state."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from deixis.agents.context.kept import Shelf
from deixis.base.images import OpenedImage, Urls, open_image
from deixis.base.records import ImageInfo
from deixis.tools.base import Picture

KEEP_BYTES = 256_000_000
"""Pixels kept for the nodes still to come; older pictures are opened again if needed."""

PICTURES = Shelf[OpenedImage]("picture", lambda opened: opened.pixels.nbytes, KEEP_BYTES)


def _opens(max_pixels: int, urls: Urls) -> Callable[[Any], OpenedImage]:
    return partial(open_image, max_pixels=max_pixels, urls=urls)


def take_in(image: Any, max_pixels: int, urls: Urls = "public") -> OpenedImage:
    """Open a picture and keep its pixels; the limits are those of `open_image`.

    Raises:
        InputError: the picture cannot be used.
    """
    return PICTURES.take_in(image, _opens(max_pixels, urls))


def take_again(record: ImageInfo, max_pixels: int, urls: Urls = "public") -> OpenedImage:
    """Open the picture of an earlier result; the limits are those of `open_image`.

    Raises:
        InputError: it cannot be opened again, or is another one by now.
    """
    again = PICTURES.take_again(record.model_dump(), _opens(max_pixels, urls))
    return again._replace(source=record.source)


def pixels_of(
    picture: Mapping[str, Any], given: Any, max_pixels: int, urls: Urls = "public"
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
    return PICTURES.of(picture, given, _opens(max_pixels, urls)).pixels
