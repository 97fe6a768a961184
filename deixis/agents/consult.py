"""consult: ask one committee member how every entity of the sample looks, in one call."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, create_model

from deixis.agents.phrases import phrase
from deixis.agents.state import MemberTask, State, Update
from deixis.agents.toolbox import Toolbox

UNKNOWN = "unknown"
MOST_WORDS = 6


def member_tasks(state: State, members: int) -> list[MemberTask]:
    """Return one task a committee member, none when the text has no mention."""
    if not state["mentions"]:
        return []
    return [
        MemberTask(
            member=number,
            text=state["text"],
            mentions=state["mentions"],
            templates=state["templates"],
        )
        for number in range(members)
    ]


def consult(task: MemberTask, toolbox: Toolbox) -> Update:
    """Ask one member (VKEL, equation 5); a member that cannot answer abstains."""
    committee, seat = toolbox.settings.roles.committee, task["member"]
    spec = committee[seat]
    sample = committee[:seat].count(spec)  # one model asked several times: self-consistency
    entities = []
    for entity, mention in task["mentions"].items():
        given = toolbox.types.get(mention["type"])
        template = task["templates"][given.template]
        entities.append(
            {
                "id": entity,
                "text": mention["text"],
                "about": template["about"],
                "template": given.template,
                "attributes": template["attributes"],
                "fine_types": [
                    fine
                    for each in toolbox.types.alternatives(mention["type"])
                    for fine in each.fine_types
                ],
            }
        )
    used = {each["template"]: each for each in entities}
    templates = [{"type": name, "attributes": each["attributes"]} for name, each in used.items()]
    prompt = toolbox.render("consult", templates=templates, mentions=entities, text=task["text"])
    reply, update = toolbox.ask(
        "consult", "committee", spec, prompt, _answer(entities), task["member"], sample
    )
    testimony = {
        "model": spec,
        "status": reply.status,
        "detail": reply.detail,
        "answers": reply.value.model_dump() if reply.value else {},
    }
    return {**update, "testimonies": {f"m{task['member'] + 1}": testimony}}


def _answer(entities: list[dict[str, Any]]) -> type[BaseModel]:
    """Build the reply's schema: an object an entity id, a string an attribute.

    Ids and closed values are part of the schema, so a model cannot invent any.
    """
    forbid = ConfigDict(extra="forbid")
    fields: dict[str, Any] = {}
    for entity in entities:
        asked: dict[str, Any] = {}
        for attribute in entity["attributes"]:
            values = attribute["values"]
            kind = Literal[(*values, UNKNOWN)] if values else phrase(MOST_WORDS)
            asked[attribute["name"]] = (kind, ...)
        if entity["fine_types"]:
            asked["fine_type"] = (Literal[(*entity["fine_types"], UNKNOWN)], ...)
        fields[entity["id"]] = (create_model(entity["id"], __config__=forbid, **asked), ...)
    return create_model("Testimony", __config__=forbid, **fields)
