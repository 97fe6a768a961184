"""recognize: find the mentions, with exact spans, types and confidences."""

from typing import Annotated, Any, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, create_model

from deixis.agents.state import State, Update, decision, notice
from deixis.agents.template import template_for
from deixis.agents.toolbox import Toolbox

MOST_MENTIONS = 60


class Mention(NamedTuple):
    """A mention found: half-open characters, type, confidence, chance to be shown."""

    start: int
    end: int
    type: str
    confidence: float
    prior: float | None


def recognize(state: State, toolbox: Toolbox) -> Update:
    """Tag the text and make sure that every type found has a template."""
    text = state["text"]
    update: Update
    if toolbox.recognizes_by_tagger:
        mentions, update = _by_tagger(text, toolbox), {"notices": {}}
        source = "the marginal probability of the span in the tagger, calibrated"
    else:
        mentions, update = _by_model(text, toolbox)
        source = "the model's own word, not calibrated"
    model = toolbox.settings.roles.recognizer
    found: dict[str, dict[str, Any]] = {}
    decisions: Update = {}
    templates: dict[str, dict[str, Any]] = {}
    for number, mention in enumerate(sorted(mentions), start=1):
        entity = f"e{number}"
        found[entity] = {**mention._asdict(), "text": text[mention.start : mention.end]}
        decisions |= decision(
            entity,
            "recognize",
            "type",
            mention.type,
            model=model,
            confidence=mention.confidence,
            evidence=[f"confidence is {source}"],
        )
        given = toolbox.types.get(mention.type)
        if given.template not in templates:
            template, update = template_for(given, toolbox, update)
            templates[given.template] = template.model_dump(mode="json")
    return {**update, "mentions": found, "templates": templates, "decisions": decisions}


def _by_tagger(text: str, toolbox: Toolbox) -> list[Mention]:
    """Tag with the shipped recognizer; its tags become the first type that they may be."""
    mentions = []
    for span in toolbox.tagger.tag(text):
        types = toolbox.types.of_tag(span.type)
        if types:  # a tag for which the schema has no type is not looked for
            mention = Mention(
                span.start, span.end, types[0].name, span.confidence, span.shown_prior
            )
            mentions.append(mention)
    return mentions


def _by_model(text: str, toolbox: Toolbox) -> tuple[list[Mention], Update]:
    """Ask a chat model; spans are computed here, and text that is not there is dropped."""
    spec = toolbox.settings.roles.recognizer
    prompt = toolbox.render("recognize", types=toolbox.types.types, text=text)
    reply, update = toolbox.ask("recognize", "recognizer", spec, prompt, _answer(toolbox))
    notices = dict(update["notices"])
    mentions: list[Mention] = []
    for item in reply.value.entities if reply.value else []:  # type: ignore[attr-defined]
        span = locate(text, item.text, [(each.start, each.end) for each in mentions])
        if span is None:
            notices |= notice("recognize", f"the recognizer named {item.text!r}, not in the text")
        else:
            mentions.append(Mention(*span, item.type, item.confidence, None))
    return mentions, {**update, "notices": notices}


def _answer(toolbox: Toolbox) -> type[BaseModel]:
    types = tuple(each.name for each in toolbox.types.types)
    forbid = ConfigDict(extra="forbid")
    of_item: dict[str, Any] = {
        "text": (Annotated[str, Field(min_length=1, max_length=200)], ...),
        "type": (Literal[types], ...),
        "confidence": (Annotated[float, Field(ge=0, le=1)], ...),
    }
    item = create_model("Item", __config__=forbid, **of_item)
    listed = Annotated[list[item], Field(max_length=MOST_MENTIONS)]  # type: ignore[valid-type]
    of_all: dict[str, Any] = {"entities": (listed, ...)}
    return create_model("Entities", __config__=forbid, **of_all)


def locate(text: str, wanted: str, taken: list[tuple[int, int]]) -> tuple[int, int] | None:
    """Find `wanted` in the text outside the spans taken: exactly, else whatever its case.

    Whole words come before parts of words, so that US is not found in MUSIC.

    Returns:
        Half-open character offsets, or None when it is not there (any more).
    """
    wanted = wanted.strip()
    # Lower-casing may change a string's length ("İ"), which would shift every offset.
    folded = (text.lower(), wanted.lower()) if len(text.lower()) == len(text) else (text, wanted)
    for whole in (True, False):
        for haystack, needle in ((text, wanted), folded):
            start = haystack.find(needle) if needle else -1
            while start >= 0:
                end = start + len(needle)
                free = all(end <= s or e <= start for s, e in taken)
                if free and not (whole and (_cuts(text, start) or _cuts(text, end))):
                    return start, end
                start = haystack.find(needle, start + 1)
    return None


def _cuts(text: str, place: int) -> bool:
    """Whether a word of the text goes on across this place."""
    return text[max(place - 1, 0) : place + 1].isalnum() and 0 < place < len(text)
