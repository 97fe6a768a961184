"""What a model wrote as the papers' systems do, brought into the state of a graph."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from deixis.agents.context.records import Kind, PlacedRegion, Verdict
from deixis.agents.context.state import State, Update, decision, notice
from deixis.agents.context.toolbox import Toolbox
from deixis.agents.reading.mention import TypedSpan, locate
from deixis.agents.reading.plain import readings
from deixis.base.boxes import Box, clipped
from deixis.formats.answers import Problem
from deixis.rows import RowEntity

LONGEST = 80
"""Characters of a piece of an answer that a notice repeats."""


class Located(NamedTuple):
    """An entity of an answer and where it stands in the text: half-open characters."""

    entity: RowEntity
    start: int
    end: int
    type: str


def located(
    text: str,
    entities: Sequence[RowEntity],
    step: str,
    toolbox: Toolbox,
    taken: Sequence[tuple[int, int]] = (),
) -> tuple[list[Located], Update]:
    """Find the entities of an answer in the text, outside the spans that are taken.

    What is not there, or is of a type that is not looked for, is dropped. Long names are looked
    for first, so that New York is not found in New York Times.

    Returns:
        Those that are there, in the order of the text, and notices of what was dropped.
    """
    there: list[Located] = []
    notices: Update = {}
    for entity in sorted(entities, key=lambda entity: -len(entity.text)):
        entity_type = toolbox.types.named(entity.type)
        spans = [*taken, *((known.start, known.end) for known in there)]
        found = ((name, locate(text, name, spans)) for name in readings(entity.text))
        name, span = next(((name, span) for name, span in found if span), (entity.text, None))
        entity = entity.model_copy(update={"text": name})
        name = entity.text[:LONGEST]
        if entity_type is None:
            word = entity.type[:LONGEST]
            notices |= notice(step, f"the model gave {name!r} the type {word!r}, which is none")
        elif span is None:
            notices |= notice(step, f"the model named {name!r}, not in the text (any more)")
        else:
            there.append(Located(entity, *span, entity_type.name))
    return sorted(there, key=lambda known: (known.start, known.end)), notices


def unread(problems: Sequence[Problem], step: str) -> Update:
    """Return a notice for each piece of an answer that could not be read."""
    notices: Update = {}
    for piece, reason in problems:
        notices |= notice(step, f"{piece[:LONGEST]!r} of the answer was not read: {reason}")
    return notices


def mentioned(
    text: str,
    entities: Sequence[Located],
    step: str,
    spec: str,
    toolbox: Toolbox,
    *,
    confidences: Sequence[float],
    evidence: str,
    replies: Sequence[str],
    first: int = 1,
) -> Update:
    """Return mentions with the ids e1, e2, ... in the order given, their types, and why.

    Args:
        text: of the sample.
        entities: what a model named.
        step: the node that asked it.
        spec: the model.
        toolbox: knows the types.
        confidences: one per entity, 0..1.
        evidence: what they are.
        replies: the calls that it rests on.
        first: number of the first id.
    """
    update: Update = {"mentions": {}, "kinds": {}, "decisions": {}}
    why: dict[str, Any] = {"model": spec, "evidence": [evidence], "replies": replies}
    for number, (known, confidence) in enumerate(zip(entities, confidences, strict=True), first):
        entity = f"e{number}"
        span = TypedSpan(known.start, known.end, known.type, confidence, None)
        update["mentions"][entity] = span.of(text)
        update["decisions"] |= decision(
            entity, step, "type", known.type, confidence=confidence, **why
        )
        owner, fine = toolbox.types.of_fine_type(known.entity.fine_type or "") or (None, "")
        if owner and owner.name == known.type:
            update["kinds"][entity] = Kind(type=known.type, fine_type=fine)
            update["decisions"] |= decision(entity, step, "fine_type", fine, **why)
    return update


def placed(
    state: State,
    entity: str,
    boxes: Sequence[Box] | None,
    step: str,
    spec: str,
    *,
    score: float = 1.0,
    evidence: Sequence[str] = (),
    replies: Sequence[str] = (),
) -> Update:
    """Return the verdict on one entity, its regions, and why.

    Args:
        state: of the sample.
        entity: its id.
        boxes: in pixels of the picture; none when the model says that it cannot be seen, and
            None when nothing usable was said. They are clipped to the picture.
        step: the node that asked the model.
        spec: the model.
        score: of each region, 0..1.
        evidence: what was said of it.
        replies: the calls that it rests on.
    """
    picture = state.get("picture")
    if picture is None:
        boxes, evidence = None, ["there is no picture"]
    why: dict[str, Any] = {"model": spec, "evidence": evidence, "replies": replies}
    groundable = None if boxes is None else bool(boxes)
    outcome = {True: "yes", False: "no", None: None}[groundable]
    decisions = decision(entity, step, "groundable", outcome, **why)
    update: Update = {
        "verdicts": {entity: Verdict(groundable=groundable, probability=1.0, candidates=[])},
        "regions": {},
        "decisions": decisions,
    }
    if boxes and picture:
        places = [clipped(box, picture["width"], picture["height"]) for box in boxes]
        update["regions"][entity] = [
            PlacedRegion(box=place, mask=None, score=score, source=spec) for place in places
        ]
        rounded = "; ".join(str([round(edge) for edge in place]) for place in places)
        decisions |= decision(entity, step, "box", rounded, confidence=score, **why)
    return update
