"""vote_each: settle what the committee says, in one call per entity (VKEL, equation 6).

The voter is asked about every attribute that somebody knew, agreed or not, and goes by what
the answers mean. Its choice is one of them, so that a value still has votes. When it cannot
answer, and where there is none, the plurality decides and a tie stays unknown.
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Literal

from pydantic import BaseModel, create_model

from deixis.agents.context.records import SingleTestimony
from deixis.agents.context.state import State, Update, decision, joined, notice
from deixis.agents.context.toolbox import Toolbox, no_answer
from deixis.agents.main.agreement import next_tasks, spared
from deixis.agents.main.ballot import Tally
from deixis.agents.main.consult import UNKNOWN
from deixis.agents.main.vote import Ruling, ballots_of, recorded
from deixis.agents.reading.phrases import OBJECT
from deixis.agents.vkel.one_by_one import one_by_one


def vote_each(state: State, toolbox: Toolbox) -> Update:
    """Turn testimonies into knowledge, fine types, and decisions that name every vote."""
    if next_tasks(state, toolbox, None):  # they do not agree: the graph has another asked
        return {}

    def ask(seat: int, entity: str) -> Update:
        return _vote_on(entity, seat, state, toolbox)

    return joined(*one_by_one(ask, state["mentions"]))


def _vote_on(entity: str, seat: int, state: State, toolbox: Toolbox) -> Update:
    testimonies: dict[str, SingleTestimony] = state["testimonies"]
    answers = {
        name: own["answers"][entity]
        for name, own in testimonies.items()
        if entity in own["answers"]
    }
    abstained = [
        f"{name} ({own['model']}) abstained: {own['abstained'][entity]}"
        for name, own in testimonies.items()
        if entity in own["abstained"]
    ]
    asked = [own["replies"][entity] for own in testimonies.values() if entity in own["replies"]]
    replies = [key for keys in asked for key in keys]
    quorum = min(toolbox.settings.options.quorum, len(asked))
    if len(answers) < quorum:
        name = state["mentions"][entity]["text"]
        reason = f"{len(answers)} of {len(asked)} members answered, {quorum} are needed"
        evidence = [reason, *abstained]
        unknown = decision(
            entity, "vote_each", "knowledge", None, evidence=evidence, replies=replies
        )
        message = f"no visual knowledge of {name!r}: {reason}"
        return {"decisions": unknown, "notices": notice("vote_each", message)}
    ballots = ballots_of(state, entity, answers, toolbox)
    rulings, update = _settle(entity, seat, ballots, state, toolbox)
    replies += update.get("calls", {})
    settled = {name: (counted, rulings[name]) for name, counted in ballots.items()}
    known = recorded(
        entity,
        "vote_each",
        settled,
        toolbox,
        abstained=abstained,
        replies=dict.fromkeys(ballots, replies),
    )
    known["decisions"] |= spared(state, toolbox, entity, "vote_each")
    return {**update, **known}


def _settle(
    entity: str, seat: int, ballots: Mapping[str, Tally], state: State, toolbox: Toolbox
) -> tuple[dict[str, Ruling], Update]:
    """Rule on every attribute; nobody is asked where no member knew anything."""
    rulings = dict.fromkeys(ballots, Ruling(None, None, "no member knew"))
    options = {name: tuple(counted.values) for name, counted in ballots.items() if counted.values}
    if not options:
        return rulings, {}
    voter, mention = toolbox.settings.roles.voter, state["mentions"][entity]
    if voter is None:
        remark = "there is no voter; plurality, a tie is unknown"
        rulings |= {name: Ruling(ballots[name].winner, None, remark) for name in options}
        return rulings, {}
    prompt = toolbox.render(
        "vkel/voter",
        name=mention["text"],
        type=mention["type"],
        attributes=[{"name": name, "answers": ballots[name].values} for name in options],
        text=state["text"],
    )
    answer = _votes(tuple(options.items()))
    reply, update = toolbox.ask("vote_each", "voter", voter, prompt, answer, seat)
    chosen = reply.value.model_dump() if reply.value else None
    for name in options:
        if chosen is None:
            remark = f"the voter {no_answer(reply.status)}; plurality, a tie is unknown"
            rulings[name] = Ruling(ballots[name].winner, None, remark)
        else:
            value = None if chosen[name] == UNKNOWN else chosen[name]
            rulings[name] = Ruling(value, voter, "the voter went by what the answers mean")
    return rulings, update


@lru_cache(maxsize=512)
def _votes(options: tuple[tuple[str, tuple[str, ...]], ...]) -> type[BaseModel]:
    """Build the reply's schema: one of the answers per attribute."""
    fields: dict[str, Any] = {name: (Literal[(*own, UNKNOWN)], ...) for name, own in options}
    return create_model("Votes", __config__=OBJECT, **fields)
