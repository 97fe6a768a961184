"""The files that RiVEG's authors score: gold, samples, and where the samples were pointed at.

Their ``statistic.py`` reads three: ``GMNER_finall_label.txt``, gold; ``OFAVE_to_OFAREC.txt``, a
line for each predicted entity with a flag and no box; ``refcoco_val_predict.json``, a list of
``{"uniq_id": "17.jpg#6aac", "box": [x1, y1, x2, y2]}`` with one box for each flag that is not 0,
in the order of the lines. It compares ids and ``Name(TYPE)`` character by character, and takes a
line as not to be seen if it ends in 0.
"""

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from deixis.base.text_files import read_text, write_lines
from deixis.errors import DataError
from deixis.formats import riveg
from deixis.formats.answers import Parsed, Split
from deixis.rows import Row, RowEntity, RowRegion

Box = tuple[float, float, float, float]


class DescribedEntity(RowEntity):
    """An entity with its referring expression, as results have it."""

    expression: str | None = None


class DescribedRow(Row):
    """A row whose entities may have referring expressions."""

    entities: tuple[DescribedEntity, ...] = ()


def write_gold(path: Path, rows: Iterable[DescribedRow]) -> int:
    """Write gold; return how many lines.

    Raises:
        DataError: the lines cannot hold an entity, or nobody said whether it can be seen.
        InputError: the file cannot be written.
    """
    lines = []
    for row, entity in _entities(rows):
        if entity.regions is None:
            raise DataError(
                f"row {row.id!r}: nobody said whether {entity.text!r} can be seen, which gold "
                "of this form has to say"
            )
        line = riveg.gold_line(entity, row.id, _expression(entity))
        lines.append(_checked(line, row, entity))
    return write_lines(path, lines)


def write_samples(path: Path, boxes: Path, rows: Iterable[DescribedRow]) -> int:
    """Write predictions as lines of samples and a file of boxes; return how many lines.

    The form has one box an entity: of several the first is written. What is undecided becomes
    something to be seen at ``[0, 0, 0, 0]``, which is never right, as it is not elsewhere.

    Raises:
        DataError: the lines cannot hold an entity.
        InputError: a file cannot be written.
    """
    lines, pointed = [], []
    count: dict[str, int] = {}
    for row, entity in _entities(rows):
        count[row.id] = count.get(row.id, -1) + 1
        number = f"{count[row.id]:04x}"
        bare = entity if entity.regions == () else entity.model_copy(update={"regions": None})
        line = riveg.sample_line(bare, row.id, number, _expression(entity))
        lines.append(_checked(line, row, bare))
        if entity.regions != ():
            box = entity.regions[0].box if entity.regions else (0.0, 0.0, 0.0, 0.0)
            pointed.append({"uniq_id": f"{row.id}.jpg#{number}", "box": list(box)})
    write_lines(boxes, [json.dumps(pointed)])
    return write_lines(path, lines)


def join(samples: Path, boxes: Path) -> str:
    """Return lines of samples with the boxes that were predicted for them.

    Raises:
        DataError: the boxes are no such file, or name a sample that is not there or not to be
            seen.
        InputError: a file cannot be read.
    """
    places = _boxes(boxes)
    lines = read_text(samples).split("\n")
    for number, line in enumerate(map(str.strip, lines)):
        identity = line.partition("###")[0].removeprefix("Imageid:")
        if identity not in places or line.endswith("###0"):
            continue
        lines[number] = f"{line}###&{list(places.pop(identity))}"
    for identity in places:
        raise DataError(f"{boxes}: no line of {samples} that can be seen is {identity!r}")
    return "\n".join(lines)


def _boxes(path: Path) -> dict[str, Box]:
    places: dict[str, Box] = {}
    for number, record in enumerate(_records(path), start=1):
        try:
            identity = record["uniq_id"]
            region = RowRegion(box=record["box"])
            if not isinstance(identity, str) or identity in places:
                raise ValueError
        except (ValueError, TypeError, KeyError):
            raise DataError(
                f'{path}: item {number} is no {{"uniq_id": ..., "box": [x1, y1, x2, y2]}}, or its '
                "uniq_id stands twice"
            ) from None
        places[identity] = region.box
    return places


def _records(path: Path) -> Sequence[Any]:
    try:
        records = json.loads(read_text(path))
    except (ValueError, RecursionError) as error:
        raise DataError(f"{path}: not JSON ({error})") from None
    if not isinstance(records, list):
        raise DataError(f"{path}: not a JSON list of boxes")
    return records


def _entities(rows: Iterable[DescribedRow]) -> Iterable[tuple[Row, DescribedEntity]]:
    return ((row, entity) for row in rows for entity in row.entities)


def _expression(entity: DescribedEntity) -> str:
    """Return what an expression says besides name and type; without one, the name."""
    whole = entity.expression or entity.text
    written = riveg.parse_expression(whole)
    return written.expression if written and written.text == entity.text else whole


def _checked(line: str, row: Row, entity: RowEntity) -> str:
    bare = RowEntity(text=entity.text, type=entity.type, regions=entity.regions)
    if riveg.split(line) != Split([(row.id, line)], {}) or riveg.parse(line) != Parsed((bare,), ()):
        raise DataError(f"row {row.id!r}: the lines of RiVEG cannot hold {entity.text!r}")
    return line
