"""sketch: the first stage, a coarse sketch of the entities (VKEL, section III-C.1).

The model is shown picture and text and writes *X is a(an) person; Y is a(an) location.*
"""

import re
from collections.abc import Sequence

from deixis.agents.context.state import State, Update, joined
from deixis.agents.context.toolbox import Toolbox
from deixis.agents.main.template import templates_for
from deixis.agents.reading.answers import located, mentioned, unread
from deixis.agents.reading.given import given_mentions, named_as_given
from deixis.agents.vkel.options import VkelOptions
from deixis.base.folding import key
from deixis.formats import vkel
from deixis.formats.answers import Parsed
from deixis.llms.answers.reading import Text
from deixis.rows import RowEntity
from deixis.type_schema import EntityType, TypeSchema


def sketch(state: State, toolbox: Toolbox) -> Update:
    """Ask for the sketch, and make sure that every type found has a template.

    Mentions that are given are the sketch; without a first stage there is none.
    """
    text, spec = state["text"], toolbox.model("vlm")
    given = given_mentions(state)
    if given is not None:
        named = named_as_given(given, text, "sketch", toolbox)
        return _with_templates(named, [mention.type for mention in given], toolbox)
    if not toolbox.graph_options(VkelOptions).sketch:
        return {}
    images, noted = toolbox.shown(state, "sketch", spec)
    prompt = toolbox.render("vkel/sketch", types=toolbox.types.types, text=text)
    reply, update = toolbox.ask("sketch", "vlm", spec, prompt, Text, images=images)
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


def read(answer: str, types: TypeSchema) -> Parsed:
    """Read the answer of either stage; a fine type alone brings its type along."""
    parsed = vkel.parse(_tolerated(answer, types.types))
    return parsed._replace(entities=tuple(_whole(entity, types) for entity in parsed.entities))


def folded(words: str) -> str:
    """Return words without case, spelling and white space, by which they are compared."""
    return "".join(key(words).split())


def _whole(entity: RowEntity, types: TypeSchema) -> RowEntity:
    if entity.fine_type is not None or types.named(entity.type) is not None:
        return entity
    owner, fine = types.of_fine_type(entity.type) or (None, None)
    return entity.model_copy(update={"type": owner.name, "fine_type": fine}) if owner else entity


def _tolerated(answer: str, known: Sequence[EntityType]) -> str:
    """Return an answer as the format has it: a model not trained on it writes *is an actor*.

    Bullets before the sketches go, *a* or *an* before a type of the schema is *a(an)*, one
    *bounding box is* as good as several, and a full stop between two sketches is a semicolon.
    """
    words = {word for kind in known for word in (kind.name, kind.template, *kind.fine_types)}
    words |= {word.replace("_", " ") for word in words}
    types = "|".join(re.escape(word) for word in sorted(words))
    answer = re.sub(r"^\s*[-*•]\s+", "", answer, flags=re.MULTILINE)
    answer = re.sub(r"\bwhose bounding box is\b", "whose bounding boxes are", answer)
    typed = rf"\b(is|and) an? ({types})(?!\w)"
    answer = re.sub(typed, r"\1 a(an) \2", answer, flags=re.IGNORECASE)
    ended = rf"(a\(an\) (?:{types})|[)\]]|\bNone)\.[ \t]+(?=[^;\n]*? is a\(an\) )"
    return re.sub(ended, r"\1; ", answer, flags=re.IGNORECASE)
