"""How an extraction is shown: drawn on its picture, in a window, on a page."""

import sys
from collections.abc import Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from deixis.base.images import DECODED, UNNAMED, OpenedImage, open_image, pixel_hash
from deixis.base.urls import HIDDEN
from deixis.errors import InputError
from deixis.show.drawing import draw, draw_marks
from deixis.show.panels import Colour, Mark, Span, colour, ink, runs
from deixis.show.templates import data_uri, render_page
from deixis.show.timing import Timing, spelled

if TYPE_CHECKING:
    from deixis.base.extraction_records import Entity, ExtractionRecord
    from deixis.base.records import ImageInfo

_SEEN = {True: "yes", False: "no", None: "undecided"}
_PAGE_SIDE = 1600  # pixels of the longer side of a picture in a page


def overlay(extraction: "ExtractionRecord", image: object = None) -> Image.Image:
    """Draw boxes, masks, a legend and the coloured text.

    Args:
        extraction: what to draw; without a picture, only text and legend.
        image: the picture, in any form that `open_image` takes; None opens
            ``extraction.image.source`` again: a URL of the public internet, or a path.

    Raises:
        InputError: the picture cannot be opened, or is not the one looked at. That is told by
            its bytes or its pixels, and where an extraction made from encoded bytes is given
            pixels, by the size alone.
    """
    picture = _picture(extraction, image)
    return draw(picture, _marks(extraction), extraction.text, _spans(extraction))


def marks(extraction: "ExtractionRecord", image: object = None) -> Image.Image:
    """Draw boxes with the numbers of their entities, and nothing else: set-of-mark.

    Args:
        extraction: what to draw; the first of its entities has number 1.
        image: as for `overlay`.

    Raises:
        InputError: there is no picture, it cannot be opened, or is not the one looked at.
    """
    picture = _picture(extraction, image)
    if picture is None:
        raise InputError("there is no picture to draw marks on: the extraction looked at none")
    return draw_marks(picture, [mark._replace(label="", masks=()) for mark in _marks(extraction)])


def show(extraction: "ExtractionRecord", image: object = None) -> None:
    """Show the overlay: inline in a notebook, else in the system's picture viewer."""
    picture = overlay(extraction, image)
    ipython: Any = sys.modules.get("IPython")  # never imported by us: slow, and often absent
    if ipython is not None and getattr(ipython.get_ipython(), "kernel", None) is not None:
        import_module("IPython.display").display(picture)
    else:
        picture.show()


def page(
    extractions: "Sequence[ExtractionRecord]",
    images: Sequence[object],
    title: str = "Deixis",
    timing: Timing | None = None,
) -> str:
    """Return one HTML page that needs nothing else: no file, no network, no script.

    Args:
        extractions: what to show, in this order.
        images: a picture each, in any form that `open_image` takes; None opens the source again.
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
    sheets = [_sheet(*pair) for pair in zip(extractions, images, strict=True)]
    return render_page("page.html.j2", title=title, sheets=sheets, timing=timing, spelled=spelled)


def _picture(extraction: "ExtractionRecord", image: object) -> NDArray[np.uint8] | None:
    info = extraction.image
    if info is None:
        if image is None:
            return None
        raise InputError("a picture was given, but the extraction looked at none; leave it out")
    again = image is None
    if again:
        if info.source in UNNAMED:
            raise InputError(f"the picture came as {info.source}; pass it again as `image`")
        if "://" in info.source and HIDDEN in info.source:
            raise InputError(
                f"the URL of the picture, {info.source}, had credentials, which no result keeps; "
                "pass it again as `image`"
            )
        image = info.source
    # The graph may have been given other limits; what it has opened can be opened again.
    limit = max(64_000_000, info.width * info.height)
    opened = open_image(image, max_pixels=limit, min_side=1)
    pixels = opened.pixels
    if pixels.shape[:2] != (info.height, info.width):
        raise InputError(
            f"the picture is {pixels.shape[1]} x {pixels.shape[0]}, but the extraction looked at "
            f"one of {info.width} x {info.height} pixels; pass that one as `image`"
        )
    # A record may be anybody's: what it says is to be opened has to be what it has seen.
    if (again or info.sha256) and not _seen_before(opened, info):
        raise InputError(
            "the picture is not the one that the extraction looked at, though as large; pass that "
            "one as `image`"
        )
    return pixels


def _seen_before(opened: OpenedImage, info: "ImageInfo") -> bool:
    if info.source in DECODED:
        return pixel_hash(opened.pixels) == info.sha256
    return opened.source in DECODED or opened.sha256 == info.sha256


def _spans(extraction: "ExtractionRecord") -> list[Span]:
    places = [(entity.start, entity.end) for entity in extraction.entities]
    return [
        (start, end, i)
        for i, (start, end) in enumerate(places)
        if start is not None and end is not None
    ]


def _kind(entity: "Entity") -> str:
    return f"{entity.type} / {entity.fine_type}" if entity.fine_type else entity.type


def _marks(extraction: "ExtractionRecord") -> list[Mark]:
    endings = {True: "", False: ", not visible", None: ", undecided"}
    return [
        Mark(
            entity.text,
            colour(i),
            [region.box for region in entity.regions],
            [None if region.mask is None else region.mask.to_array() for region in entity.regions],
            _kind(entity) + endings[entity.groundable],
        )
        for i, entity in enumerate(extraction.entities)
    ]


class _Row(NamedTuple):
    """An entity as the page shows it."""

    number: int
    entity: "Entity"
    back: str
    ink: str
    kind: str
    seen: str
    why: list[str]


class _Sheet(NamedTuple):
    """An extraction as the page shows it: ``runs`` are words, row or None, numbers after them."""

    extraction: "ExtractionRecord"
    picture: str | None
    runs: list[tuple[str, _Row | None, list[_Row]]]
    rows: list[_Row]


def _sheet(extraction: "ExtractionRecord", image: object) -> _Sheet:
    pixels = _picture(extraction, image)
    picture = None
    if pixels is not None:
        picture = data_uri(draw_marks(pixels, _marks(extraction)), _PAGE_SIDE, quality=88)
    rows = [_row(i, entity) for i, entity in enumerate(extraction.entities)]
    pieces = [
        (
            extraction.text[start:end],
            None if mark is None else rows[mark],
            [row for row in rows if row.entity.end == end],
        )
        for start, end, mark in runs(extraction.text, _spans(extraction))
    ]
    return _Sheet(extraction, picture, pieces, rows)


def _row(index: int, entity: "Entity") -> _Row:
    back = colour(index)
    return _Row(
        index + 1,
        entity,
        _css(back),
        _css(ink(back)),
        _kind(entity),
        _SEEN[entity.groundable],
        entity.why(),
    )


def _css(tint: Colour) -> str:
    return f"rgb({tint[0]} {tint[1]} {tint[2]})"
