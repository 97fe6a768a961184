"""Rows as what a recognizer learns from: tokens with tags, cut as the tagger cuts a text.

What a recognizer cannot learn from is counted by reason, and its text left out as a whole: a name
without a tag would teach that it is none.
"""

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import chain, pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np

from deixis.agents.reading.mention import locate
from deixis.base.folding import spelled
from deixis.errors import DataError
from deixis.rows import Row, RowEntity, read_rows
from deixis.tools.tagger.minilm import Pieces
from deixis.tools.tagger.tokenization import lines_of, tokenize
from deixis.training.samples import Sample, Types
from deixis.type_schema import EntityType, TypeSchema, checked

FEWEST_TEXTS = 8
"""Texts with names from which anything is learned at all."""
FEWEST = 20
"""Mentions of a type below which its user is warned."""


class Placed(NamedTuple):
    """An entity of a row, and where it stands: half-open, in characters or in tokens."""

    start: int
    end: int
    entity: RowEntity


class UnlearnableError(Exception):
    """Why nothing can be learned of a text."""


class Tagged(NamedTuple):
    """What a file of rows gives.

    Attributes:
        samples: texts, or parts of long ones.
        schema: the types, and the fine types of each.
        types: those that there are mentions of.
        mentions: of each type.
        left_out: texts, by the reason why.
    """

    samples: list[Sample]
    schema: TypeSchema
    types: Types
    mentions: dict[str, int]
    left_out: dict[str, int]


def read_tagged(path: Path, schema: TypeSchema | None, pieces: Pieces, most: int) -> Tagged:
    """Read what is learned from a file of rows.

    Args:
        path: the rows; an entity without a place is looked for by its name.
        schema: the types; None for those that the rows have.
        pieces: cuts tokens into pieces.
        most: pieces of a part of a text.

    Raises:
        DataError: an entity is of no type of the schema, stands somewhere else than its row says,
            or overlaps another; or too little can be learned.
        InputError: the file cannot be read.
        SettingsError: the types of the rows make no schema.
    """
    rows = read_rows(path)
    schema = schema or _schema_of(rows, path)
    _check(rows, schema, path)
    samples: list[Sample] = []
    left_out: Counter[str] = Counter()
    for row in rows:
        try:
            samples += _parts(_sample_of(row, schema), pieces, most)
        except UnlearnableError as why:
            left_out[str(why)] += 1
    mentions = Counter(tag[2:] for sample in samples for tag in sample.tags if tag[0] == "B")
    texts = sum(any(tag != "O" for tag in sample.tags) for sample in samples)
    if texts < FEWEST_TEXTS:
        reasons = "; ".join(f"{count} left out: {reason}" for reason, count in left_out.items())
        raise DataError(
            f"{path}: {texts} texts with entities to learn from, and {FEWEST_TEXTS} are the "
            f"fewest{f' ({reasons})' if reasons else ''}"
        )
    return Tagged(samples, schema, _types_of(schema, samples), dict(mentions), dict(left_out))


def _schema_of(rows: Sequence[Row], path: Path) -> TypeSchema:
    """Return the types that rows have, each with its fine types."""
    fine: dict[str, set[str]] = {}
    for row in rows:
        for entity in row.entities:
            own = fine.setdefault(entity.type, set())
            own |= {entity.fine_type} if entity.fine_type else set()
    types = [{"name": kind, "fine_types": sorted(own)} for kind, own in sorted(fine.items())]
    if not types:
        raise DataError(f"{path}: no row has an entity to learn from")
    return checked({"name": path.stem, "types": types}, f"{path}: the types of the rows")


def _types_of(schema: TypeSchema, samples: Sequence[Sample]) -> Types:
    """Return the types of a schema that there are mentions of."""
    coarse = {tag[2:] for sample in samples for tag in sample.tags}
    fine = {tag[2:] for sample in samples for tag in sample.fine_tags}
    coarse_of = {
        name: kind.name
        for kind in schema.types
        for name in kind.fine_types
        if kind.name in coarse and name in fine
    }
    kinds = tuple(kind.name for kind in schema.types if kind.name in coarse)
    return Types(kinds, tuple(coarse_of), coarse_of)


def _check(rows: Sequence[Row], schema: TypeSchema, path: Path) -> None:
    """Raise a DataError that names, with its row, everything that is wrong."""
    kinds = {kind.name: kind for kind in schema.types}
    problems = [f"row {row.id}: {what}" for row in rows for what in _problems(row, kinds)]
    if problems:
        more = f" (and {len(problems) - 5} more)" if len(problems) > 5 else ""
        raise DataError(f"{path}: {'; '.join(problems[:5])}{more}")


def _problems(row: Row, kinds: dict[str, EntityType]) -> Iterator[str]:
    known = ", ".join(kinds)
    for entity in row.entities:
        kind, fine = kinds.get(entity.type), entity.fine_type
        if kind is None:
            yield f"the type {entity.type!r} is not in the schema; known: {known}"
        elif kind.fine_types and fine and fine not in kind.fine_types:
            yield f"the fine type {fine!r} is not among those of {kind.name} in the schema"
    placed = sorted(_given(row), key=lambda each: each[:2])
    for start, end, entity in placed:
        there = row.text[start:end]
        if start >= end or there != entity.text:
            yield f"{entity.text!r} is said to stand at {start}..{end}, where {there!r} stands"
    for one, other in pairwise(placed):
        if other.start < one.end:
            yield (
                f"{one.entity.text!r} and {other.entity.text!r} overlap; a recognizer learns from "
                "one of them: leave out the other"
            )


def _given(row: Row) -> Iterator[Placed]:
    for entity in row.entities:
        if entity.start is not None and entity.end is not None:
            yield Placed(entity.start, entity.end, entity)


def _placed(row: Row) -> list[Placed]:
    """Return the entities of a row, each where it is said to stand or else where its name does."""
    placed = list(_given(row))
    taken = [each[:2] for each in placed]
    for entity in row.entities:
        if entity.start is None or entity.end is None:
            span = locate(row.text, entity.text, taken)
            if span is None:
                raise UnlearnableError("it does not hold the name of an entity that has no place")
            taken.append(span)
            placed.append(Placed(*span, entity))
    return sorted(placed, key=lambda each: each[:2])


def _sample_of(row: Row, schema: TypeSchema) -> Sample:
    """Return the tokens and tags of a row.

    Raises:
        UnlearnableError: there is no text, or an entity is not made of whole tokens of a line.
    """
    folded = spelled(row.text)
    lines = lines_of(folded.text, tokenize(folded.text))
    if not lines:
        raise UnlearnableError("it has no text")
    tokens = list(chain.from_iterable(lines))
    breaks = tuple(int(place) for place in np.cumsum([len(line) for line in lines])[:-1])
    places = [folded.span(token.start, token.end) for token in tokens]
    spans: list[Placed] = []
    for start, end, entity in _placed(row):
        inside = [n for n, (a, b) in enumerate(places) if a < end and start < b]
        if not inside or (spans and inside[0] < spans[-1].end):
            raise UnlearnableError("two of its entities share a word, or one has none")
        if any(inside[0] < place <= inside[-1] for place in breaks):
            raise UnlearnableError("an entity goes on across a line break")
        spans.append(Placed(inside[0], inside[-1] + 1, entity))
    tags, fine_tags = ["O"] * len(tokens), ["O"] * len(tokens)
    for start, end, entity in spans:
        listed = entity.fine_type in schema.get(entity.type).fine_types
        for place in range(start, end):
            mark = "I" if place > start else "B"
            tags[place] = f"{mark}-{entity.type}"
            fine_tags[place] = f"{mark}-{entity.fine_type}" if listed else "O"
    looked = (each.entity.regions for each in spans)
    shown = tuple(None if regions is None else bool(regions) for regions in looked)
    words = tuple(token.text for token in tokens)
    return Sample(row.id, words, tuple(tags), tuple(fine_tags), shown, breaks)


def _parts(sample: Sample, pieces: Pieces, most: int) -> Iterator[Sample]:
    """Yield a text, or parts of it that have few enough pieces, cut at lines where that goes."""
    ids, _, first = pieces.cut(list(sample.tokens))
    ends = [*(int(place) for place in first[1:]), len(ids)]  # pieces up to and with each token
    shown, begin = iter(sample.shown), 0
    while begin < len(sample.tokens):
        reached = bisect_right(ends, int(first[begin]) + most, begin)
        if reached < len(sample.tokens):
            whole = [place for place in sample.breaks if begin < place <= reached]
            free = (k for k in range(reached, begin, -1) if sample.tags[k][0] != "I")
            reached = whole[-1] if whole else next(free, reached)
        part = slice(begin, reached)
        tags = sample.tags[part]
        yield Sample(
            sample.id if part == slice(0, len(sample.tokens)) else f"{sample.id}:{begin}",
            sample.tokens[part],
            tags,
            sample.fine_tags[part],
            tuple(next(shown) for tag in tags if tag[0] == "B"),
            tuple(place - begin for place in sample.breaks if begin < place < reached),
        )
        begin = reached
