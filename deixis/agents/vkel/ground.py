"""ground: the second stage, fine types and boxes (VKEL, section III-D.4).

The model is shown picture and text, what the committee knows, the objects that a detector saw,
and the sketch of the first stage. It writes *X is a(an) person and a(an) athlete, whose bounding
boxes are (x1, y1, x2, y2)*, in shares of the picture's width and height or as its family counts.
"""

from collections.abc import Mapping, Sequence

from deixis.agents.context.records import Kind, Mention
from deixis.agents.context.state import OVERWRITE, State, Update, decision, joined, notice
from deixis.agents.context.toolbox import Toolbox, no_answer
from deixis.agents.reading.answers import LONGEST, located, mentioned, placed, unread
from deixis.agents.reading.box_form import SAMPLE, SHARES, BoxForm, form_of
from deixis.agents.reading.given import given_mentions, taken_up
from deixis.agents.reading.plain import readings
from deixis.agents.vkel.options import VkelOptions
from deixis.agents.vkel.read import folded, read
from deixis.llms.answers.reading import Text
from deixis.prompts import Prompt
from deixis.rows import RowEntity


def ground(state: State, toolbox: Toolbox) -> Update:
    """Ask for the whole answer; what it leaves out of the sketch stays undecided, or goes."""
    text, spec, mentions = state["text"], toolbox.model("vlm"), state["mentions"]
    images, noted = toolbox.shown(state, "ground", spec)
    picture = state.get("picture")
    form = form_of(spec, picture, images[0] if images else None) if picture else None
    prompt = _prompt(state, toolbox, form)
    reply, update = toolbox.ask("ground", "vlm", spec, prompt, Text, images=images)
    replies = list(update["calls"])
    parsed = read(reply.value.text if reply.value else "", toolbox.types)
    answers, others = _matched(mentions, parsed.entities)
    given = given_mentions(state)
    alone = given is None and bool(reply.value)
    alone &= not toolbox.graph_options(VkelOptions).undecided
    if given is None:
        kept = answers if alone else mentions  # what goes takes no place from a corrected name
        spans = [(mentions[entity]["start"], mentions[entity]["end"]) for entity in kept]
        added, dropped = located(text, others, "ground", toolbox, taken=spans)
    else:
        added, (_, dropped) = [], taken_up(given, others, "ground")
    new = mentioned(
        text,
        added,
        "ground",
        spec,
        toolbox,
        confidences=[1.0] * len(added),
        evidence="",  # `_typed` says it in full
        replies=replies,
        first=len(mentions) + 1,
    )
    answers |= {entity: own.entity for entity, own in zip(new["mentions"], added, strict=True)}
    missing = "the answer leaves it out" if reply.value else f"{spec} {no_answer(reply.status)}"
    parts = [update, {"notices": {**noted, **unread(parsed.problems, "ground"), **dropped}}, new]
    every = {**mentions, **new["mentions"]}
    for entity, mention in every.items():
        if entity in answers:
            parts.append(_typed(entity, mention, answers[entity], state, toolbox, replies))
            parts.append(_seen(entity, answers[entity], form, state, spec, replies))
        elif not alone:
            parts.append(
                placed(state, entity, None, "ground", spec, evidence=[missing], replies=replies)
            )
            if reply.value:
                message = f"the answer leaves out {mention['text']!r}; it is undecided"
                parts.append({"notices": notice("ground", message)})
    update = joined(*parts)
    if alone:
        said = {entity: mention for entity, mention in every.items() if entity in answers}
        return {**update, "mentions": {OVERWRITE: said}}
    return update


def _prompt(state: State, toolbox: Toolbox, form: BoxForm | None) -> Prompt:
    """Return the task, the knowledge, the object annotations (equation 8), and the sketch."""
    mentions = state["mentions"]
    options, given = toolbox.graph_options(VkelOptions), given_mentions(state) is not None
    objects = state["observation"]["objects"] if form else []
    objects = sorted(objects, key=lambda seen: -seen["score"])
    known = {key: own["summary"] or "" for key, own in state.get("knowledge", {}).items()}
    voted = {key: kind["fine_type"] or "" for key, kind in state.get("kinds", {}).items()}
    return toolbox.render(
        "vkel/ground",
        types=toolbox.types.types,
        form=form.words if form else SHARES,
        sample=form.sample if form else str(SAMPLE),
        knowledge=[
            {
                "name": mention["text"],
                "fine_type": voted.get(key, ""),
                "summary": known.get(key, ""),
            }
            for key, mention in mentions.items()
            if voted.get(key) or known.get(key)
        ]
        if options.knows
        else None,
        objects=[
            {"label": seen["label"], "box": form.written(seen["box"])}
            for seen in objects[: toolbox.settings.options.top_k]
            if form
        ]
        if options.objects
        else None,
        entities=[
            {"name": mention["text"], "type": mention["type"]} for mention in mentions.values()
        ]
        if options.sketch or given
        else None,
        given=given,
        text=state["text"],
    )


def _matched(
    mentions: Mapping[str, Mention], answers: Sequence[RowEntity]
) -> tuple[dict[str, RowEntity], list[RowEntity]]:
    """Give every mention the answer of its name; return the answers left over, too.

    Mentions of one name take its answers in turn, and the last of these for all that remain.
    """
    wanted = {folded(mention["text"]) for mention in mentions.values()}
    by_name: dict[str, list[RowEntity]] = {}
    for answer in answers:
        names = [folded(name) for name in readings(answer.text)]
        known = next((name for name in names if name in wanted), names[0])
        by_name.setdefault(known, []).append(answer)
    used = dict.fromkeys(by_name, 0)
    matched = {}
    for entity, mention in mentions.items():
        key = folded(mention["text"])
        if key in by_name:
            matched[entity] = by_name[key][min(used[key], len(by_name[key]) - 1)]
            used[key] += 1
    return matched, [left for key, own in by_name.items() for left in own[used[key] :]]


def _typed(
    entity: str,
    mention: Mention,
    answer: RowEntity,
    state: State,
    toolbox: Toolbox,
    replies: list[str],
) -> Update:
    """Return the types of an entity: those of the answer, as far as the schema has them."""
    types, spec = toolbox.types, toolbox.model("vlm")
    name = mention["text"][:LONGEST]
    given = types.named(answer.type) or types.get(mention["type"])
    kind, fine = types.of_fine_type(answer.fine_type or "") or (given, None)
    notices: Update = {}
    if types.named(answer.type) is None:
        message = f"the model gave {name!r} the type {answer.type[:LONGEST]!r}, which is none"
        notices |= notice("ground", f"{message}; {given.name!r} stays")
    if answer.fine_type and fine is None:
        message = f"the model gave {name!r} the fine type {answer.fine_type[:LONGEST]!r}"
        notices |= notice("ground", f"{message}, which is none; it is dropped")
    evidence = [f"the model says a(an) {answer.type} and a(an) {answer.fine_type or '(none)'}"]
    if entity not in state["mentions"]:
        evidence.append("the sketch of the first stage did not name it")
    decisions = decision(
        entity, "ground", "type", kind.name, model=spec, evidence=evidence, replies=replies
    )
    if fine is not None:
        decisions |= decision(
            entity, "ground", "fine_type", fine, model=spec, evidence=evidence, replies=replies
        )
    else:  # what the committee voted for stays, if it is of this type
        voted = state.get("kinds", {}).get(entity)
        fine = voted["fine_type"] if voted and voted["fine_type"] in kind.fine_types else None
    kinds = {entity: Kind(type=kind.name, fine_type=fine)}
    return {"kinds": kinds, "decisions": decisions, "notices": notices}


def _seen(
    entity: str,
    answer: RowEntity,
    form: BoxForm | None,
    state: State,
    spec: str,
    replies: list[str],
) -> Update:
    """Return where an entity is: boxes that are none are counted and dropped."""
    shown = form is not None and form.photo is not None
    if form is None or not shown or answer.regions is None:
        reason = "the answer says nothing of boxes" if shown else "the model saw no picture"
        return placed(state, entity, None, "ground", spec, evidence=[reason], replies=replies)
    boxes = [(region.box, form.read(region.box)) for region in answer.regions]
    good = [box for _, box in boxes if box is not None]
    bad = [f"{written} is no box in the picture" for written, box in boxes if box is None]
    notices: Update = {}
    if bad:
        message = f"{len(bad)} of the {len(boxes)} boxes of {answer.text[:LONGEST]!r} are no boxes"
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
