"""What a model wrote as the papers' systems do, brought into the state of a graph."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from deixis.agents.context.state import State, Update, decision, notice
from deixis.agents.context.toolbox import Toolbox
from deixis.agents.reading.mention import locate
from deixis.base.boxes import Box, clipped
from deixis.formats.answers import Problem
from deixis.rows import RowEntity

LONGEST = 80
"""Characters of a piece of an answer that a notice repeats."""


class Found(NamedTuple):
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
) -> tuple[list[Found], Update]:
    """Find the entities of an answer in the text, outside the spans that are taken.

    What is not there, or is of a type that is not looked for, is dropped. Long names are looked
    for first, so that New York is not found in New York Times.

    Returns:
        What was found in the order of the text, and notices of what was dropped.
    """
    found: list[Found] = []
    notices: Update = {}
    for each in sorted(entities, key=lambda one: -len(one.text)):
        kind = toolbox.types.named(each.type)
        span = locate(text, each.text, [*taken, *((one.start, one.end) for one in found)])
        name = each.text[:LONGEST]
        if kind is None:
            said = f"the model gave {name!r} the type {each.type[:LONGEST]!r}, which is none"
            notices |= notice(step, said)
        elif span is None:
            notices |= notice(step, f"the model named {name!r}, not in the text (any more)")
        else:
            found.append(Found(each, *span, kind.name))
    return sorted(found, key=lambda one: (one.start, one.end)), notices


def unread(problems: Sequence[Problem], step: str) -> Update:
    """Return a notice for each piece of an answer that could not be read."""
    notices: Update = {}
    for piece, reason in problems:
        notices |= notice(step, f"{piece[:LONGEST]!r} of the answer was not read: {reason}")
    return notices


def mentioned(
    text: str,
    found: Sequence[Found],
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
        found: what a model named.
        step: the node that asked it.
        spec: the model.
        toolbox: knows the types.
        confidences: one for each found, 0..1.
        evidence: what they are.
        replies: the calls that it rests on.
        first: number of the first id.
    """
    update: Update = {"mentions": {}, "kinds": {}, "decisions": {}}
    for number, (each, confidence) in enumerate(zip(found, confidences, strict=True), first):
        entity, fine = f"e{number}", fine_type(each.type, each.entity.fine_type, toolbox)
        update["mentions"][entity] = {
            "text": text[each.start : each.end],
            "start": each.start,
            "end": each.end,
            "type": each.type,
            "confidence": confidence,
            "prior": None,
        }
        told: dict[str, Any] = {"model": spec, "evidence": [evidence], "replies": list(replies)}
        update["decisions"] |= decision(
            entity, step, "type", each.type, confidence=confidence, **told
        )
        if fine:
            update["kinds"][entity] = {"type": each.type, "fine_type": fine}
            update["decisions"] |= decision(entity, step, "fine_type", fine, **told)
    return update


def fine_type(kind: str, word: str | None, toolbox: Toolbox) -> str | None:
    """Return the fine type of a type that a model's word means, in any case, or None."""
    key = (word or "").strip().casefold()
    known = toolbox.types.get(kind).fine_types
    return next((fine for fine in known if fine.casefold() == key), None)


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
    told: dict[str, Any] = {
        "model": spec,
        "evidence": list(evidence),
        "replies": list(replies),
    }
    if picture is None:
        boxes, told["evidence"] = None, ["there is no picture"]
    groundable = None if boxes is None else bool(boxes)
    outcome = {True: "yes", False: "no", None: None}[groundable]
    decisions = decision(entity, step, "groundable", outcome, **told)
    update: Update = {
        "verdicts": {entity: {"groundable": groundable}},
        "regions": {},
        "decisions": decisions,
    }
    if boxes and picture:
        places = [clipped(box, picture["width"], picture["height"]) for box in boxes]
        update["regions"][entity] = [
            {"box": place, "mask": None, "score": score, "source": spec} for place in places
        ]
        said = "; ".join(str([round(value) for value in place]) for place in places)
        decisions |= decision(entity, step, "box", said, confidence=score, **told)
    return update


def joined(*updates: Update) -> Update:
    """Merge updates channel by channel; the newer value of a key stays."""
    channels = dict.fromkeys(channel for update in updates for channel in update)
    return {
        channel: {
            key: value for update in updates for key, value in update.get(channel, {}).items()
        }
        for channel in channels
    }
