"""Who of the committee is asked next: all at once, or one after the other until they agree.

With ``committee: until_agreed``, as many are asked side by side as must answer, two at least; the
others come one by one, each about the entities alone on which those before it do not agree. They
agree on an entity if of every attribute the value with the strongest backing comes from two of
them at least, and is right with a probability (`deixis.agents.context.committee.belief`) of
``agreed_at`` or more. What values are the same is as in a vote (`deixis.agents.main.ballot`);
"unknown" is a value. A member's word is as good as the probability of its own tokens, where they
tell it, else as ``member_accuracy``. Who gives no answer has no say.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from deixis.agents.context.committee import LEAST, asked_first, belief, order, weight
from deixis.agents.context.records import CallRecord, MemberTask
from deixis.agents.context.state import State, Update, decision
from deixis.agents.context.toolbox import Toolbox
from deixis.agents.main.ballot import closed_attributes, key_of
from deixis.agents.main.consult import member_tasks, name_of

AGREED = "committee"
"""Subject of the decision that nobody else needs to be asked."""


class Standing(NamedTuple):
    """How far the committee is with an entity.

    Attributes:
        asked: names of the testimonies of those who were asked about it, in order.
        sure: how sure the least sure attribute is if they agree well enough; None if not, or
            if all were asked at once.
    """

    asked: tuple[str, ...]
    sure: float | None


def next_tasks(state: State, toolbox: Toolbox, about: Iterable[str] | None) -> list[MemberTask]:
    """Return one task for each member who is to be asked now, none if that is nobody.

    Args:
        state: of the sample.
        toolbox: settings.
        about: ids of the entities that the committee is asked about; None for all.
    """
    settings = toolbox.settings
    seats = order(settings)
    known = state.get("testimonies", {})
    if not known:
        if settings.options.committee == "until_agreed":
            seats = seats[: asked_first(settings.options)]
    elif settings.options.committee == "all":
        return []
    else:
        asked = [*(state["mentions"] if about is None else about)]
        about = [each for each in asked if standing(state, toolbox, each).sure is None]
        seats = [seat for seat in seats if name_of(seat) not in known][:1]
    tasks = member_tasks(state, len(settings.roles.committee), about)
    return [task for seat in seats for task in tasks if task["member"] == seat]


def standing(state: State, toolbox: Toolbox, entity: str) -> Standing:
    """Say who was asked about an entity, and whether they agree."""
    settings, known = toolbox.settings, state["testimonies"]
    if settings.options.committee == "all":
        return Standing(tuple(known), None)
    names = [name for seat in order(settings) if (name := name_of(seat)) in known]
    for count in range(asked_first(settings.options), len(names) + 1):
        sure = _sure(state, toolbox, entity, names[:count])
        if sure is not None:
            return Standing(tuple(names[:count]), sure)
    return Standing(tuple(names), None)


def spared(
    state: State, toolbox: Toolbox, entity: str, step: str, about: str | None = None
) -> Update:
    """Return the decision that some need not be asked, none if all were.

    Args:
        state: of the sample.
        toolbox: settings.
        entity: id of what the others were asked about.
        step: the node that decides.
        about: id of the entity that it is a decision on, if that is another of the same name.
    """
    asked, sure = standing(state, toolbox, entity)
    members = toolbox.settings.roles.committee
    others = [
        f"{name_of(seat)} ({members[seat]})"
        for seat in order(toolbox.settings)
        if name_of(seat) not in asked
    ]
    if sure is None or not others:
        return {}
    options = toolbox.settings.options
    evidence = [
        f"{', '.join(asked)} agree, and the least sure attribute is right with {sure:.2f}; "
        f"{options.agreed_at:g} is enough (options.agreed_at)",
        f"not asked: {', '.join(others)}",
    ]
    replies = [key for name in asked for key in _replies(state["testimonies"][name], entity)]
    return decision(
        about or entity,
        step,
        AGREED,
        "agreed",
        confidence=sure,
        evidence=evidence,
        replies=replies,
    )


def _sure(state: State, toolbox: Toolbox, entity: str, names: list[str]) -> float | None:
    """Return how sure the least sure attribute is; None if members do not agree well enough."""
    options = toolbox.settings.options
    known, calls = state["testimonies"], state.get("calls", {})
    answers = {
        name: known[name]["answers"][entity] for name in names if entity in known[name]["answers"]
    }
    if len(answers) < asked_first(options):
        return None
    closed = closed_attributes(state, entity, toolbox)
    least = 1.0
    for attribute in next(iter(answers.values())):
        backing: dict[str, list[float]] = defaultdict(list)
        for name, given in answers.items():
            value = given[attribute]
            chance = _chance(known[name], entity, attribute, value, calls)
            backing[key_of(value, closed=attribute in closed)].append(
                weight(options.member_accuracy if chance is None else chance)
            )
        strongest = max(backing, key=lambda value: sum(backing[value]))
        against = [-each for value, own in backing.items() if value != strongest for each in own]
        sure = belief([*backing[strongest], *against])
        if len(backing[strongest]) < LEAST or sure < options.agreed_at:
            return None
        least = min(least, sure)
    return least


def _replies(testimony: Mapping[str, Any], entity: str) -> list[str]:
    """Return the calls of a member's answer about an entity: `Testimony`, `SingleTestimony`."""
    replies = testimony["replies"]
    return list(replies.get(entity, []) if isinstance(replies, Mapping) else replies)


def _chance(
    testimony: Mapping[str, Any],
    entity: str,
    attribute: str,
    value: str,
    calls: Mapping[str, CallRecord],
) -> float | None:
    """Return the probability of a value by the member's own tokens; None if they do not tell."""
    alone = isinstance(testimony["replies"], Mapping)
    last = calls.get((_replies(testimony, entity) or [""])[-1])
    place = attribute if alone else f"{entity}/{attribute}"
    return last["chances"].get(place, {}).get(value) if last else None
