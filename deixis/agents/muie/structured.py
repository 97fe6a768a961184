"""Replies held to a schema: what is asked for, and what it says."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Annotated, Any

from pydantic import BaseModel, Field, WithJsonSchema, create_model

from deixis.agents.context.media_records import Medium
from deixis.agents.muie.pairing import Looking
from deixis.agents.muie.said import LONGEST_NAME, Happened, Labels, Linked, Named, Said
from deixis.agents.reading.phrases import OBJECT
from deixis.agents.reading.tasks import MuieTask
from deixis.base.printable import one_line
from deixis.type_schema import TypeSchema

MOST_ITEMS = 60
"""Entities, relations or events of a reply."""
_NAME = Annotated[str, Field(max_length=LONGEST_NAME)]


def answer_for(task: MuieTask, types: TypeSchema, media: Sequence[Medium]) -> type[BaseModel]:
    """Build the object asked for: entities and, for the other tasks, what they stand in.

    Labels are asked for as the schema has them, and read whatever they are.

    Args:
        task: what is asked for.
        types: the labels.
        media: those in which an entity may be looked for; each is a field of an entity.
    """
    names: dict[MuieTask, list[str]] = {
        "ner": [name for kind in types.types for name in kind.fine_types or [kind.name]],
        "re": [relation.name for relation in types.relations],
        "ee": [event.name for event in types.events],
    }
    roles = dict.fromkeys(role for event in types.events for role in event.roles)
    return _answer(task, tuple(names[task]), tuple(roles), tuple(media))


@lru_cache(maxsize=64)
def _answer(
    task: MuieTask, labels: tuple[str, ...], roles: tuple[str, ...], media: tuple[Medium, ...]
) -> type[BaseModel]:
    label = _one_of(labels)
    typed: dict[str, Any] = {"type": (label, ...)} if task == "ner" else {}
    phrases: dict[str, Any] = dict.fromkeys(media, (_NAME | None, ...))
    entities = _listed("NamedEntity", name=(_NAME, ...), **typed, **phrases)
    fields: dict[str, Any] = {"entities": (entities, ...)}
    if task == "re":
        ends = {"subject": (_NAME, ...), "type": (label, ...), "object": (_NAME, ...)}
        fields["relations"] = (_listed("RelationSaid", **ends), ...)
    elif task == "ee":
        arguments = _listed("ArgumentSaid", role=(_one_of(roles), ...), name=(_NAME, ...))
        event = {
            "type": (label, ...),
            "trigger": (_NAME | None, ...),
            "arguments": (arguments, ...),
        }
        fields["events"] = (_listed("EventSaid", **event), ...)
    return create_model("Extracted", __config__=OBJECT, **fields)


def _listed(title: str, /, **fields: Any) -> Any:
    item = create_model(title, __config__=OBJECT, **fields)
    return Annotated[list[item], Field(max_length=MOST_ITEMS)]  # type: ignore[valid-type]


def _one_of(labels: Sequence[str]) -> Any:
    enum = {"enum": list(labels)} if labels else {}
    return Annotated[str, WithJsonSchema({"type": "string", **enum})]


def read_object(value: Any, media: Sequence[Medium], types: TypeSchema) -> Said:
    """Return what an object of `answer_for` says."""
    labels = Labels(types)
    named: list[Named] = []
    linked: list[Linked] = []
    happened: list[Happened] = []
    for item in value.entities:
        phrases = ((medium, one_line(getattr(item, medium) or "")) for medium in media)
        sought = tuple(Looking(medium, phrase) for medium, phrase in phrases if _says(phrase))
        word = getattr(item, "type", None)
        if word is None:
            named.append(Named(item.name, sought=sought))
        elif kind := labels.type(word, item.name):
            named.append(Named(item.name, *kind, sought))
    for item in getattr(value, "relations", ()):
        if relation := labels.relation(item.subject, item.type, item.object):
            linked.append(relation)
    for item in getattr(value, "events", ()):
        pairs = [(argument.role, argument.name) for argument in item.arguments]
        if event := labels.event(item.type, item.trigger or "", pairs):
            happened.append(event)
    return Said(named, linked, happened, labels.told)


def _says(phrase: str) -> bool:
    """Whether a phrase is one: some models write null as a word."""
    return phrase.casefold() not in {"", "null", "none", "n/a"}
