"""consult_each: ask one committee member how the entities look, in one call per entity."""

from functools import lru_cache
from typing import Any

from deixis.agents.context.records import MemberTask, SingleTestimony
from deixis.agents.context.state import Update, joined
from deixis.agents.context.toolbox import Toolbox
from deixis.agents.main.consult import name_of, testimony_on
from deixis.agents.vkel.one_by_one import one_by_one
from deixis.llms.structured import Reply

MOST_WORDS = 12
_answer = lru_cache(maxsize=512)(testimony_on)


def consult_each(task: MemberTask, toolbox: Toolbox) -> Update:
    """Ask one member (VKEL, equation 5); it abstains on the entities it gives no answer on."""
    committee, member = toolbox.settings.roles.committee, task["member"]
    spec, mentions = committee[member], task["mentions"]
    sample = committee[:member].count(spec)  # one model asked several times: self-consistency

    def ask(_: int, entity: str) -> tuple[Reply[Any], Update]:
        given = toolbox.types.get(mentions[entity]["type"])
        template = task["templates"][given.template]
        prompt = toolbox.render(
            "vkel/member",
            name=mentions[entity]["text"],
            type=given.name,
            about=template["about"],
            attributes=template["attributes"],
            fine_types=given.fine_types,
            text=task["text"],
        )
        asked = tuple((own["name"], tuple(own["values"])) for own in template["attributes"])
        # Of one name for all entities, so that what is asked twice is answered from the cache.
        answer = _answer("Testimony", asked, given.fine_types, MOST_WORDS)
        # A number of its own for every question, also where others are asked about more.
        seat = member * len(task["places"]) + task["places"][entity]
        return toolbox.ask("consult_each", "committee", spec, prompt, answer, seat, sample)

    testimony = SingleTestimony(model=spec, answers={}, abstained={}, replies={})
    answers = one_by_one(ask, mentions)
    for entity, (reply, new) in zip(mentions, answers, strict=True):
        testimony["replies"][entity] = list(new["calls"])
        if reply.value is None:
            testimony["abstained"][entity] = f"{reply.status}, {reply.detail}"
        else:
            testimony["answers"][entity] = reply.value.model_dump()
    update = joined(*(new for _, new in answers))
    return {**update, "testimonies": {name_of(member): testimony}}
