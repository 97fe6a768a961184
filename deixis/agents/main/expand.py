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


def expand(state: State, toolbox: Toolbox) -> Update:
    """Ask for one phrase per entity; where there is none, its visual knowledge serves."""
    mentions = state["mentions"]
    if not mentions:
        return {}
    spec = toolbox.model("expander")
    knowledge = state.get("knowledge", {})
    types = {entity: type_of(state, entity) for entity in mentions}
    prompt = toolbox.render(
        "expand",
        entities=[
            {
                "id": entity,
                "text": mention["text"],
                "type": types[entity],
                "known": knowledge.get(entity, {}).get("summary") or "",
            }
            for entity, mention in mentions.items()
        ],
        caption=caption_of(state),
        text=state["text"],
    )
    reply, update = toolbox.ask("expand", "expander", spec, prompt, _phrases(tuple(mentions)))
    phrases = reply.value.model_dump() if reply.value else {}
    expressions: dict[str, str] = {}
    decisions: Update = {}
    for entity, mention in mentions.items():
        about = _about(types[entity], mention["type"], state, toolbox)
        written = phrases.get(entity, "")
        reason = f"no phrase ({reply.status})"
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
