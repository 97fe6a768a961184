"""recognize: find the mentions, with exact spans, types and confidences."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, TypeAdapter, create_model

from deixis.agents.context.records import Kind, Mention
from deixis.agents.context.state import State, Update, decision, joined, notice
from deixis.agents.context.toolbox import Toolbox
from deixis.agents.main.called import called
from deixis.agents.main.correct import correct
from deixis.agents.main.template import templates_for
from deixis.agents.reading.given import given_mentions, named_as_given
from deixis.agents.reading.mention import TypedSpan, locate
from deixis.agents.reading.phrases import OBJECT
from deixis.errors import ToolError
from deixis.tools.tagger.base import TaggedSpan

MOST_MENTIONS = 60
_WEIGHED = TypeAdapter(tuple[list[TaggedSpan], list[TaggedSpan]])


def recognize(state: State, toolbox: Toolbox, prompt: str = "recognize", **more: object) -> Update:
    """Tag the text and make sure that every type found has a template, if these are used.

    Args:
        state: of the sample.
        toolbox: settings and models.
        prompt: what a chat model is asked.
        more: variables of that beside the types and the text.
    """
    text = state["text"]
    if (given := given_mentions(state)) is not None:
        named = named_as_given(given, text, "recognize", toolbox)
        return _with_templates(joined(named, _informed(named["mentions"], text, toolbox)), toolbox)
    rivals: list[TypedSpan] = []
    nouns: dict[tuple[int, int], str] = {}
    if toolbox.cast.recognizes_by_tagger:
        mentions, rivals, nouns, update = _by_tagger(text, toolbox)
        source = "the marginal probability of the span in the tagger, calibrated"
    else:
        mentions, update = _by_model(text, toolbox, prompt, more)
        source = "the model's own word, not calibrated"
    corrected, asked = correct(text, mentions, rivals, toolbox)
    update = {key: {**update.get(key, {}), **asked.get(key, {})} for key in ("calls", "notices")}
    replies = [key for key in update["calls"] if key.startswith("recognize/")]
    model, corrector = toolbox.model("recognizer"), toolbox.settings.roles.corrector
    records: dict[str, Mention] = {}
    kinds: dict[str, Kind] = {}
    decisions: Update = {}
    for number, (mention, first, reason) in enumerate(sorted(corrected), start=1):
        entity = f"e{number}"
        records[entity] = mention.of(text)
        decisions |= decision(
            entity,
            "recognize",
            "type",
            first.type,
            model=model,
            confidence=first.confidence,
            evidence=[f"confidence is {source}", *_explained(nouns.get(first[:2]))],
            replies=replies,
        )
        if reason:
            decisions |= decision(
                entity,
                "correct",
                "type",
                mention.type,
                model=corrector,
                confidence=mention.confidence,
                evidence=[reason],
                replies=list(asked.get("calls", {})),
            )
        fine_kinds, fine_decisions = _fine_type(entity, mention, toolbox)
        kinds |= fine_kinds
        decisions |= fine_decisions
    known = {"mentions": records, "kinds": kinds, "decisions": decisions}
    return _with_templates({**update, **known}, toolbox)


def _informed(mentions: Mapping[str, Mention], text: str, toolbox: Toolbox) -> Update:
    """Return mentions that were given with what a tagger knows of such: prior and fine type."""
    if not toolbox.cast.recognizes_by_tagger:
        return {}
    tagger = toolbox.tagger
    tags = {}
    for entity, mention in mentions.items():
        kind = toolbox.types.get(mention["type"])
        tag = kind.name if kind.name in tagger.types else kind.crf or ""
        tags[entity] = mention["start"], mention["end"], tag
    try:
        known = tagger.inform(text, list(tags.values()))
    except ToolError as error:
        message = f"nothing is known of how often such mentions are shown: {error}"
        return {"notices": notice("recognize", message)}
    informed = {}
    for entity, mention in mentions.items():
        prior, fine_type = known.get(tags[entity], (None, None))
        informed[entity] = {**mention, "prior": prior, "fine_type": fine_type}
    return {"mentions": informed}


def _with_templates(update: Update, toolbox: Toolbox) -> Update:
    """Return an update with the templates of the types that it has, if these are used."""
    types = [mention["type"] for mention in update["mentions"].values()]
    templates: Update = {}
    if toolbox.cast.uses("templater"):
        templates, update = templates_for(types, toolbox, update)
    return {**update, "templates": templates}


def _fine_type(entity: str, mention: TypedSpan, toolbox: Toolbox) -> tuple[Update, Update]:
    """Return the kind of an entity whose fine type its type in the schema has, and why."""
    owner, fine = toolbox.types.of_fine_type(mention.fine_type or "") or (None, "")
    if owner is None or owner.name != mention.type:
        return {}, {}
    return {entity: Kind(type=owner.name, fine_type=fine)}, decision(
        entity,
        "recognize",
        "fine_type",
        fine,
        model=toolbox.model("recognizer"),
        confidence=mention.fine_confidence,
        evidence=["the recognizer judged from the text alone; a vote may change it"],
    )


def _by_tagger(
    text: str, toolbox: Toolbox
) -> tuple[list[TypedSpan], list[TypedSpan], dict[tuple[int, int], str], dict[str, Update]]:
    """Return what the tagger takes for mentions and what it turned down; nothing if it fails.

    What it doubts and the word before it explains is a mention, too: that word is told.
    """
    tagger = toolbox.tagger
    digest: str = getattr(tagger, "digest", "")
    try:
        chosen, weighed = toolbox.recognized.get_or_find(
            digest, text, lambda: tagger.weigh(text), _WEIGHED.validate_python
        )
    except ToolError as error:
        return [], [], {}, {"notices": notice("recognize", f"no mention was looked for: {error}")}
    names = called(text, chosen, weighed)
    rest = [span for span in weighed if span not in names]
    mentions = _typed(sorted([*chosen, *names]), toolbox)
    return mentions, _typed(rest, toolbox), {span[:2]: noun for span, noun in names.items()}, {}


def _explained(noun: str | None) -> list[str]:
    return [f"it is doubtful, but the word before says what it is: {noun!r}"] if noun else []


def _typed(spans: list[TaggedSpan], toolbox: Toolbox) -> list[TypedSpan]:
    """Give spans of a tagger the type that has their fine type, or the first they may be."""
    mentions = []
    for span in spans:
        types = toolbox.types.of_tag(span.type)
        if types:  # a tag for which the schema has no type is not looked for
            owner, _ = toolbox.types.of_fine_type(span.fine_type or "") or (None, "")
            kind = owner if owner in types else types[0]
            mention = TypedSpan(
                span.start,
                span.end,
                kind.name,
                span.confidence,
                span.shown_prior,
                span.fine_type,
                span.fine_confidence,
            )
            mentions.append(mention)
    return mentions


def _by_model(
    text: str, toolbox: Toolbox, name: str, more: dict[str, object]
) -> tuple[list[TypedSpan], Update]:
    """Ask a chat model; spans are computed here, and text that is not there is dropped."""
    spec = toolbox.model("recognizer")
    prompt = toolbox.render(name, types=toolbox.types.types, text=text, **more)
    reply, update = toolbox.ask("recognize", "recognizer", spec, prompt, _entities(toolbox))
    notices = dict(update["notices"])
    mentions: list[TypedSpan] = []
    for item in reply.value.entities if reply.value else []:  # type: ignore[attr-defined]
        span = locate(text, item.text, [(mention.start, mention.end) for mention in mentions])
        if span is None:
            notices |= notice("recognize", f"the recognizer named {item.text!r}, not in the text")
        else:
            mentions.append(TypedSpan(*span, item.type, item.confidence, None))
    return mentions, {**update, "notices": notices}


def _entities(toolbox: Toolbox) -> type[BaseModel]:
    types = tuple(entity_type.name for entity_type in toolbox.types.types)
    of_item: dict[str, Any] = {
        "text": (Annotated[str, Field(min_length=1, max_length=200)], ...),
        "type": (Literal[types], ...),
        "confidence": (Annotated[float, Field(ge=0, le=1, strict=True)], ...),
    }
    item = create_model("Item", __config__=OBJECT, **of_item)
    listed = Annotated[list[item], Field(max_length=MOST_MENTIONS)]  # type: ignore[valid-type]
    of_all: dict[str, Any] = {"entities": (listed, ...)}
    return create_model("Entities", __config__=OBJECT, **of_all)
