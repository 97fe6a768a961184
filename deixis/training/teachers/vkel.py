"""VKEL: the sketch of the first stage, and the answer of the second (sections III-C and III-D.4).

What the second stage is shown is the row's ``sketch`` (`deixis.training.sketches`), or else the
gold one. The committee and the detector are asked for real, by the types of that sketch.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from deixis.formats.vkel import NOTHING, WHERE, named, parse
from deixis.llms.box_conventions import BoxConvention
from deixis.rows import Row, RowEntity
from deixis.schema import Extraction
from deixis.training.lessons.compare import entities_differ, same_entities
from deixis.training.lessons.course import Course, Near, Question, UntaughtError
from deixis.training.lessons.records import Slot, Written
from deixis.training.sketches import SketchedRow

SHARES = BoxConvention(reference=1, decimals=3)
"""Shares of width and height, as the paper writes them and `BoxForm` does."""


def sketched(question: Question) -> Written:
    """Write *X is a(an) person; Y is a(an) location.* of the gold."""
    return (_sketch(question.row.entities),)


def answer(question: Question) -> Written:
    """Write the answer of the second stage; asked for the first, the sketch that it is shown."""
    row: SketchedRow = question.row
    if question.prompt.name == "vkel/sketch":
        return (_sketch(row.entities if row.sketch is None else row.sketch),)
    pieces: list[str | Slot] = []
    for entity in _in_order(row.entities):
        pieces += ["; "] if pieces else []
        pieces += [_named(entity), WHERE, *_boxes(entity, question)]
    return tuple(pieces) or (NOTHING,)


def _boxes(entity: RowEntity, question: Question) -> Sequence[str | Slot]:
    if entity.regions is None:
        raise UntaughtError("nobody said whether an entity can be seen")
    form = {"brackets": "()", "between": ", "}
    slots = [question.slot(region.box, region.image, **form) for region in entity.regions]
    return [piece for slot in slots for piece in (", ", slot)][1:] or ["None"]


def _sketch(entities: Sequence[RowEntity]) -> str:
    coarse = [entity.model_copy(update={"fine_type": None}) for entity in _in_order(entities)]
    return f"{'; '.join(map(_named, coarse))}." if coarse else NOTHING


def _named(entity: RowEntity) -> str:
    written = named(entity)
    bare = entity.model_copy(update={"start": None, "end": None, "regions": None})
    if parse(written).entities != (bare,):
        raise UntaughtError("the format cannot hold the text or the type of an entity")
    return written


def _in_order(entities: Sequence[RowEntity]) -> list[RowEntity]:
    """Sort by place in the text, as the graph shows a sketch; without places they stay."""
    return sorted(entities, key=lambda entity: entity.start or 0)


def _first_stage(rows: Sequence[Row], given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options of the graph: the first stage alone, and nothing of the second."""
    return {**dict.fromkeys(given), "sketch": True, "ground": False}


def _second_stage(rows: Sequence[Row], given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options: the answer alone counts, unless there is no sketch (LLaVA direct)."""
    return {} if given.get("sketch") is False else {"undecided": False}


def _same_names(row: Row, result: Extraction, near: Near) -> str:
    """Compare entities and coarse types."""
    return entities_differ(row.entities, result, near, boxes=False, fine=False)


VKEL_SKETCH = Course(
    "vkel-sketch",
    "VKEL, stage 1: entities and coarse types, from text and picture",
    graph="vkel",
    role="vlm",
    prompts=("vkel/sketch",),
    teach=sketched,
    same=_same_names,
    options=_first_stage,
    points=False,
    replaces=("sketcher",),
)
VKEL = Course(
    "vkel",
    "VKEL, stage 2: fine types and boxes, from a sketch, visual knowledge and objects",
    graph="vkel",
    role="vlm",
    prompts=("vkel/ground",),
    teach=answer,
    same=same_entities,
    row=SketchedRow,
    options=_second_stage,
    frame=SHARES,
    stands_in=("vkel/sketch",),
)
