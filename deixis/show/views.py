"""How an extraction is shown: drawn on its picture, in a window, on a page."""

import sys
from collections.abc import Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any

from PIL import Image

from deixis.errors import InputError
from deixis.show import film
from deixis.show.drawing import draw, draw_marks
from deixis.show.entity_marks import marks_of, spans_of
from deixis.show.media import Media, picture_of, video_of
from deixis.show.sheets import sheet_of
from deixis.show.templates import render_page, script
from deixis.show.timing import Timing, clock, spelled

if TYPE_CHECKING:
    from deixis.base.extraction_records import ExtractionRecord


def overlay(extraction: "ExtractionRecord", image: object = None, picture: int = 0) -> Image.Image:
    """Draw boxes, masks, a legend and the coloured text.

    Args:
        extraction: what to draw; without a picture, only text and legend.
        image: the picture, in any form that `open_image` takes; None opens its ``source``
            again: a URL of the public internet, or a path.
        picture: which of several, from 0.

    Raises:
        InputError: there is no such picture, it cannot be opened, or is not the one looked at.
            That is told by its bytes or its pixels, and where an extraction made from encoded
            bytes is given pixels, by the size alone.
    """
    pixels = picture_of(extraction, image, picture)
    return draw(pixels, marks_of(extraction, picture), extraction.text, spans_of(extraction))


def marks(extraction: "ExtractionRecord", image: object = None, picture: int = 0) -> Image.Image:
    """Draw boxes with the numbers of their entities, and nothing else: set-of-mark.

    Args:
        extraction: what to draw; the first of its entities has number 1.
        image: as for `overlay`.
        picture: which of several, from 0.

    Raises:
        InputError: there is no picture, it cannot be opened, or is not the one looked at.
    """
    pixels = picture_of(extraction, image, picture)
    if pixels is None:
        raise InputError("there is no picture to draw marks on: the extraction looked at none")
    bare = [mark._replace(label="", masks=()) for mark in marks_of(extraction, picture)]
    return draw_marks(pixels, bare)


def film_strip(extraction: "ExtractionRecord", video: object = None) -> Image.Image:
    """Draw frames of the video with boxes, side by side, their times below them, and a legend.

    Args:
        extraction: what to draw: a few frames spread over its tracks, or over the video.
        video: in any form that `open_video` takes, or opened; None opens the source again.

    Raises:
        InputError: there is no video, it cannot be opened, or is not the one looked at.
        MissingExtraError: it takes PyAV to decode it, which is not installed.
    """
    return film.strip(extraction, video_of(extraction, video))


def clip(extraction: "ExtractionRecord", video: object = None) -> film.Clip:
    """Draw boxes on the video, of which 30 seconds are taken from the first track on.

    Args:
        extraction: what to draw.
        video: as for `film_strip`.

    Raises:
        InputError: as for `film_strip`.
        MissingExtraError: as for `film_strip`.
    """
    return film.clip(extraction, video_of(extraction, video))


def show(extraction: "ExtractionRecord", image: object = None, picture: int = 0) -> None:
    """Show the overlay: inline in a notebook, else in the system's picture viewer."""
    drawn = overlay(extraction, image, picture)
    ipython: Any = sys.modules.get("IPython")  # never imported by us: slow, and often absent
    if ipython is not None and getattr(ipython.get_ipython(), "kernel", None) is not None:
        import_module("IPython.display").display(drawn)
    else:
        drawn.show()


def page(
    extractions: "Sequence[ExtractionRecord]",
    images: Sequence[object],
    title: str = "Deixis",
    timing: Timing | None = None,
) -> str:
    """Return one HTML page that needs nothing else: no file, no network.

    It has no script, but where there is sound or video to play one that does no more than that.

    Args:
        extractions: what to show, in this order.
        images: a picture each, in any form that `open_image` takes; None opens the source again.
            `Media` hold several pictures, sound and video.
        title: of the page.
        timing: how long each extraction took; None where nobody knows.

    Raises:
        InputError: a picture cannot be opened or is not the one looked at, or their number, or
            that of the times, is not that of the extractions.
    """
    if timing and len(timing.posts) != len(extractions):
        raise InputError(
            f"a page needs one time for each extraction; got {len(timing.posts)} for "
            f"{len(extractions)}"
        )
    if len(extractions) != len(images):
        raise InputError(
            f"a page needs one picture (or None) for each extraction; got {len(images)} for "
            f"{len(extractions)}"
        )
    pairs = zip(extractions, map(Media.of, images), strict=True)
    sheets = [sheet_of(*pair) for pair in pairs]
    return render_page(
        "page.html.j2",
        title=title,
        sheets=sheets,
        timing=timing,
        player=script("player.js") if any(sheet.plays for sheet in sheets) else None,
        spelled=spelled,
        clock=clock,
    )
