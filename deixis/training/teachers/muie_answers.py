"""Answers to the questions of the graph muie about what there is, in both styles."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from deixis.agents.muie.meta_response import read_meta_response
from deixis.base.folding import key
from deixis.errors import DataError
from deixis.formats.muie import Answer, Entity, Event, Item, Phrase, Relation, write_answer
from deixis.formats.muie_calls import Call, Medium
from deixis.formats.muie_rows import Event as RowEvent
from deixis.formats.muie_rows import MuieEntity, MuieRow, Task
from deixis.training.lessons.course import Question, UntaughtError, json_text
from deixis.training.teachers.muie_things import Thing, names_of, things_of
from deixis.type_schema import TypeSchema

MODULES: dict[Medium, str] = {
    "image": "Image Segmenter",
    "video": "Video Tracker",
    "audio": "Audio Segmenter",
}
"""As the prompts name them."""


class Told:
    """What a row says in answer to one task, with the labels of a type schema.

    Attributes:
        things: those that the task is about, in the order of the row.
        relations, events: by names.
    """

    def __init__(self, row: MuieRow, task: Task, types: TypeSchema) -> None:
        if row.task != task:
            raise UntaughtError("the graph asks for another task than the row has")
        self._types = types
        names, things = names_of(row), things_of(row, types)
        self.relations = [
            (names[each.subject], _label(each.type, types.relations), names[each.object])
            for each in row.relations
        ]
        self.events = [
            (each, _label(each.type, types.events), self._arguments(each, names))
            for each in row.events
        ]
        used = [name for subject, _, object_ in self.relations for name in (subject, object_)]
        used += [name for _, _, arguments in self.events for _, name in arguments]
        about = names if task == "ner" else used
        wanted = {key(name) for name in about}
        self.things = [thing for folded, thing in things.items() if folded in wanted]

    def _arguments(self, event: RowEvent, names: Sequence[str]) -> list[tuple[str, str]]:
        roles = next(kind.roles for kind in self._types.events if kind.name == event.type)
        if not {argument.role for argument in event.arguments} <= {*roles}:
            raise UntaughtError("the type schema has not the role of an argument")
        return [(argument.role, names[argument.entity]) for argument in event.arguments]

    def type_of(self, thing: Thing) -> str:
        """Return the label of a thing: its fine type, if its type has such."""
        labels = dict.fromkeys(self._type(entity) for entity in thing.entities)
        if len(labels) > 1:
            raise UntaughtError("one name has several types, and an answer has one for each")
        return next(iter(labels))

    def _type(self, entity: MuieEntity) -> str:
        kind = next((kind for kind in self._types.types if kind.name == entity.type), None)
        if kind is None:
            raise UntaughtError("the type schema has not the type of an entity")
        if kind.fine_types and entity.fine_type not in kind.fine_types:
            raise UntaughtError("the type schema has fine types, and the row not that of an entity")
        return entity.fine_type if kind.fine_types and entity.fine_type else kind.name


def _label(name: str, labels: Sequence[Any]) -> str:
    if name not in {label.name for label in labels}:
        raise UntaughtError("the type schema has not the type of a relation or an event")
    return name


def structured(question: Question, task: Task) -> str:
    """Write the object that the style ``structured`` asks for.

    There is no white space in it: models on this disk are held to that (`TransformersChat`).
    """
    told = Told(question.row, task, question.settings.type_schema)
    fields = question.answer.model_json_schema()["$defs"]["NamedEntity"]["properties"]
    media: list[Medium] = [medium for medium in MODULES if medium in fields]
    entities = []
    for thing in told.things:
        phrases: dict[str, str | None] = {medium: thing.sought.get(medium) for medium in media}
        has = {"name": thing.name, **phrases}
        has |= {"type": told.type_of(thing)} if task == "ner" else {}
        entities.append({field: has[field] for field in fields})
    whole: dict[str, Any] = {"entities": entities}
    if task == "re":
        ends = ("subject", "type", "object")
        whole["relations"] = [dict(zip(ends, link, strict=True)) for link in told.relations]
    elif task == "ee":
        whole["events"] = [
            {
                "type": label,
                "trigger": event.trigger.text if event.trigger else None,
                "arguments": [{"role": role, "name": name} for role, name in arguments],
            }
            for event, label, arguments in told.events
        ]
    return json_text(whole)


def paper(question: Question, task: Task) -> str:
    """Write the meta-response that the style ``paper`` asks for (section 4.1, appendix A).

    A module is told the phrases of all marked things, if it has a place for each; or else the
    names of those that it has, by which they are told apart.
    """
    types = question.settings.type_schema
    told = Told(question.row, task, types)
    by_name = {key(thing.name): thing for thing in told.things}
    items = tuple(_items(told, task, by_name))
    marked = {key(phrase.text): None for item in items for phrase in _phrases(item)}
    things = [by_name[name] for name in marked if by_name[name].sought]
    calls = []
    for medium, module in MODULES.items():
        its = [thing for thing in things if medium in thing.sought]
        all_ = len(its) == len(things)
        words = (thing.sought[medium] if all_ else thing.name for thing in its)
        calls += [Call(module, tuple(map(bare, words)))] if its else []
    try:
        text = write_answer(Answer(items, tuple(calls)), closed=False)
    except DataError:
        raise UntaughtError("the form of the answer cannot hold a name or a label") from None
    said = read_meta_response(text, task, [*MODULES], types)
    found = {key(named.name): {each.medium for each in named.sought} for named in said.named}
    if said.told or any(found[key(thing.name)] != {*thing.sought} for thing in things):
        raise UntaughtError("the form of the answer cannot say what a module is to look for")
    return text


def _items(told: Told, task: Task, things: Mapping[str, Thing]) -> Iterator[Item]:
    def phrase(name: str) -> Phrase:
        return Phrase(name, bool(things[key(name)].sought))

    if task == "ner":
        for thing in told.things:
            yield Entity(phrase(thing.name), told.type_of(thing))
    elif task == "re":
        for subject, label, object_ in told.relations:
            yield Relation(phrase(subject), label, phrase(object_))
    else:
        for event, label, arguments in told.events:
            if event.trigger is None:
                raise UntaughtError("an event has no trigger, which the form of the answer needs")
            pairs = tuple((role, phrase(name)) for role, name in arguments)
            yield Event(Phrase(event.trigger.text), label, pairs)


def _phrases(item: Item) -> Iterator[Phrase]:
    if isinstance(item, Entity):
        yield item.phrase
    elif isinstance(item, Relation):
        yield from (item.subject, item.object)
    else:
        yield from (phrase for _, phrase in item.arguments)


def bare(words: str) -> str:
    """Return an instruction without what divides instructions, or ends them."""
    return " ".join("".join(" " if sign in ",;()<>." else sign for sign in words).split())
