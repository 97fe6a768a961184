"""Rows as what an entailer learns from: pictures, and what is asked of each of them."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from deixis.agents.reading.phrases import DASH
from deixis.base.images import is_url
from deixis.base.text_files import folder_of
from deixis.errors import DataError
from deixis.rows import Row, RowEntity, read_rows


class PhrasedEntity(RowEntity):
    """An entity, and the referring expression that a result has of it."""

    expression: str | None = None


class PhrasedRow(Row):
    """A row, or a line that ``deixis batch`` has written."""

    entities: tuple[PhrasedEntity, ...] = ()


class Look(NamedTuple):
    """One picture of a row, and what is asked of it: each phrase, and whether it is shown."""

    row: str
    picture: str
    phrases: tuple[str, ...]
    shown: tuple[bool, ...]


def read_looks(path: Path, phrases: Path | None) -> list[Look]:
    """Read what is learned from a file of rows; entities that nobody looked for are left out.

    Args:
        path: gold rows with pictures and regions.
        phrases: results for the same rows, whose expressions are taken; None for those that the
            rows have. An entity without one is asked for by its name.

    Raises:
        DataError: a line is no row; or no entity tells of a picture whether it is shown there.
        InputError: a file cannot be read.
    """
    rows = read_rows(path, PhrasedRow)
    written = {row.id: row for row in (read_rows(phrases, PhrasedRow) if phrases else rows)}
    if phrases and not written.keys() & {row.id for row in rows}:
        raise DataError(f"{phrases}: no row has the id of one in {path}")
    looks = [look for row in rows for look in _looks(row, written.get(row.id), folder_of(path))]
    shown = [flag for look in looks for flag in look.shown]
    if len(set(shown)) < 2:
        what = f"all {len(shown)} are" if all(shown) else f"none of {len(shown)} is"
        raise DataError(
            f"{path}: of what is asked of its pictures {what if shown else 'nothing is'} shown; "
            "learning takes entities with regions, and others with none (regions: [])"
        )
    return looks


def _looks(row: PhrasedRow, written: PhrasedRow | None, folder: Path) -> Iterator[Look]:
    expressions = {
        (entity.text, entity.start): entity.expression
        for entity in (written.entities if written else ())
    }
    for place, source in enumerate(row.images or ((row.image,) if row.image else ())):
        asked: dict[str, bool] = {}
        for entity in row.entities:
            if entity.regions is not None:
                shown = any(region.image == place for region in entity.regions)
                expression = expressions.get((entity.text, entity.start)) or entity.text
                for phrase in _wordings(expression):
                    asked[phrase] = asked.get(phrase, False) or shown
        if asked:
            picture = source if is_url(source) else str(folder / source)
            yield Look(row.id, picture, tuple(asked), tuple(asked.values()))


def _wordings(expression: str) -> Iterator[str]:
    """Yield an expression as riveg asks it, and without the name, as the graph main does."""
    yield expression
    if described := expression.partition(DASH)[2]:
        yield described
