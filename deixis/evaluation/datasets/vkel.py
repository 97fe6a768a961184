"""What VKEL's committee wrote of each entity of Twitter-FMNERG (its section III-D.2).

The authors' scripts write a file for each split and model, ``knowledge/dev_gpt-4o.json``, and no
JSON: a line has the text, the entities, the picture and the answers, the second and the last as
Python prints a list and a dictionary::

    Ada of Acme####[['Ada', 'author', 'NULL', 'NULL']]####17.jpg####{'Ada': '1. Type: ...'}

An entity has its fine type, or, where their first stage found it, its coarse type; no entity is
an empty list or ``'No entity found.'``. The archive with all of them, ``Knowledge.zip``, was not
seen: what in it is of another layout is an error with its line.
"""

import re
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from deixis.base.gathering import files_in
from deixis.base.text_files import lines_of
from deixis.errors import DataError, InputError
from deixis.evaluation.datasets.literals import value_of
from deixis.evaluation.datasets.pictures import with_pictures
from deixis.evaluation.datasets.source import Converted, Source
from deixis.rows import Row, RowEntity
from deixis.type_schema import TypeSchema

_LINE = re.compile(r"(.*?)####(\[.*?\])####([^#]+?)\.(?:jpe?g|png)####(\{.*\})\s*")
_ASPECT = re.compile(r"\s*(?:\d+\s*[.)]|[-*])\s*\**([^:*\n]{1,80}?)\**\s*:\s*\**(.*?)\**\s*")
_NOTHING = "no entity found."
QUIRKS = (
    "files, each of one model",
    "answers of models",
    "aspects in answers",
    "lines of answers that are no 'number. aspect: what it is' (kept in the text)",
    "entities without an answer",
    "answers about no entity of their line (left out)",
)


class Testimony(BaseModel, frozen=True):
    """What a model answered: word for word, and by aspect where it numbered these."""

    model: str
    text: str
    attributes: dict[str, str]


class KnownEntity(RowEntity):
    """An entity with what models know of its look."""

    testimonies: tuple[Testimony, ...] = ()


class KnownRow(Row):
    """A row of such entities."""

    entities: tuple[KnownEntity, ...] = ()


def read_vkel(source: Source) -> Converted:
    """Read ``SPLIT_MODEL.json`` of all models, in the folder or in its ``knowledge``.

    Entities have no place and no region. Rows are `KnownRow`, in the order of the first file.

    Raises:
        DataError: a line has another layout, or two files differ in text or entities of a post.
        InputError: there is no such file.
        OSError: a file cannot be read.
    """
    counts = Counter(dict.fromkeys(QUIRKS, 0))
    rows: dict[str, KnownRow] = {}
    for model, path in _files(source):
        counts[QUIRKS[0]] += 1
        seen: set[str] = set()
        for number, line in lines_of(path):
            where = f"{path}:{number}"
            row = _row(where, line, model, counts)
            if row.id in seen:
                raise DataError(f"{where}: the picture {row.id!r} stands twice")
            seen.add(row.id)
            rows[row.id] = _joined(where, rows[row.id], row) if row.id in rows else row
    for row in rows.values():
        counts[QUIRKS[4]] += sum(not entity.testimonies for entity in row.entities)
    return Converted(with_pictures(source, list(rows.values()), counts), dict(counts))


def _files(source: Source) -> list[tuple[str, Path]]:
    start = f"{source.split}_"
    places = [source.folder, source.folder / "knowledge"]
    paths = [path for place in places if place.is_dir() for path in files_in(place, ".json")]
    found = [(path.stem.removeprefix(start), path) for path in paths if path.stem.startswith(start)]
    if not found:
        there = ", ".join(path.name for path in paths) or "none"
        raise InputError(
            f"there is no {start}MODEL.json in {' or '.join(map(str, places))}; unpack the archive "
            f"of VKEL's authors there. Files ending in .json: {there}"
        )
    return found


def _row(where: str, line: str, model: str, counts: Counter[str]) -> KnownRow:
    match = _LINE.fullmatch(line)
    try:
        if not match:
            raise ValueError
        text, listed, identity, answered = match.groups()
        entities = [_entity(each) for each in value_of(listed) if not _is_nothing(each)]
        answers = value_of(answered)
        if not all(isinstance(part, str) for pair in answers.items() for part in pair):
            raise ValueError
    except (ValueError, AttributeError):
        raise DataError(
            f"{where}: it is not text####[[name, type, ...]]####ID.jpg####{{name: answer}}, as "
            f"VKEL's scripts write it: {line[:60]!r}"
        ) from None
    names = {entity.text for entity in entities}
    counts[QUIRKS[5]] += len(answers.keys() - names)
    known = {
        name: _testimony(model, said, counts) for name, said in answers.items() if name in names
    }
    told = [
        entity.model_copy(update={"testimonies": (known[entity.text],)})
        if entity.text in known
        else entity
        for entity in entities
    ]
    return KnownRow(id=identity, text=text, entities=tuple(told))


def _is_nothing(given: Any) -> bool:
    return isinstance(given, str) and given.lower() == _NOTHING


def _entity(given: Any) -> KnownEntity:
    """Return an entity; raises `ValueError` if it is none."""
    if not isinstance(given, list | tuple) or len(given) < 2:
        raise ValueError
    name, kind = given[:2]
    if not isinstance(name, str) or not isinstance(kind, str):
        raise ValueError
    coarse = _coarse_types().get(kind)
    return KnownEntity(text=name, type=coarse or kind, fine_type=kind if coarse else None)


@cache
def _coarse_types() -> dict[str, str]:
    types = TypeSchema.load("fmnerg").types
    return {fine: each.name for each in types for fine in each.fine_types}


def _testimony(model: str, said: str, counts: Counter[str]) -> Testimony:
    lines = [line for line in said.splitlines() if line.strip()]
    aspects = [match for line in lines if (match := _ASPECT.fullmatch(line))]
    counts[QUIRKS[1]] += 1
    counts[QUIRKS[2]] += len(aspects)
    counts[QUIRKS[3]] += len(lines) - len(aspects)
    attributes = {match[1].strip(): match[2] for match in aspects if match[2]}
    return Testimony(model=model, text=said, attributes=attributes)


def _joined(where: str, row: KnownRow, other: KnownRow) -> KnownRow:
    """Return a row with what both files say of its entities."""
    both = [(row.text, _named(row)), (other.text, _named(other))]
    if both[0] != both[1]:
        raise DataError(f"{where}: another file has another text or other entities of {row.id!r}")
    entities = tuple(
        one.model_copy(update={"testimonies": one.testimonies + more.testimonies})
        for one, more in zip(row.entities, other.entities, strict=True)
    )
    return row.model_copy(update={"entities": entities})


def _named(row: KnownRow) -> list[tuple[str, str, str | None]]:
    return [(entity.text, entity.type, entity.fine_type) for entity in row.entities]
