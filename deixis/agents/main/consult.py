"""consult: ask one committee member how every entity of the sample looks, in one call.

Mentions of one name are one question, whose answer holds for all of them.
"""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any, Literal

from pydantic import BaseModel, create_model

from deixis.agents.context.records import MemberTask, Testimony
from deixis.agents.context.state import State, Update, description_of
from deixis.agents.context.toolbox import Toolbox
from deixis.agents.reading.phrases import OBJECT, phrase
from deixis.llms.asking import Joint
from deixis.prompts import Prompt

UNKNOWN = "unknown"
MOST_WORDS = 6


def member_tasks(
    state: State, members: int, about: Iterable[str] | None = None
) -> list[MemberTask]:
    """Return one task per committee member, none when there is nothing to ask about.

    Args:
        state: of the sample.
        members: how many there are.
        about: ids of the entities that are asked about; None for all.
    """
    mentions = state["mentions"]
    if about is not None:
        mentions = {entity: mentions[entity] for entity in about}
    if not mentions:
        return []
    return [
        MemberTask(
            member=number,
            places={entity: place for place, entity in enumerate(state["mentions"])},
            text=state["text"],
            caption=description_of(state),
            mentions=mentions,
            templates=state["templates"],
        )
        for number in range(members)
    ]


def name_of(seat: int) -> str:
    """Return the name of the testimony of a seat, which is counted from 0."""
    return f"m{seat + 1}"


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
                "template": toolbox.types.kind(given.name),
                "attributes": template["attributes"],
                "fine_types": toolbox.types.fine_types(given.name),
            }
        )

    def question(posts: Sequence[Any]) -> tuple[Prompt, type[BaseModel]]:
        return _question(toolbox, posts)

    post = {"text": task["text"], "caption": task["caption"], "mentions": entities}
    reply, update = toolbox.ask(
        "consult", "committee", spec, *question([post]), seat, sample, Joint(post, question)
    )
    testimony = Testimony(
        model=spec,
        status=reply.status,
        detail=reply.detail,
        answers=reply.value.model_dump() if reply.value else {},
        replies=list(update["calls"]),
    )
    return {**update, "testimonies": {name_of(seat): testimony}}


def _question(toolbox: Toolbox, posts: Sequence[Any]) -> tuple[Prompt, type[BaseModel]]:
    """Ask about the entities of one post by their ids, of several by ``p1_ID``, ``p2_ID``, ..."""
    posts = named_apart(posts, "mentions")
    entities = [entity for post in posts for entity in post["mentions"]]
    used = {entity["template"]: entity for entity in entities}
    known = dict.fromkeys(toolbox.types.kind(given.name) for given in toolbox.types.types)
    # In the order of the schema: prompts of different posts begin alike.
    templates = [
        {
            "type": name,
            "attributes": used[name]["attributes"],
            "fine_types": used[name]["fine_types"],
        }
        for name in known
        if name in used
    ]
    prompt = toolbox.render("consult", templates=templates, posts=posts)
    fields = tuple(
        (
            entity["id"],
            entity["template"],
            tuple((asked["name"], tuple(asked["values"])) for asked in entity["attributes"]),
            tuple(entity["fine_types"]),
        )
        for entity in entities
    )
    return prompt, _testimony(fields)


def named_apart(posts: Sequence[Any], entities: str) -> Sequence[Any]:
    """Return posts in which no id stands twice: the number of its post stands before it.

    One post alone keeps its ids. `entities` is the key of a post under which they are listed.
    """
    if len(posts) == 1:
        return posts
    return [
        {**post, entities: [{**own, "id": f"p{number}_{own['id']}"} for own in post[entities]]}
        for number, post in enumerate(posts, start=1)
    ]


@lru_cache(maxsize=512)
def _testimony(entities: tuple[Any, ...]) -> type[BaseModel]:
    """Build the reply's schema: one object per entity id, which `testimony_on` describes.

    Entities that are asked the same share a definition: the schema is shorter, and those of
    different posts begin alike.
    """
    fields: dict[str, Any] = {entity: (_shared(*asked), ...) for entity, *asked in entities}
    return create_model("Testimony", __config__=OBJECT, **fields)


def testimony_on(
    name: str,
    attributes: tuple[tuple[str, tuple[str, ...]], ...],
    fine_types: tuple[str, ...],
    most_words: int = MOST_WORDS,
) -> type[BaseModel]:
    """Build the schema of what is asked about one entity: one string per attribute.

    Closed values are part of the schema, so a model cannot invent any.

    Args:
        name: of the object asked for.
        attributes: names with their values, none for a free one.
        fine_types: those it may be of.
        most_words: of the value of a free attribute.
    """
    asked: dict[str, Any] = {
        attribute: (Literal[(*values, UNKNOWN)] if values else phrase(most_words), ...)
        for attribute, values in attributes
    }
    if fine_types:
        asked["fine_type"] = (Literal[(*fine_types, UNKNOWN)], ...)
    return create_model(name, __config__=OBJECT, **asked)


_shared = lru_cache(maxsize=512)(testimony_on)
