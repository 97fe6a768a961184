"""What two results for a row of MUIE are compared by, mention by mention.

Relations, triggers and arguments stand among the entities: a relation as the names of its two
ends, an argument as its name and its role, each with the type that it is of.
"""

from collections.abc import Iterator
from typing import TypeVar

from deixis.errors import DataError
from deixis.evaluation.metrics.muie_places import (
    MEDIA,
    Medium,
    Units,
    on_frames,
    place_iou,
    places_of,
)
from deixis.formats.muie_rows import MuieContent, MuieEntity, MuieRow

M = TypeVar("M", bound=MuieContent)


def as_mentions(row: M) -> M:
    """Return a row with all its facts among its entities.

    Raises:
        DataError: a relation or an argument names an entity that is not there.
    """
    try:
        facts = tuple(_facts(row))
    except IndexError:
        raise DataError(
            f"row {row.id!r}: a relation or an argument names an entity that is not there"
        ) from None
    return row.model_copy(update={"entities": (*row.entities, *facts)})


def _facts(row: MuieContent) -> Iterator[MuieEntity]:
    names = [entity.text for entity in row.entities]
    for each in row.relations:
        yield MuieEntity(text=f"{names[each.subject]} - {names[each.object]}", type=each.type)
    for event in row.events:
        if trigger := event.trigger:
            yield MuieEntity(**trigger.model_dump(), type=event.type)
        for part in event.arguments:
            yield MuieEntity(text=f"{names[part.entity]} ({part.role})", type=event.type)


def overlap_of(one: MuieEntity, other: MuieEntity) -> float | None:
    """Return how far two entities have the same places, 0..1; 1 if neither has any.

    Of each medium it is the mean over pictures, frames (of the first) or the sound, in each the
    highest IoU of any two places; the lowest of the media counts. None if only one of them is in
    some medium.
    """
    lowest = 1.0
    for medium in MEDIA:
        mine, theirs = (_places(entity, medium) for entity in (one, other))
        if bool(mine) != bool(theirs):
            return None
        if medium == "video" and mine:
            theirs = on_frames(theirs, mine)
        units = mine.keys() | theirs.keys()
        ious = [
            max(
                (
                    place_iou(a.place, b.place)
                    for a in mine.get(unit, ())
                    for b in theirs.get(unit, ())
                ),
                default=0.0,
            )
            for unit in units
        ]
        lowest = min(lowest, sum(ious) / len(ious)) if ious else lowest
    return lowest


def _places(entity: MuieEntity, medium: Medium) -> Units:
    """Return the units in which one entity has a place."""
    found = places_of(MuieRow(id="-", task="ner", entities=(entity,)), medium)
    return {unit: held for unit, held in found.items() if held}
