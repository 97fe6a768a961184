"""expand: write the referring expression of every entity, in one call a sample.

The form is *Named Entity (Type) - expression* (RiVEG, section IV-B.2).
"""

from functools import lru_cache
from typing import Any

from pydantic import BaseModel, create_model

from deixis.agents.context.state import State, Update, decision
from deixis.agents.context.toolbox import Toolbox
from deixis.agents.main.ballot import normalise
from deixis.agents.reading.phrases import DASH, OBJECT, phrase


def expand(state: State, toolbox: Toolbox) -> Update:
    """Ask for a phrase an entity; where there is none, its visual knowledge serves."""
    mentions = state["mentions"]
    if not mentions:
        return {}
    spec = toolbox.model("expander")
    known = {
        entity: each.get("summary") or "" for entity, each in state.get("knowledge", {}).items()
    }
    voted = {entity: each.get("type") for entity, each in state.get("kinds", {}).items()}
    kinds = {entity: voted.get(entity) or each["type"] for entity, each in mentions.items()}
    entities = [
        {
            "id": entity,
            "text": each["text"],
            "type": kinds[entity],
            "known": known.get(entity, ""),
        }
        for entity, each in mentions.items()
    ]
    caption = (state.get("observation") or {}).get("caption") or ""
    prompt = toolbox.render("expand", entities=entities, caption=caption, text=state["text"])
    reply, update = toolbox.ask("expand", "expander", spec, prompt, _answer(tuple(mentions)))
    phrases = reply.value.model_dump() if reply.value else {}
    expressions: dict[str, str] = {}
    decisions: Update = {}
    for entity, mention in mentions.items():
        about = _about(kinds[entity], mention["type"], state, toolbox)
        written = phrases.get(entity, "")
        reason = f"no phrase ({reply.status})"
        if written and normalise(written) == normalise(mention["text"]):
            written, reason = "", "the phrase only repeats the name"
        expressions[entity] = f"{mention['text']} ({kinds[entity]}){DASH}{written or about}"
        said = [] if written else [f"{reason}; the type's description serves"]
        decisions |= decision(
            entity,
            "expand",
            "expression",
            expressions[entity],
            model=spec if written else None,
            evidence=said,
            replies=list(update["calls"]),
        )
    return {**update, "expressions": expressions, "decisions": decisions}


@lru_cache(maxsize=512)
def _answer(entities: tuple[str, ...]) -> type[BaseModel]:
    """Build the reply's schema: a phrase an entity."""
    fields: dict[str, Any] = dict.fromkeys(entities, (phrase(12, least_words=2), ...))
    return create_model("Expressions", __config__=OBJECT, **fields)


def _about(kind: str, recognized: str, state: State, toolbox: Toolbox) -> str:
    """Describe a type: by its template, which one that was voted for may not have got."""
    templates, given = state["templates"], toolbox.types.get(kind)
    template = templates.get(given.template) or templates[toolbox.types.get(recognized).template]
    return str(template["about"])
