"""Sketches that VKEL's second stage is trained on: predictions of the first, and some noise.

A row's ``sketch`` is what the second stage is shown in training. Predictions should be made by a
first stage that was not trained on the row (`deixis.training.folds`), or it would never see the
mistakes that it has to mend.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path
from random import Random
from typing import NamedTuple

from deixis.errors import DataError
from deixis.evaluation.construction.samples import Sample, all_samples
from deixis.rows import Row, RowEntity, read_rows

NOISE = 0.1
"""Share of noisy rows with which the paper does best (section IV-L, figure 10)."""


class SketchedRow(Row):
    """A row with the sketch that the second stage is shown; None is the gold's."""

    sketch: tuple[RowEntity, ...] | None = None


def coarse(entities: Iterable[RowEntity]) -> tuple[RowEntity, ...]:
    """Return entities as a first stage names them: without fine types and places in a picture."""
    bare = {"fine_type": None, "regions": None}
    return tuple(entity.model_copy(update=bare) for entity in entities)


def noisy(
    sketch: Sequence[RowEntity], types: Sequence[str], rate: float, seed: int, row: str
) -> tuple[RowEntity, ...]:
    """Return a sketch that is wrong in one entity, or, mostly, as it was (VKEL, section IV-L).

    With the probability `rate` one entity is taken away or, as likely, has another coarse type.
    The paper says no more than that of some rows entities were removed or their types altered.

    Args:
        sketch: of a row.
        types: the coarse types.
        rate: share of the rows, 0..1.
        seed: of the draws.
        row: id of the row; with the seed it decides all, so that a row's order does not matter.
    """
    draw = Random(f"{seed}/{row}")
    if draw.random() >= rate or not sketch:
        return tuple(sketch)
    place = draw.randrange(len(sketch))
    others = [name for name in types if name != sketch[place].type]
    if draw.random() < 0.5 or not others:
        return (*sketch[:place], *sketch[place + 1 :])
    changed = sketch[place].model_copy(update={"type": draw.choice(others)})
    return (*sketch[:place], changed, *sketch[place + 1 :])


class Sketched(NamedTuple):
    """Rows with their sketches.

    Attributes:
        samples: the rows.
        changed: in how many of them noise changed something.
        wrong: how many sketches are not the gold.
    """

    samples: list[Sample]
    changed: int
    wrong: int


def with_sketches(
    rows: Path, predictions: Path | None = None, noise: float = 0.0, seed: int = 0
) -> Sketched:
    """Give each row of a file its ``sketch``.

    Args:
        rows: gold.
        predictions: what a first stage named, lines of `deixis batch`; None is the gold's.
        noise: share of the rows of which the sketch is changed (`noisy`). Types are those of the
            gold.
        seed: of the noise.

    Raises:
        DataError: a file is wrong, or a row has no prediction, or one of another text.
        InputError: a file cannot be read.
    """
    gold = all_samples(rows)
    types = sorted({entity.type for each in gold for entity in each.row.entities})
    named = {each.row.id: each.row.entities for each in gold}
    if predictions is not None:
        named = _predicted(gold, predictions)
    changed, wrong, samples = 0, 0, []
    for each in gold:
        sketch = coarse(named[each.row.id])
        shown = noisy(sketch, types, noise, seed, each.row.id)
        changed += shown != sketch
        wrong += _names(shown) != _names(each.row.entities)
        lines = [entity.model_dump(exclude_none=True) for entity in shown]
        samples.append(each._replace(data={**each.data, "sketch": lines}))
    return Sketched(samples, changed, wrong)


def _names(entities: Sequence[RowEntity]) -> list[tuple[str, str]]:
    return sorted((entity.text, entity.type) for entity in entities)


def _predicted(gold: Sequence[Sample], path: Path) -> dict[str, tuple[RowEntity, ...]]:
    found = {row.id: row for row in read_rows(path)}
    for each in gold:
        row = found.get(each.row.id)
        if row is None:
            raise DataError(f"{path} has no prediction for the row {each.row.id!r}")
        if row.text and row.text != each.row.text:
            raise DataError(f"{path}: the prediction for {each.row.id!r} is of another text")
    return {name: row.entities for name, row in found.items()}
