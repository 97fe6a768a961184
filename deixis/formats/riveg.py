"""Lines of RiVEG, one per entity.

The referring expression (section IV-B.2) is ``Ada Lovelace (PER) – a woman in a dress``. A line
around it has fields divided by ``###``. What its authors released has two forms, of the samples
that go to the models (``OFAVE_to_OFAREC.txt``; ids end in a hexadecimal number) and of gold
(``GMNER_finall_label.txt``)::

    Imageid:17.jpg#6aac###Ada Lovelace(PER)###Ada Lovelace(PER)-a woman###2
    17.jpg###Ada Lovelace(PER)###a woman###2###&[1, 2, 3, 4]&[5, 6, 7, 8]

The flag is 0 for what cannot be seen (a box is then the placeholder ``&[0, 0, 0, 0]``); without a
box after another flag, nobody has pointed yet. A line of gold without expression is read as well.
"""  # noqa: RUF002 (the dash of the paper)

import re
from collections.abc import Sequence
from typing import NamedTuple

from deixis.base.printable import one_line
from deixis.errors import DataError
from deixis.formats.answers import (
    ONE,
    Parsed,
    Problem,
    Reading,
    Scale,
    Split,
    checked,
    number,
    read_boxes,
)
from deixis.rows import Row, RowEntity

_EXPRESSION = re.compile(r"(.+?)\(([^()]*)\)\s*[-–—](.*)")  # noqa: RUF001 (all dashes)
_NAME = re.compile(r"(.*\S.*)\(([^()]*[^()\s][^()]*)\)")
_PICTURE = re.compile(r"(?:Imageid:)?(.+?)\.(?:jpe?g|png)(?:#[0-9A-Za-z]+)?")
_FIELDS = "###"
_NOWHERE = "&[0, 0, 0, 0]"
_MISFIT = "it is not picture###Name(TYPE)###expression###flag"


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


def write_annotation(row: Row) -> str:
    """Write gold as people annotate a post (figure 6): the entities, and what the picture shows.

    Why an entity is of its type stands in no gold, so of the reasons those alone are written that
    rest on the picture; of an entity for which nobody looked there is none.
    """
    named = [(one_line(entity.text), entity) for entity in row.entities]
    listed = [f"{n}. {name} ({entity.type})" for n, (name, entity) in enumerate(named, start=1)]
    told = f"Named entities: {' '.join(listed) or 'none'}"
    seen = [(name, entity.regions) for name, entity in named if row.image or row.images]
    shown = ", ".join(dict.fromkeys(name for name, regions in seen if regions))
    hidden = ", ".join(dict.fromkeys(name for name, regions in seen if regions == ()))
    reasons = [f"The Image shows {shown}."] if shown else []
    reasons += [f"The Image does not show {hidden}."] if hidden else []
    return f"{told}\nReasoning: {' '.join(reasons)}" if reasons else told


def parse(answer: str, scale: Scale | None = ONE) -> Parsed:
    """Read the lines of one sample, of either form or bare expressions; see `Format`."""
    reading = Reading(scale)
    for line in filter(str.strip, answer.split("\n")):
        if _FIELDS in line:
            _read(line, reading)
        elif expression := parse_expression(line):
            reading.add(line, expression.text, expression.type, None)
        else:
            reading.refuse(line, "it is not a line with 'Name (TYPE)'")
    return reading.parsed()


def _read(line: str, reading: Reading) -> None:
    fields = _line(line)
    name = fields and _NAME.fullmatch(fields.name)
    if not fields or not name:
        reading.refuse(line, _MISFIT)
        return
    boxes = read_boxes(fields.boxes) if fields.boxes else None
    if boxes is None and fields.boxes:
        reading.refuse(line, "its boxes are not &[x1, y1, x2, y2]")
    elif boxes and not fields.seen and any(map(any, boxes)):
        reading.refuse(line, "its flag says that it cannot be seen, yet it has a box")
    reading.add(line, name[1].strip(), name[2].strip(), boxes if fields.seen else [])


def _line(line: str) -> _Line | None:
    picture, *fields = line.strip().split(_FIELDS)
    boxes = fields.pop() if fields and fields[-1].startswith("&") else ""
    match = _PICTURE.fullmatch(picture)
    if not match or len(fields) < 2 or not re.fullmatch("[0-9]+", fields[-1]):
        return None
    return _Line(match[1], fields[0].strip(), bool(fields[-1].strip("0")), boxes)


def split(text: str) -> Split | None:
    """Divide a file of lines into the ids of samples and their lines, in order.

    Returns:
        None when no line has fields: each is an answer of its own.
    """
    if _FIELDS not in text:
        return None
    samples: dict[str, list[str]] = {}
    misfits: dict[int, Problem] = {}
    for place, line in enumerate(text.split("\n"), start=1):
        if fields := _line(line):
            samples.setdefault(fields.id, []).append(line)
        elif line.strip():
            misfits[place] = Problem(line, _MISFIT)
    return Split([(name, "\n".join(lines)) for name, lines in samples.items()], misfits)


def name_of(entity: RowEntity) -> str:
    """Write ``Name(TYPE)``, which the released evaluator compares character by character."""
    return f"{entity.text}({entity.type})"


def gold_line(entity: RowEntity, sample: str, expression: str) -> str:
    """Write one line of the form of gold; nothing is checked."""
    fields = [f"{sample}.jpg", name_of(entity), expression, *_places(entity)]
    return _FIELDS.join([*fields, _NOWHERE] if entity.regions == () else fields)


def sample_line(entity: RowEntity, sample: str, tag: str, expression: str) -> str:
    """Write one line of the form of samples, with boxes where there are some.

    Nothing is checked. `tag` is a hexadecimal number and tells the lines of a sample apart.
    """
    name = name_of(entity)
    start = f"Imageid:{sample}.jpg#{tag}"
    return _FIELDS.join([start, name, f"{name}-{expression}", *_places(entity)])


def _places(entity: RowEntity) -> list[str]:
    """Return the flag, and the boxes if there are any."""
    places = (map(number, region.box) for region in entity.regions or ())
    boxes = "".join(f"&[{', '.join(place)}]" for place in places)
    flag = "0" if entity.regions == () else "2"
    return [flag, boxes] if boxes else [flag]


def write(entities: Sequence[RowEntity], name: str = "picture") -> str:
    """Write lines of the form of gold, the name in place of an expression; see `Format`.

    Args:
        entities: without fine types and masks.
        name: the id of the sample.
    """
    text = checked(entities, lambda entity: gold_line(entity, name, entity.text), "\n".join, parse)
    if entities and split(text) != Split([(name, text)], {}):
        raise DataError(f"the format cannot hold the id {name!r}")
    return text
