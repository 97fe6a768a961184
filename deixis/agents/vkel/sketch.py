"""sketch: the first stage, a coarse sketch of the entities (VKEL, section III-C.1).

The model is shown picture and text and writes *X is a(an) person; Y is a(an) location.* It is the
``sketcher``, or else the ``vlm``, as in the paper, which trains one adapter for each stage.
"""

from collections.abc import Sequence

from deixis.agents.context.state import State, Update, joined
from deixis.agents.context.toolbox import Toolbox
from deixis.agents.main.template import templates_for
from deixis.agents.reading.answers import located, mentioned, unread
from deixis.agents.reading.given import given_mentions, named_as_given
from deixis.agents.vkel.options import VkelOptions
from deixis.agents.vkel.read import read
from deixis.llms.answers.reading import Text


def sketch(state: State, toolbox: Toolbox) -> Update:
    """Ask for the sketch, and make sure that every type found has a template.

    Mentions that are given are the sketch; without a first stage there is none.
    """
    text = state["text"]
    given = given_mentions(state)
    if given is not None:
        named = named_as_given(given, text, "sketch", toolbox)
        return _with_templates(named, [mention.type for mention in given], toolbox)
    if not toolbox.graph_options(VkelOptions).sketch:
        return {}
    role = "sketcher" if toolbox.settings.roles.sketcher else "vlm"
    spec = toolbox.model(role)
    images, noted = toolbox.shown(state, "sketch", spec)
    prompt = toolbox.render("vkel/sketch", types=toolbox.types.types, text=text)
    reply, update = toolbox.ask("sketch", role, spec, prompt, Text, images=images)
    parsed = read(reply.value.text if reply.value else "", toolbox.types)
    entities, dropped = located(text, parsed.entities, "sketch", toolbox)
    named = mentioned(
        text,
        entities,
        "sketch",
        spec,
        toolbox,
        confidences=[1.0] * len(entities),
        evidence="the model named it; it does not say how sure it is",
        replies=list(update["calls"]),
    )
    notices = {"notices": {**noted, **unread(parsed.problems, "sketch"), **dropped}}
    types = [entity.type for entity in entities]
    return _with_templates(joined(update, notices, named), types, toolbox)


def _with_templates(update: Update, types: Sequence[str], toolbox: Toolbox) -> Update:
    """Return an update with the templates of types, if somebody is asked how they look."""
    if not toolbox.cast.uses("templater"):
        return update
    templates, update = templates_for(types, toolbox, update)
    return {**update, "templates": templates}
