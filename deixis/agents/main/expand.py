"""expand: write the referring expression of every entity, in one call per sample.

The form is *Named Entity (Type) - expression* (RiVEG, section IV-B.2).
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from pydantic import BaseModel, create_model

from deixis.agents.context.records import Mention
from deixis.agents.context.state import State, Update, caption_of, decision, type_of
from deixis.agents.context.toolbox import Toolbox
from deixis.agents.main.asked import NOT_SHOWN, asked_about
from deixis.agents.main.ballot import normalise
from deixis.agents.main.nonsense import names, repeats
from deixis.agents.reading.phrases import DASH, OBJECT, phrase
from deixis.llms.structured import Reply


def expand(state: State, toolbox: Toolbox) -> Update:
    """Ask the expander for one phrase per name; where there is none, the type's description serves.

    A phrase that `fault_of` finds something wrong with is no phrase.
    """
    mentions = state["mentions"]
    if not mentions:
        return {}
    spec = toolbox.settings.roles.expander
    types = {entity: type_of(state, entity) for entity in mentions}
    groups = asked_about(state)
    phrases: dict[str, str] = {}
    update: Update = {"calls": {}}
    silence = "there is no expander"
    if spec is not None and groups:
        reply, update = _ask(spec, list(groups), types, state, toolbox)
        phrases = reply.value.model_dump() if reply.value else {}
        silence = f"no phrase ({reply.status})"
    head_of = {entity: head for head, group in groups.items() for entity in group}
    expressions: dict[str, str] = {}
    decisions: Update = {}
    for entity, mention in mentions.items():
        about = _about(types[entity], mention["type"], state, toolbox)
        head = head_of.get(entity)
        written = phrases.get(head or "", "")
        fault = fault_of(written, entity, mentions) if written else silence if head else NOT_SHOWN
        expressions[entity] = (
            f"{mention['text']} ({types[entity]}){DASH}{about if fault else written}"
        )
        decisions |= decision(
            entity,
            "expand",
            "expression",
            expressions[entity],
            model=None if fault else spec,
            evidence=[f"{fault}; the type's description serves"] if fault else [],
            replies=list(update["calls"]) if head else [],
        )
    return {**update, "expressions": expressions, "decisions": decisions}


def fault_of(phrase: str, entity: str, mentions: Mapping[str, Mention]) -> str | None:
    """Say what is wrong with the phrase for an entity, None if nothing that can be told.

    A name says nothing of how something looks, neither its own nor another of the text.
    """
    if normalise(phrase) == normalise(mentions[entity]["text"]):
        return "the phrase only repeats the name"
    for other, mention in mentions.items():
        if names(mention["text"], phrase):
            named = "it" if other == entity else f"something else, {mention['text']!r}"
            return f"the phrase {phrase!r} names {named}"
    if repeats(phrase):
        return f"the phrase {phrase!r} says one thing twice"
    return None


def _ask(
    spec: str, asked: Sequence[str], types: Mapping[str, str], state: State, toolbox: Toolbox
) -> tuple[Reply[BaseModel], Update]:
    """Ask the expander about some entities, with all that is known of them."""
    knowledge = state.get("knowledge", {})
    entities = [
        {
            "id": entity,
            "text": state["mentions"][entity]["text"],
            "type": types[entity],
            "known": knowledge.get(entity, {}).get("summary") or "",
        }
        for entity in asked
    ]
    prompt = toolbox.render(
        "expand", entities=entities, caption=caption_of(state), text=state["text"]
    )
    return toolbox.ask("expand", "expander", spec, prompt, _phrases(tuple(asked)))


@lru_cache(maxsize=512)
def _phrases(entities: tuple[str, ...]) -> type[BaseModel]:
    """Build the reply's schema: one phrase per entity."""
    fields: dict[str, Any] = dict.fromkeys(entities, (phrase(12, least_words=2), ...))
    return create_model("Expressions", __config__=OBJECT, **fields)


def _about(kind: str, recognized: str, state: State, toolbox: Toolbox) -> str:
    """Describe a type: by its template, which one that was voted for may not have got."""
    templates, given = state["templates"], toolbox.types.get(kind)
    template = templates.get(given.template) or templates[toolbox.types.get(recognized).template]
    return str(template["about"])
