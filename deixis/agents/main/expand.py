"""expand: write the referring expression of every entity, in one call per sample.

The form is *Named Entity (Type) - expression* (RiVEG, section IV-B.2).
"""

from functools import lru_cache
from typing import Any

from pydantic import BaseModel, create_model

from deixis.agents.context.state import State, Update, caption_of, decision, type_of
from deixis.agents.context.toolbox import Toolbox
from deixis.agents.main.ballot import normalise
from deixis.agents.reading.phrases import DASH, OBJECT, phrase
from deixis.llms.structured import Reply


def expand(state: State, toolbox: Toolbox) -> Update:
    """Ask the expander for one phrase per entity; without one, the type's description serves."""
    mentions = state["mentions"]
    if not mentions:
        return {}
    spec = toolbox.settings.roles.expander
    types = {entity: type_of(state, entity) for entity in mentions}
    phrases: dict[str, str] = {}
    update: Update = {"calls": {}}
    silence = "there is no expander"
    if spec is not None:
        reply, update = _ask(spec, types, state, toolbox)
        phrases = reply.value.model_dump() if reply.value else {}
        silence = f"no phrase ({reply.status})"
    expressions: dict[str, str] = {}
    decisions: Update = {}
    for entity, mention in mentions.items():
        about = _about(types[entity], mention["type"], state, toolbox)
        written = phrases.get(entity, "")
        reason = silence
        if written and normalise(written) == normalise(mention["text"]):
            written, reason = "", "the phrase only repeats the name"
        expressions[entity] = f"{mention['text']} ({types[entity]}){DASH}{written or about}"
        decisions |= decision(
            entity,
            "expand",
            "expression",
            expressions[entity],
            model=spec if written else None,
            evidence=[] if written else [f"{reason}; the type's description serves"],
            replies=list(update["calls"]),
        )
    return {**update, "expressions": expressions, "decisions": decisions}


def _ask(
    spec: str, types: dict[str, str], state: State, toolbox: Toolbox
) -> tuple[Reply[BaseModel], Update]:
    """Ask the expander, with all that is known of the entities."""
    knowledge = state.get("knowledge", {})
    entities = [
        {
            "id": entity,
            "text": mention["text"],
            "type": types[entity],
            "known": knowledge.get(entity, {}).get("summary") or "",
        }
        for entity, mention in state["mentions"].items()
    ]
    prompt = toolbox.render(
        "expand", entities=entities, caption=caption_of(state), text=state["text"]
    )
    return toolbox.ask("expand", "expander", spec, prompt, _phrases(tuple(types)))


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
