"""Sketches of VKEL (section III-C.4), one per entity, joined by semicolons.

``Ada Lovelace is a(an) person and a(an) author, whose bounding boxes are (0.1, 0.2, 0.5, 1.0)``.
Numbers are shares of the width and the height. The answers of its first stage name the coarse
type only and end with a full stop; without entities they say ``no entity found.``
"""

import re
from collections.abc import Sequence

from deixis.formats.answers import ONE, Parsed, Reading, Scale, checked, read_boxes
from deixis.rows import RowEntity

NOTHING = "no entity found."
"""The answer of a text without entities."""
WHERE = ", whose bounding boxes are "
"""Stands between an entity with its types and its boxes."""
_NOTHING = ("", "no entity found", "none")
# Names of types are anybody's ("Art (visual)", "Men's team"); what follows one is no part of it.
# Blanks are taken once (*+), and a name is no novel: a model may repeat itself 100,000 times.
_TYPE = r"\w(?:(?!\s+whose\s|\sa\(an\)\s)[^;\n!?]){0,200}?"
# Found by what follows the name, for names hold semicolons ("Fox &amp ; Fin") and full stops.
_SKETCH = re.compile(
    rf"(?<!\s)\s++is\s+a\(an\)\s+({_TYPE})(?:\s++and\s+a\(an\)\s+({_TYPE}))?"
    r"(?:(?:\s*+,?\s*+whose\s+bounding\s+boxes\s+are\b([^;\n]*+)(?:;|\n|\Z))"
    r"|[ \t]*+(?:;|\.?[ \t]*+\n|\.?\s*+\Z))"
)


def parse(answer: str, scale: Scale | None = ONE) -> Parsed:
    """Read an answer; see `Format`. ``scale`` is the size of the picture."""
    reading = Reading(scale)
    if answer.strip().rstrip(".").rstrip().lower() in _NOTHING:
        return reading.parsed()
    position = 0
    for sketch in _SKETCH.finditer(answer):
        text = _name(answer[position : sketch.start()], reading)
        position = sketch.end()
        coarse, fine, where = sketch.groups()
        boxes = None if where is None else read_boxes(where.rstrip(" \t."))
        piece = text + sketch[0]
        if where is not None and boxes is None:
            reading.refuse(piece, "what it says of boxes is neither (x1, y1, x2, y2) nor None")
        reading.add(piece, text, coarse, boxes, fine)
    if rest := answer[position:].strip(" \t\r\n;."):
        reading.refuse(rest, "it is not 'X is a(an) type'")
    return reading.parsed()


def _name(text: str, reading: Reading) -> str:
    """Return the name; a line or a broken sketch before it is a piece of its own."""
    before, _, name = text.strip().rpartition("\n")
    if " is a(an) " in name:
        broken, _, name = name.rpartition(";")
        before = f"{before}\n{broken}"
    if before.strip():
        reading.refuse(before.strip(), "it is not 'X is a(an) type'")
    return name.strip()


def write(entities: Sequence[RowEntity]) -> str:
    """Write sketches; see `Format`. Boxes have to be shares of the picture, 0..1."""
    return checked(entities, _one, lambda pieces: "; ".join(pieces) or NOTHING, parse)


def named(entity: RowEntity) -> str:
    """Write an entity with its types, without its boxes."""
    fine = "" if entity.fine_type is None else f" and a(an) {entity.fine_type}"
    return f"{entity.text} is a(an) {entity.type}{fine}"


def _one(entity: RowEntity) -> str:
    sketch = named(entity)
    if entity.regions is None:
        return sketch
    boxes = ", ".join(f"({', '.join(map(repr, region.box))})" for region in entity.regions)
    return f"{sketch}{WHERE}{boxes or 'None'}"
