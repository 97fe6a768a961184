"""Lines of RiVEG, one per entity.

The referring expression (section IV-B.2) is ``Ada Lovelace (PER) – a woman in a dress``. A line
around it has fields divided by ``###``::

    Imageid:17.jpg#0###Ada Lovelace (PER)###Ada Lovelace (PER)-a woman###2###&[1, 2, 3, 4]
    17.jpg###Ada Lovelace (PER)###2###&[1, 2, 3, 4]&[5, 6, 7, 8]

The second form, of gold, has no expression. The flag is 0 for what cannot be seen (a box is
then a placeholder); without a box after another flag, nobody has pointed yet.
"""  # noqa: RUF002 (the dash of the paper)

import re
from collections.abc import Sequence
from typing import NamedTuple

from deixis.errors import DataError
from deixis.formats.answers import (
    ONE,
    Parsed,
    Reading,
    Scale,
    checked,
    number,
    read_boxes,
)
from deixis.rows import RowEntity

_EXPRESSION = re.compile(r"(.+?)\(([^()]*)\)\s*[-–—](.*)")  # noqa: RUF001 (all dashes)
_NAME = re.compile(r"(.+)\(([^()]*)\)")
_PICTURE = re.compile(r"(?:Imageid:)?(.+?)\.(?:jpe?g|png)(?:#[0-9]+)?")


class _Line(NamedTuple):
    id: str
    name: str
    seen: bool
    boxes: str


class Expression(NamedTuple):
    """A referring expression: the name, its type, and what it looks like."""

    text: str
    type: str
    expression: str


def parse_expression(line: str) -> Expression | None:
    """Read ``Name (TYPE) – expression``; None when the line is none.

    The type is the first bracket that a dash follows, since names may hold brackets.
    """  # noqa: RUF002
    match = _EXPRESSION.fullmatch(line.strip())
    if not match or not all(part.strip() for part in match.groups()):
        return None
    return Expression(*(part.strip() for part in match.groups()))


def write_expression(expression: Expression) -> str:
    """Write a referring expression as the paper does.

    Raises:
        DataError: it would not be read as the same.
    """
    line = f"{expression.text} ({expression.type}) – {expression.expression}"  # noqa: RUF001
    if parse_expression(line) != expression:
        raise DataError(f"the format cannot hold this expression: {line[:200]!r}")
    return line


def parse(answer: str, scale: Scale | None = ONE) -> Parsed:
    """Read the lines of one sample, of either form or bare expressions; see `Format`."""
    reading = Reading(scale)
    for line in answer.split("\n"):
        if not line.strip():
            continue
        fields = _line(line)
        if fields and (name := _NAME.fullmatch(fields.name)):
            boxes = read_boxes(fields.boxes) if fields.boxes else None
            if boxes is None and fields.boxes and fields.seen:
                reading.refuse(line, "its boxes are not &[x1, y1, x2, y2]")
            reading.add(line, name[1].strip(), name[2].strip(), boxes if fields.seen else [])
        elif not fields and (expression := parse_expression(line)):
            reading.add(line, expression.text, expression.type, None)
        else:
            reading.refuse(line, "it is not a line with 'Name (TYPE)'")
    return reading.parsed()


def _line(line: str) -> _Line | None:
    picture, *fields = line.strip().split("###")
    boxes = fields.pop() if fields and fields[-1].startswith("&") else ""
    match = _PICTURE.fullmatch(picture)
    if not match or len(fields) < 2 or not re.fullmatch("[0-9]+", fields[-1]):
        return None
    return _Line(match[1], fields[0].strip(), bool(fields[-1].strip("0")), boxes)


def split(text: str) -> list[tuple[str, str]] | None:
    """Divide a file of lines into the ids of samples and their lines, in order.

    Returns:
        None when a line names no picture.
    """
    samples: dict[str, list[str]] = {}
    for line in text.split("\n"):
        if not line.strip():
            continue
        fields = _line(line)
        if fields is None:
            return None
        samples.setdefault(fields.id, []).append(line)
    return [(name, "\n".join(lines)) for name, lines in samples.items()]


def write(entities: Sequence[RowEntity], name: str = "picture") -> str:
    """Write lines of the form of gold; see `Format`.

    Args:
        entities: without fine types and masks.
        name: the id of the sample.
    """

    def one(entity: RowEntity) -> str:
        places = (map(number, region.box) for region in entity.regions or ())
        boxes = "".join(f"&[{', '.join(place)}]" for place in places)
        flag = "0" if entity.regions == () else "2"
        where = f"###{boxes}" if boxes else ""
        return f"{name}.jpg###{entity.text} ({entity.type})###{flag}{where}"

    text = checked(entities, one, "\n".join, parse)
    if entities and split(text) != [(name, text)]:
        raise DataError(f"the format cannot hold the id {name!r}")
    return text
