"""vote: settle what the committee says about each entity (VKEL, equations 6 and 7).

What members agree on after normalisation costs no call. All disputed attributes of the
sample go to the voter in one call, which also describes each entity in a sentence. When
the voter cannot answer, the plurality decides and a tie stays unknown.
"""

import hashlib
import random
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal, NamedTuple

from pydantic import BaseModel, create_model

from deixis.agents.context.records import Kind, Testimony
from deixis.agents.context.state import State, Update, decision, notice
from deixis.agents.context.toolbox import Toolbox
from deixis.agents.main.agreement import next_tasks, spared, standing
from deixis.agents.main.asked import NOT_SHOWN, asked_about
from deixis.agents.main.ballot import FINE_TYPE, Tally, closed_attributes, tally
from deixis.agents.main.consult import UNKNOWN, named_apart
from deixis.agents.main.nonsense import repeats
from deixis.agents.reading.phrases import OBJECT, phrase
from deixis.llms.asking import Joint
from deixis.prompts import Prompt


class Ruling(NamedTuple):
    """How one attribute was settled: the value or None, by whom, and a remark."""

    value: str | None
    model: str | None
    remark: str


def vote(state: State, toolbox: Toolbox) -> Update:
    """Turn testimonies into knowledge, fine types, and decisions that name every vote."""
    if not state["mentions"]:
        return {}
    if not toolbox.settings.roles.committee:
        return {"decisions": _unknown(state["mentions"], ["there is no committee to ask"])}
    groups = asked_about(state)
    asked_of = [entity for group in groups.values() for entity in group]
    unseen = [entity for entity in state["mentions"] if entity not in asked_of]
    unasked = _unknown(unseen, [f"{NOT_SHOWN}; nobody was asked how it looks"])
    if not groups:
        return {"decisions": unasked}
    if next_tasks(state, toolbox, groups):  # they do not agree: the graph has another asked
        return {}
    testimonies: dict[str, Testimony] = state["testimonies"]
    answers = {name: own["answers"] for name, own in testimonies.items() if own["answers"]}
    abstained = {
        name: f"{name} ({own['model']}) abstained: {own['status']}, {own['detail']}"
        for name, own in testimonies.items()
        if not own["answers"]
    }
    quorum = min(toolbox.settings.options.quorum, len(testimonies))
    if len(answers) < quorum:
        reason = f"{len(answers)} of {len(testimonies)} members answered, {quorum} are needed"
        heard = [reply for own in testimonies.values() for reply in own["replies"]]
        unknown = _unknown(asked_of, [reason, *abstained.values()], heard)
        notices = notice("vote", f"no visual knowledge: {reason}")
        return {"decisions": unasked | unknown, "notices": notices}

    ballots = {
        entity: ballots_of(
            state,
            entity,
            {name: given[entity] for name, given in answers.items() if entity in given},
            toolbox,
        )
        for entity in groups
    }
    rulings, summaries, update = _settle(state, toolbox, ballots)
    asked = list(update.get("calls", {}))
    known: Update = {"knowledge": {}, "kinds": {}, "decisions": unasked}
    for head, attributes in ballots.items():
        members = standing(state, toolbox, head).asked
        heard = [reply for name in members for reply in testimonies[name]["replies"]]
        for entity in groups[head]:
            own = recorded(
                entity,
                "vote",
                {name: (counted, rulings[head, name]) for name, counted in attributes.items()},
                toolbox,
                summary=summaries.get(head),
                abstained=[abstained[name] for name in members if name in abstained],
                replies={
                    name: [*heard, *(asked if counted.disputed else [])]
                    for name, counted in attributes.items()
                },
            )
            known = {channel: known[channel] | own[channel] for channel in known}
            known["decisions"] |= spared(state, toolbox, head, "vote", entity)
    return {**update, **known}


def _unknown(entities: Iterable[str], evidence: list[str], replies: Sequence[str] = ()) -> Update:
    """Return the decisions that nothing is known of how some entities look."""
    unknown: Update = {}
    for entity in entities:
        unknown |= decision(entity, "vote", "knowledge", None, evidence=evidence, replies=replies)
    return unknown


def recorded(
    entity: str,
    step: str,
    settled: Mapping[str, tuple[Tally, Ruling]],
    toolbox: Toolbox,
    *,
    summary: str | None = None,
    abstained: Sequence[str],
    replies: Mapping[str, list[str]],
) -> Update:
    """Return what is now known of an entity, its types, and one decision per attribute.

    Args:
        entity: its id.
        step: the node that settled it.
        settled: attribute to what was answered and what was ruled.
        toolbox: knows the types.
        summary: what a model made of it; what is known is listed when it is empty.
        abstained: who did not answer, and why.
        replies: attribute to the calls that the ruling rests on.
    """
    known = []
    kinds: dict[str, Kind] = {}
    decisions: Update = {}
    for name, (counted, ruling) in settled.items():
        votes = counted.values.get(ruling.value, 0) if ruling.value else 0
        share = votes / counted.answered
        cast = [f"{count} x {value!r}" for value, count in counted.values.items()]
        decisions |= decision(
            entity,
            step,
            name,
            ruling.value or UNKNOWN,
            model=ruling.model,
            confidence=share if ruling.value else None,
            evidence=[ruling.remark, f"votes: {', '.join(cast) or 'none'}", *abstained],
            replies=replies[name],
        )
        if ruling.value and name == FINE_TYPE:
            owner, _ = toolbox.types.of_fine_type(ruling.value) or (None, "")
            kinds[entity] = Kind(type=owner.name if owner else None, fine_type=ruling.value)
        elif ruling.value:
            known.append({"name": name, "value": ruling.value, "votes": votes, "agreement": share})
    knowledge = {entity: {"attributes": known, "summary": summary or _list(known)}}
    return {"knowledge": knowledge, "kinds": kinds, "decisions": decisions}


def ballots_of(
    state: State, entity: str, answers: Mapping[str, Mapping[str, str]], toolbox: Toolbox
) -> dict[str, Tally]:
    """Count one entity's answers by attribute; `answers` has one member at least."""
    closed = closed_attributes(state, entity, toolbox)
    return {
        name: tally(
            {member: given[name] for member, given in answers.items()}, closed=name in closed
        )
        for name in next(iter(answers.values()))
    }


def _settle(
    state: State, toolbox: Toolbox, ballots: dict[str, dict[str, Tally]]
) -> tuple[dict[tuple[str, str], Ruling], dict[str, str], Update]:
    """Rule on every attribute, asking the voter, if there is one, once about all disputes."""
    rulings: dict[tuple[str, str], Ruling] = {}
    for entity, attributes in ballots.items():
        for name, counted in attributes.items():
            remark = "members who knew agreed" if counted.values else "no member knew"
            if counted.disputed:
                remark = "disputed, and there is no voter; plurality, a tie is unknown"
            rulings[entity, name] = Ruling(counted.winner, None, remark)
    options = {
        (entity, name): _options(f"{state['text']}/{entity}/{name}", counted)
        for entity, attributes in ballots.items()
        for name, counted in attributes.items()
        if counted.disputed
    }
    voter = toolbox.settings.roles.voter
    if voter is None or not options:
        return rulings, {}, {}
    entities = [
        {
            "id": entity,
            "text": state["mentions"][entity]["text"],
            "type": state["mentions"][entity]["type"],
            "agreed": [
                f"{name}: {counted.winner}"
                for name, counted in attributes.items()
                if counted.values and not counted.disputed
            ],
            "disputes": [
                {"name": name, "options": choices}
                for (owner, name), choices in options.items()
                if owner == entity
            ],
        }
        for entity, attributes in ballots.items()
        if any(counted.values for counted in attributes.values())
    ]

    def question(posts: Sequence[Any]) -> tuple[Prompt, type[BaseModel]]:
        posts = named_apart(posts, "entities")
        asked = [entity for post in posts for entity in post["entities"]]
        return toolbox.render("vote", posts=posts), _rulings(asked)

    post = {"text": state["text"], "entities": entities}
    reply, update = toolbox.ask(
        "vote", "voter", voter, *question([post]), joint=Joint(post, question)
    )
    chosen = reply.value.model_dump() if reply.value else {}
    for (entity, name), choices in options.items():
        if not chosen:
            remark = f"the voter gave no answer ({reply.status}); plurality, a tie is unknown"
            rulings[entity, name] = Ruling(ballots[entity][name].winner, None, remark)
        else:
            choice = chosen[entity][name]
            value = choice if choice in choices else None
            rulings[entity, name] = Ruling(value, voter, "disputed; the voter chose")
    looks = {entity: own["look"].strip() for entity, own in chosen.items()}
    return rulings, {entity: look for entity, look in looks.items() if not repeats(look)}, update


def _options(seed: str, counted: Tally) -> list[str]:
    """Put the disputed answers in an order that tells nothing of who gave them.

    The order depends on the sample alone, so that the same dispute is the same prompt.
    """
    values = sorted(counted.values)
    random.Random(hashlib.sha256(seed.encode()).digest()).shuffle(values)
    return values


def _rulings(entities: Sequence[Mapping[str, Any]]) -> type[BaseModel]:
    """Build the reply's schema: one of the answers per dispute, one sentence per entity."""
    fields: dict[str, Any] = {}
    for entity in entities:
        asked: dict[str, Any] = {
            dispute["name"]: (Literal[(*dispute["options"], UNKNOWN)], ...)
            for dispute in entity["disputes"]
        }
        asked["look"] = (phrase(10, least_words=3), ...)
        fields[entity["id"]] = (create_model(entity["id"], __config__=OBJECT, **asked), ...)
    return create_model("Ruling", __config__=OBJECT, **fields)


def _list(known: list[dict[str, Any]]) -> str | None:
    """Summarise by listing, where no model was asked to."""
    return "; ".join(f"{fact['name']}: {fact['value']}" for fact in known) or None
