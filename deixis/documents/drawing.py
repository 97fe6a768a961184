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
from deixis.show.drawing import draw_marks
from deixis.show.panels import Mark, colour, font, ink

SCALE = 2.0
"""Pixels of a drawn page for a point."""
_SIDES = 64, 2400  # pixels of the longer side


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
    named: list[tuple[int, Box]] = []
    shown: list[list[Box]] = [[] for _ in names]
    for extraction in extractions:
        for entity in extraction.entities:
            number = names[entity.text]
            found = [place.box for place in entity.places if place.page == page]
            named += [(number, _scaled(box, scale)) for box in found]
            for region in entity.regions:
                if region.page == page:
                    shown[number].append(_scaled(extraction.on_page(region).box, scale))
    picture = _penned(Image.fromarray(pixels), named)
    marks = [
        Mark(name, colour(number), shown[number], [None] * len(shown[number]))
        for name, number in names.items()
    ]
    return draw_marks(np.array(picture), marks, _SIDES)


def _scaled(box: Box, scale: float) -> Box:
    x1, y1, x2, y2 = (value * scale for value in box)
    return x1, y1, x2, y2


def _penned(picture: Image.Image, named: Sequence[tuple[int, Box]]) -> Image.Image:
    """Mark words as with a pen, the number of each name behind it."""
    pen = Image.new("RGB", picture.size, "white")
    draw = ImageDraw.Draw(pen)
    for number, box in named:
        light = tuple(255 - (255 - value) * 2 // 5 for value in colour(number))
        draw.rectangle(box, fill=light, outline=colour(number), width=2)
    picture = ImageChops.multiply(picture, pen)
    draw = ImageDraw.Draw(picture)
    for number, (_, y1, x2, y2) in named:
        face = font(max(9, round(min(y2 - y1, 40) * 0.45)))
        wide = face.getlength(str(number + 1)) + 4
        spot = x2, y1 - face.size * 0.5, x2 + wide, y1 + face.size * 0.7
        draw.rectangle(spot, fill=colour(number))
        middle = (spot[0] + spot[2]) / 2, (spot[1] + spot[3]) / 2
        draw.text(middle, str(number + 1), fill=ink(colour(number)), font=face, anchor="mm")
    return picture
