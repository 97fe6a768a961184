"""Rows as a task and a convention compare them; gold and predictions brought together."""

from collections.abc import Iterable
from typing import NamedTuple

from deixis.base.masks import lengths
from deixis.errors import DataError
from deixis.evaluation.metrics.convention import Convention
from deixis.evaluation.metrics.tasks import Task
from deixis.rows import Row, RowEntity, RowRegion

Key = tuple[str | int | None, ...]


class Mention(NamedTuple):
    """What is compared of an entity: two of the same ``key`` can be a pair.

    ``type`` is the coarse one, by which tables are broken down. ``regions`` is empty when it is
    said that there is nothing to see, None when nothing is said.
    """

    key: Key
    type: str
    regions: tuple[RowRegion, ...] | None


class Sample(NamedTuple):
    """One sample: its id, the gold mentions and the predicted ones."""

    id: str
    gold: tuple[Mention, ...]
    predicted: tuple[Mention, ...]


class Aligned(NamedTuple):
    """All samples of the gold, and what was odd about the predictions.

    Attributes:
        samples: in the order of the gold.
        missing: ids of gold that have no row of predictions; they count as empty.
        undecided: predictions of which nothing says whether they can be seen; where regions
            count, they are never right.
        unusable: predicted regions that overlap nothing: an inverted or empty box or, where
            masks count, no mask.
    """

    samples: tuple[Sample, ...]
    missing: tuple[str, ...]
    undecided: int
    unusable: int


def align(
    gold: Iterable[Row], predicted: Iterable[Row], task: Task, convention: Convention
) -> Aligned:
    """Bring gold and predictions together by id.

    Raises:
        DataError: there is no gold, a prediction has an id that gold lacks, or a row lacks what
            the task or the convention compares.
    """
    answers = {row.id: row for row in predicted}
    wanted = {row.id: row for row in gold}
    if not wanted:
        raise DataError("there are no rows of gold")
    if extra := [id_ for id_ in answers if id_ not in wanted]:
        more = ", ..." if len(extra) > 5 else ""
        raise DataError(
            f"{len(extra)} predictions have an id that is not in the gold file "
            f"({', '.join(map(repr, extra[:5]))}{more}); give the gold that they were made for"
        )
    samples = []
    for row in wanted.values():
        answer = answers.get(row.id, Row(id=row.id))
        _check_gold(row, task)
        if task.region == "mask":
            _check_masks(row, answer)
        wants = _mentions(row, task, convention, predicted=False)
        samples.append(Sample(row.id, wants, _mentions(answer, task, convention, predicted=True)))
    guessed = [entity for row in answers.values() for entity in row.entities] if task.region else []
    return Aligned(
        tuple(samples),
        tuple(id_ for id_ in wanted if id_ not in answers),
        sum(entity.regions is None for entity in guessed),
        sum(_unusable(region, task) for entity in guessed for region in entity.regions or ()),
    )


def _mentions(row: Row, task: Task, convention: Convention, predicted: bool) -> tuple[Mention, ...]:
    named = [(_name(entity, row, convention), entity) for entity in row.entities]
    if convention.duplicates == "drop" or (predicted and convention.duplicates == "drop predicted"):
        named = list({_whole(name, entity): (name, entity) for name, entity in named}.values())
    if convention.duplicates == "last":
        named = list(dict(named).items())
    first_only = predicted and convention.first_region
    return tuple(
        Mention(
            (*name, getattr(entity, task.type)) if task.type else name,
            entity.type,
            entity.regions[:1] if entity.regions and first_only else entity.regions,
        )
        for name, entity in named
    )


def _name(entity: RowEntity, row: Row, convention: Convention) -> Key:
    if convention.key == "text":
        return (entity.text.casefold() if convention.fold_case else entity.text,)
    if entity.start is None or entity.end is None:
        raise DataError(
            f"the convention {convention.name} compares places, but the entity {entity.text!r} "
            f"of {row.id!r} has no start and end; use a convention that compares texts"
        )
    return entity.start, entity.end


def _whole(name: Key, entity: RowEntity) -> tuple[object, ...]:
    regions = [(region.box, region.mask and region.mask.counts) for region in entity.regions or ()]
    return name, entity.type, entity.fine_type, entity.regions is None, *regions


def _check_gold(row: Row, task: Task) -> None:
    for entity in row.entities:
        where = f"the gold entity {entity.text!r} of {row.id!r}"
        if task.region and entity.regions is None:
            raise DataError(
                f"{where} does not say whether it can be seen, which {task.name} scores; "
                "use a task without regions (mner, fmner), or gold with them"
            )
        if task.type == "fine_type" and entity.fine_type is None:
            raise DataError(
                f"{where} has no fine type, which {task.name} scores; give gold that has them, "
                "use --coarse, or a task of coarse types (gmner, mner)"
            )
        if task.region == "mask" and any(region.mask is None for region in entity.regions or ()):
            raise DataError(f"{where} has a region without a mask, which {task.name} scores")


def _check_masks(gold: Row, answer: Row) -> None:
    """Refuse masks that cannot be compared."""
    masks = [
        region.mask
        for row in (gold, answer)
        for entity in row.entities
        for region in entity.regions or ()
        if region.mask
    ]
    for mask in masks:
        try:
            lengths(mask)
        except ValueError as error:
            raise DataError(
                f"a mask of {gold.id!r} is no COCO run-length encoding: {error}"
            ) from None
        if mask.size != masks[0].size:
            raise DataError(
                f"the masks of {gold.id!r} are of several sizes (height, width): "
                f"{masks[0].size} and {mask.size}"
            )


def _unusable(region: RowRegion, task: Task) -> bool:
    if task.region == "mask":
        return region.mask is None
    x1, y1, x2, y2 = region.box
    return task.located and (x2 <= x1 or y2 <= y1)
