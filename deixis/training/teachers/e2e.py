"""E2E-GMNER: a thought, if the row has one, then the records (section 3.2.1, equation 3)."""

from collections.abc import Mapping, Sequence
from typing import Any

from deixis.formats.e2e import parse
from deixis.rows import Row, RowEntity
from deixis.training.lessons.compare import same_entities
from deixis.training.lessons.course import Course, Question, UntaughtError
from deixis.training.lessons.records import Slot, Written


class ThoughtRow(Row):
    """A row with the thought of a teacher that leads to its entities (section 4.6), or None."""

    thought: str | None = None


def answer(question: Question) -> Written:
    """Write ``<think>thought</think>``, if the row has one, and the records."""
    row: ThoughtRow = question.row
    if row.thought is None and "<think>" in question.prompt.system:
        raise UntaughtError("the row has no thought, and others have one")
    pieces: list[str | Slot] = [f"<think>{row.thought}</think>\n"] if row.thought else []
    pieces.append("<answer>")
    for number, entity in enumerate(row.entities):
        pieces += ["; "] if number else []
        pieces += _record(entity, question)
    pieces += [] if row.entities else ["None"]
    return (*pieces, "</answer>")


def _record(entity: RowEntity, question: Question) -> Written:
    named = f"{entity.text}|{entity.fine_type or entity.type}|"
    if parse(f"{named}None").entities[:1] != (_bare(entity),):
        raise UntaughtError("the format cannot hold the text or the type of an entity")
    if entity.regions is None:
        raise UntaughtError("nobody said whether an entity can be seen")
    slots = [question.slot(region.box, region.image) for region in entity.regions]
    if not slots:
        return (f"{named}None",)
    if len(slots) == 1:
        return (named, slots[0])
    between = [piece for slot in slots for piece in (",", slot)][1:]
    return (f"{named}[", *between, "]")


def _bare(entity: RowEntity) -> RowEntity:
    return RowEntity(text=entity.text, type=entity.fine_type or entity.type, regions=())


def thinks(rows: Sequence[ThoughtRow], given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options of the graph: one pass, and thoughts if rows have them."""
    return {"passes": 1, "think": given.get("think", any(row.thought for row in rows))}


E2E = Course(
    "e2e",
    "E2E-GMNER: entities, types and boxes in one pass, after a thought if the rows have them",
    graph="e2e",
    role="vlm",
    prompts=("e2e/extract",),
    teach=answer,
    same=same_entities,
    row=ThoughtRow,
    options=thinks,
)
