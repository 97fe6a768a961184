"""The pages of a document, drawn with what was found: names under a pen, boxes on pictures."""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageChops, ImageDraw

from deixis.base.boxes import Box
from deixis.base.extraction_records import ExtractionRecord
from deixis.documents.document import Document, opened_again
from deixis.documents.figures import too_large
from deixis.documents.limits import Limits
from deixis.errors import InputError
from deixis.show.panels import colour, font, ink

SCALE = 2.0
"""Pixels of a drawn page for a point."""
Tagged = tuple[int, Box]
"""The number of a name, from 0, and a box in pixels of the drawn page."""


def drawn_pages(
    document: Document, extractions: Sequence[ExtractionRecord], limits: Limits | None = None
) -> Iterator[tuple[int, Image.Image]]:
    """Draw the pages that were read, each with its number: mentions in the text, and regions.

    A name has one number and one colour, wherever it is found in the document.

    Args:
        document: as it was opened.
        extractions: of its posts.
        limits: as for `open_document`; a page that is over them is not drawn.

    Raises:
        InputError: the file cannot be read any more, or is another now.
    """
    limits = limits or Limits()
    names = _names(extractions)
    with opened_again(document, limits) as file:
        for info in document.read:
            try:
                if too_large(file, file.page(info.number), limits):
                    continue
                pixels = file.drawn(info.number, SCALE)
            except InputError:
                continue
            scale = pixels.shape[1] / info.width
            yield info.number, _drawn(pixels, scale, info.number, extractions, names)


def _names(extractions: Sequence[ExtractionRecord]) -> dict[str, int]:
    said = [entity.text for extraction in extractions for entity in extraction.entities]
    return {name: number for number, name in enumerate(dict.fromkeys(said))}


def _drawn(
    pixels: NDArray[np.uint8],
    scale: float,
    page: int,
    extractions: Sequence[ExtractionRecord],
    names: dict[str, int],
) -> Image.Image:
    said: list[Tagged] = []
    shown: list[Tagged] = []
    for extraction in extractions:
        for entity in extraction.entities:
            number = names[entity.text]
            found = [place.box for place in entity.places if place.page == page]
            said += [(number, _scaled(box, scale)) for box in found]
            found = [extraction.on_page(each).box for each in entity.regions if each.page == page]
            shown += [(number, _scaled(box, scale)) for box in found]
    return _boxed(_penned(Image.fromarray(pixels), said), list(dict.fromkeys(shown)))


def _scaled(box: Box, scale: float) -> Box:
    x1, y1, x2, y2 = (value * scale for value in box)
    return x1, y1, x2, y2


def _penned(picture: Image.Image, said: Sequence[Tagged]) -> Image.Image:
    """Mark words as with a pen, the number of each name behind it."""
    pen = Image.new("RGB", picture.size, "white")
    draw = ImageDraw.Draw(pen)
    for number, box in said:
        light = tuple(255 - (255 - value) * 2 // 5 for value in colour(number))
        draw.rectangle(box, fill=light, outline=colour(number), width=2)
    picture = ImageChops.multiply(picture, pen)
    draw = ImageDraw.Draw(picture)
    for number, (_, y1, x2, y2) in said:
        size = max(9, round(min(y2 - y1, 40) * 0.45))
        _tag(draw, number, (x2, y1 - size * 0.5), size)
    return picture


def _boxed(picture: Image.Image, shown: Sequence[Tagged]) -> Image.Image:
    """Draw boxes, the number of each in its corner."""
    draw = ImageDraw.Draw(picture)
    for number, box in shown:
        draw.rectangle(box, outline=ink(colour(number)), width=6)
        draw.rectangle(box, outline=colour(number), width=4)
    for place, (number, (x1, y1, _, _)) in enumerate(shown):
        same = sum(abs(x1 - x) + abs(y1 - y) < 40 for _, (x, y, _, _) in shown[:place])
        _tag(draw, number, (x1 + 6 + 44 * same, y1 + 6), 26)
    return picture


def _tag(draw: ImageDraw.ImageDraw, number: int, corner: tuple[float, float], size: int) -> None:
    face = font(size)
    x, y = corner
    right, bottom = x + face.getlength(str(number + 1)) + size * 0.4, y + size * 1.2
    draw.rectangle((x, y, right, bottom), fill=colour(number))
    middle = (x + right) / 2, (y + bottom) / 2
    draw.text(middle, str(number + 1), fill=ink(colour(number)), font=face, anchor="mm")
