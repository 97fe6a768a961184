"""ground: the second stage, fine types and boxes (VKEL, section III-D.4).

The model is shown picture and text, what the committee knows, the objects that a detector saw,
and the sketch of the first stage. It writes *X is a(an) person and a(an) athlete, whose bounding
boxes are (x1, y1, x2, y2)*, in shares of the picture's width and height.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from deixis.agents.context.state import State, Update, decision, notice
from deixis.agents.context.toolbox import Toolbox, no_answer
from deixis.agents.reading.answers import LONGEST, joined, located, mentioned, placed, unread
from deixis.agents.vkel.boxes import in_pixels, shares
from deixis.agents.vkel.sketch import fine_type_of, folded, read
from deixis.llms.answers.reading import Text
from deixis.llms.photos import Photo
from deixis.prompts import Prompt
from deixis.rows import RowEntity


def ground(state: State, toolbox: Toolbox) -> Update:
    """Ask for the whole answer; what it leaves out of the sketch stays undecided."""
    text, spec, mentions = state["text"], toolbox.model("vlm"), state["mentions"]
    images, noted = toolbox.shown(state, "ground", spec)
    prompt = _prompt(state, toolbox)
    reply, update = toolbox.ask("ground", "vlm", spec, prompt, Text, images=images)
    replies = list(update["calls"])
    parsed = read(reply.value.text if reply.value else "", toolbox.types)
    said, others = _matched(mentions, parsed.entities)
    spans = [(each["start"], each["end"]) for each in mentions.values()]
    found, dropped = located(text, others, "ground", toolbox, taken=spans)
    new = mentioned(
        text,
        found,
        "ground",
        spec,
        toolbox,
        confidences=[1.0] * len(found),
        evidence="",  # `_typed` says it in full
        replies=replies,
        first=len(mentions) + 1,
    )
    said |= {entity: each.entity for entity, each in zip(new["mentions"], found, strict=True)}
    missing = "the answer leaves it out" if reply.value else f"{spec} {no_answer(reply.status)}"
    parts = [update, {"notices": {**noted, **unread(parsed.problems, "ground"), **dropped}}, new]
    for entity, mention in {**mentions, **new["mentions"]}.items():
        if entity in said:
            parts.append(_typed(entity, mention, said[entity], state, toolbox, replies))
            parts.append(_seen(entity, said[entity], images, state, spec, replies))
        else:
            told = [missing]
            parts.append(
                placed(state, entity, None, "ground", spec, evidence=told, replies=replies)
            )
            if reply.value:
                message = f"the answer leaves out {mention['text']!r}; it is undecided"
                parts.append({"notices": notice("ground", message)})
    return joined(*parts)


def _prompt(state: State, toolbox: Toolbox) -> Prompt:
    """Return the task, the knowledge, the object annotations (equation 8), and the sketch."""
    picture, mentions = state.get("picture") or {}, state["mentions"]
    objects = sorted(
        (state.get("observation") or {}).get("objects", []), key=lambda each: -each["score"]
    )
    known = {key: each["summary"] or "" for key, each in state.get("knowledge", {}).items()}
    voted = {key: each["fine_type"] or "" for key, each in state.get("kinds", {}).items()}
    return toolbox.render(
        "vkel/ground",
        types=toolbox.types.types,
        knowledge=[
            {"name": each["text"], "fine_type": voted.get(key, ""), "summary": known.get(key, "")}
            for key, each in mentions.items()
            if voted.get(key) or known.get(key)
        ],
        objects=[
            {"label": each["label"], "box": shares(each["box"], picture)}
            for each in objects[: toolbox.settings.options.top_k]
        ],
        entities=[{"name": each["text"], "type": each["type"]} for each in mentions.values()],
        text=state["text"],
    )


def _matched(
    mentions: Mapping[str, Mapping[str, Any]], answers: Sequence[RowEntity]
) -> tuple[dict[str, RowEntity], list[RowEntity]]:
    """Give every mention the answer of its name; return the answers left over, too.

    Mentions of one name take its answers in turn, and the last of these for all that remain.
    """
    by_name: dict[str, list[RowEntity]] = {}
    for each in answers:
        by_name.setdefault(folded(each.text), []).append(each)
    used = dict.fromkeys(by_name, 0)
    said = {}
    for entity, mention in mentions.items():
        key = folded(mention["text"])
        if key in by_name:
            said[entity] = by_name[key][min(used[key], len(by_name[key]) - 1)]
            used[key] += 1
    return said, [each for key, own in by_name.items() for each in own[used[key] :]]


def _typed(
    entity: str,
    mention: Mapping[str, Any],
    said: RowEntity,
    state: State,
    toolbox: Toolbox,
    replies: list[str],
) -> Update:
    """Return the types of an entity: those of the answer, as far as the schema has them."""
    types, spec = toolbox.types, toolbox.model("vlm")
    name = mention["text"][:LONGEST]
    given = types.named(said.type) or types.get(mention["type"])
    owner, fine = fine_type_of(said.fine_type or "", (given, *types.types))
    kind = owner or given
    notices: Update = {}
    if types.named(said.type) is None:
        message = f"the model gave {name!r} the type {said.type[:LONGEST]!r}, which is none"
        notices |= notice("ground", f"{message}; {given.name!r} stays")
    if said.fine_type and fine is None:
        message = f"the model gave {name!r} the fine type {said.fine_type[:LONGEST]!r}"
        notices |= notice("ground", f"{message}, which is none; it is dropped")
    told = [f"the model says a(an) {said.type} and a(an) {said.fine_type or '(none)'}"]
    if entity not in state["mentions"]:
        told.append("the sketch of the first stage did not name it")
    decisions = decision(
        entity, "ground", "type", kind.name, model=spec, evidence=told, replies=replies
    )
    if fine is not None:
        decisions |= decision(
            entity, "ground", "fine_type", fine, model=spec, evidence=told, replies=replies
        )
    else:  # what the committee voted for stays, if it is of this type
        voted = state.get("kinds", {}).get(entity, {}).get("fine_type")
        fine = voted if voted in kind.fine_types else None
    kinds = {entity: {"type": kind.name, "fine_type": fine}}
    return {"kinds": kinds, "decisions": decisions, "notices": notices}


def _seen(
    entity: str,
    said: RowEntity,
    images: Sequence[Photo],
    state: State,
    spec: str,
    replies: list[str],
) -> Update:
    """Return where an entity is: boxes that are none are counted and dropped."""
    if not images or said.regions is None:
        told = "the answer says nothing of boxes" if images else "the model saw no picture"
        return placed(state, entity, None, "ground", spec, evidence=[told], replies=replies)
    picture = state["picture"]
    assert picture is not None, "shown without a picture"
    boxes = [(each.box, in_pixels(each.box, picture, images[0], spec)) for each in said.regions]
    good = [box for _, box in boxes if box is not None]
    bad = [f"{written} is no box in the picture" for written, box in boxes if box is None]
    notices: Update = {}
    if bad:
        message = f"{len(bad)} of the {len(boxes)} boxes of {said.text[:LONGEST]!r} are no boxes"
        notices = notice("ground", message)
    evidence = [f"the model points at {written}" for written, box in boxes if box is not None]
    where = good if good or not bad else None
    update = placed(
        state,
        entity,
        where,
        "ground",
        spec,
        evidence=[*evidence, *bad] or ["the model says None"],
        replies=replies,
    )
    return {**update, "notices": notices}
