"""Whether what a graph made of the answers is the gold again."""

from collections.abc import Sequence
from typing import Any

from deixis.base.boxes import Box
from deixis.llms.box_conventions import BoxConvention
from deixis.llms.picture_frames import Size
from deixis.rows import Row, RowEntity
from deixis.schema import Entity, Extraction
from deixis.training.lessons.course import Near
from deixis.training.lessons.records import Lesson


def near(frame: BoxConvention, pictures: Sequence[Size], lessons: Sequence[Lesson]) -> Near:
    """Return how boxes of a row are compared: by what the model writes of them.

    Args:
        frame: how it writes them.
        pictures: width and height of the row's pictures.
        lessons: those of the row, whose pictures are those as sent.
    """
    sent = max((lesson.sizes for lesson in lessons), key=len, default=[])
    digit = 10.0**-frame.decimals

    def same(one: Box, other: Box, image: int = 0) -> bool:
        if image >= min(len(sent), len(pictures)):
            return False
        first, second = (_numbers(box, frame, pictures[image], sent[image]) for box in (one, other))
        return all(abs(a - b) <= digit + 1e-9 for a, b in zip(first, second, strict=True))

    return same


def _numbers(box: Box, frame: BoxConvention, picture: Size, sent: Size) -> list[float]:
    scaled = [edge * s / p for edge, s, p in zip(box, sent * 2, picture * 2, strict=True)]
    return frame.to_model(scaled, sent)


def entities_differ(
    gold: Sequence[RowEntity],
    result: Extraction,
    near: Near,
    *,
    boxes: bool = True,
    fine: bool = True,
) -> str:
    """Say how the entities of a result differ from the gold; "" if they do not.

    They are compared as the scorers do: by text and types, each of the gold with one of the result.

    Args:
        gold: the row's.
        result: what the graph made.
        near: compares boxes.
        boxes: whether boxes are compared, too.
        fine: whether fine types are.
    """
    left = list(result.entities)
    for entity in gold:
        named = [each for each in left if _named(each, entity, fine)]
        if not named:
            return "an entity does not come back with its text and type"
        found = next((each for each in named if not boxes or _placed(each, entity, near)), None)
        if found is None:
            return "the boxes of an entity do not come back"
        left.remove(found)
    return "an entity comes back that the gold has not" if left else ""


def same_entities(row: Row, result: Extraction, near: Near) -> str:
    """Compare entities, types and boxes; see `entities_differ`."""
    return entities_differ(row.entities, result, near)


def _named(found: Entity, gold: RowEntity, fine: bool) -> bool:
    same = found.text == gold.text and found.type == gold.type
    return same and (not fine or found.fine_type == gold.fine_type)


def _placed(found: Entity, gold: RowEntity, near: Near) -> bool:
    wanted: Any = list(gold.regions or ())
    if len(found.regions) != len(wanted):
        return False
    for region in found.regions:
        own = [
            each
            for each in wanted
            if each.image == region.image and near(each.box, region.box, region.image)
        ]
        if not own:
            return False
        wanted.remove(own[0])
    return True
