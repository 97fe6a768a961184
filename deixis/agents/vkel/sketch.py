"""sketch: the first stage, a coarse sketch of the entities (VKEL, section III-C.1).

The model is shown picture and text and writes *X is a(an) person; Y is a(an) location.*
"""

import re

from deixis.agents.answers import joined, located, mentioned, unread
from deixis.agents.state import State, Update
from deixis.agents.template import template_for
from deixis.agents.toolbox import Toolbox
from deixis.formats import vkel
from deixis.llms.structured import Text


def sketch(state: State, toolbox: Toolbox) -> Update:
    """Ask for the sketch, and make sure that every type found has a template."""
    text, spec = state["text"], toolbox.model("vlm")
    images, noted = toolbox.shown(state, "sketch", spec)
    prompt = toolbox.render("vkel/sketch", types=toolbox.types.types, text=text)
    reply, update = toolbox.ask("sketch", "vlm", spec, prompt, Text, images=images)
    parsed = vkel.parse(tolerated(reply.value.text if reply.value else "", toolbox))
    found, dropped = located(text, parsed.entities, "sketch", toolbox)
    named = mentioned(
        text,
        found,
        "sketch",
        spec,
        toolbox,
        confidences=[1.0] * len(found),
        evidence="the model named it; it does not say how sure it is",
        replies=list(update["calls"]),
    )
    templates = {}
    for each in found:
        given = toolbox.types.get(each.type)
        if given.template not in templates:
            template, update = template_for(given, toolbox, update)
            templates[given.template] = template.model_dump(mode="json")
    notices = {"notices": {**noted, **unread(parsed.problems, "sketch"), **dropped}}
    return joined(update, notices, named, {"templates": templates})


def tolerated(answer: str, toolbox: Toolbox) -> str:
    """Return an answer as the format has it: a model not trained on it writes *is an actor*.

    Bullets before the sketches go, and *a* or *an* before a type of the schema is *a(an)*.
    """
    known = toolbox.types.types
    words = {word for each in known for word in (each.name, each.template, *each.fine_types)}
    types = "|".join(re.escape(word) for word in sorted(words))
    answer = re.sub(r"^\s*[-*•]\s+", "", answer, flags=re.MULTILINE)
    return re.sub(rf"\b(is|and) an? ({types})\b", r"\1 a(an) \2", answer, flags=re.IGNORECASE)
