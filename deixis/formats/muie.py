"""Meta-responses of REAMO for grounded MUIE (section 4.1, appendix A).

What was extracted stands in brackets; a ``<concept>`` after a phrase says that it should be
looked for; then come calls of the modules that point::

    (Ada Lovelace<concept>, person)(London, location)
    <Module>ImageSegmentation</Module><Instruction>Segment: Ada Lovelace</Instruction>

Figure 2 has another form, which is read as well (`deixis.formats.muie_calls`)::

    <UIE> (Ada , person)(Charles, person) <Module>Image Segmenter <Instruction>The woman, The man

Relations are ``(subject, relation, object)``. For events the paper gives no form; ours is
``(trigger, event type, role: argument, role: argument)``.
"""

from collections.abc import Sequence
from typing import Literal, NamedTuple

from deixis.errors import DataError
from deixis.formats import muie_rows as rows
from deixis.formats.answers import ONE, Parsed, Problem, Reading, Scale, checked
from deixis.formats.muie_calls import Call, fields_of, read_calls
from deixis.formats.muie_rows import MuieEntity, MuieRow
from deixis.rows import RowEntity

Task = Literal["ner", "re", "ee"]
_CONCEPT = "<concept>"


class Phrase(NamedTuple):
    """A piece of text, and whether a counterpart in another medium should be looked for."""

    text: str
    sought: bool = False


class Entity(NamedTuple):
    """What the task NER finds."""

    phrase: Phrase
    type: str


class Relation(NamedTuple):
    """What the task RE finds."""

    subject: Phrase
    type: str
    object: Phrase


class Event(NamedTuple):
    """What the task EE finds; arguments are pairs of a role and a phrase."""

    trigger: Phrase
    type: str
    arguments: tuple[tuple[str, Phrase], ...] = ()


Item = Entity | Relation | Event


class Answer(NamedTuple):
    """What a meta-response says, all items of one task."""

    items: tuple[Item, ...]
    calls: tuple[Call, ...] = ()
    problems: tuple[Problem, ...] = ()


def parse_answer(answer: str, task: Task) -> Answer:
    """Read a meta-response; no string makes it raise.

    Args:
        answer: what the model wrote.
        task: what it was asked for; the brackets alone do not tell relations from events.
    """
    calls, outside, unread = read_calls(answer)
    problems = list(unread)
    items: list[Item] = []
    for group in _groups(outside, problems):
        item = {"ner": _entity, "re": _relation, "ee": _event}[task](group)
        if item is None:
            problems.append(Problem(f"({group})", f"it is not what the task {task} asks for"))
        else:
            items.append(item)
    return Answer(tuple(items), calls, tuple(problems))


def _groups(text: str, problems: list[Problem]) -> list[str]:
    """Return what stands in outer brackets; anything between them is a problem."""
    groups: list[str] = []
    depth = start = 0
    for place, character in enumerate(text):
        if character == "(":
            if depth == 0:
                _outside(text[start:place], problems)
                start = place + 1
            depth += 1
        elif character == ")" and depth:
            depth -= 1
            if depth == 0:
                groups.append(text[start:place])
                start = place + 1
    if depth:
        problems.append(Problem(f"({text[start:]}", "the bracket is not closed"))
    else:
        _outside(text[start:], problems)
    return groups


def _outside(text: str, problems: list[Problem]) -> None:
    if text.strip(" \t\r\n,;.") and text.strip().lower() != "none":
        problems.append(Problem(text.strip(), "it stands outside of brackets"))


def _phrase(text: str) -> Phrase:
    bare = text.strip()
    if bare[-len(_CONCEPT) :].lower() == _CONCEPT:
        return Phrase(bare[: -len(_CONCEPT)].strip(), True)
    return Phrase(bare)


def _entity(group: str) -> Entity | None:
    text, _, kind = group.rpartition(",")
    phrase = _phrase(text)
    return Entity(phrase, kind.strip()) if phrase.text and kind.strip() else None


def _relation(group: str) -> Relation | None:
    fields = fields_of(group)
    if len(fields) != 3 or not fields[1].strip():
        return None
    relation = Relation(_phrase(fields[0]), fields[1].strip(), _phrase(fields[2]))
    return relation if relation.subject.text and relation.object.text else None


def _event(group: str) -> Event | None:
    trigger, *rest = fields_of(group)
    if not rest or not _phrase(trigger).text or not rest[0].strip():
        return None
    arguments: list[str] = []
    for field in rest[1:]:
        if ":" in field:
            arguments.append(field)
        elif arguments:  # a comma within an argument
            arguments[-1] += f",{field}"
        else:
            return None
    parts = (argument.partition(":") for argument in arguments)
    pairs = [(role.strip(), _phrase(text)) for role, _, text in parts]
    if not all(role and phrase.text for role, phrase in pairs):
        return None
    return Event(_phrase(trigger), rest[0].strip(), tuple(pairs))


def write_answer(answer: Answer, *, closed: bool = True) -> str:
    """Write a meta-response.

    Args:
        answer: what it says.
        closed: tags are closed, and each instruction has its own; else as in figure 2 and as the
            prompts of Deixis ask, behind ``<UIE>``, and instructions are a list.

    Raises:
        DataError: it would not be read as the same, or the items are of several tasks.
    """
    text = "".join(map(_bracket, answer.items))
    if not closed:
        text = f"<UIE> {text or 'None'}"
    for call in answer.calls:
        if closed:
            text += f"<Module>{call.module}</Module>"
            text += "".join(f"<Instruction>{words}</Instruction>" for words in call.instructions)
        else:
            text += f"\n<Module>{call.module} <Instruction>{', '.join(call.instructions)}"
    kinds: dict[type[Item], Task] = {Entity: "ner", Relation: "re", Event: "ee"}
    task = kinds[type(answer.items[0])] if answer.items else "ner"
    if parse_answer(text, task) != answer:
        raise DataError(f"the format cannot hold this answer: {text[:200]!r}")
    return text


def _bracket(item: Item) -> str:
    if isinstance(item, Entity):
        return f"({_tagged(item.phrase)}, {item.type})"
    if isinstance(item, Relation):
        return f"({_tagged(item.subject)}, {item.type}, {_tagged(item.object)})"
    arguments = [f"{role}: {_tagged(phrase)}" for role, phrase in item.arguments]
    return f"({', '.join([_tagged(item.trigger), item.type, *arguments])})"


def _tagged(phrase: Phrase) -> str:
    return f"{phrase.text}{_CONCEPT}" if phrase.sought else phrase.text


def row_of(answer: Answer, gold: MuieRow) -> MuieRow:
    """Return what an answer says as a row to be scored, with id, text and media of the gold.

    A relation or an event names its phrases only: equal ones become one entity without a type.
    """
    entities: list[MuieEntity] = []
    places: dict[str, int] = {}

    def add(phrase: Phrase, kind: str = "") -> int:
        regions = None if phrase.sought else ()
        entities.append(MuieEntity(text=phrase.text, type=kind, regions=regions))
        return len(entities) - 1

    def at(phrase: Phrase) -> int:
        if phrase.text not in places:
            places[phrase.text] = add(phrase)
        return places[phrase.text]

    relations: list[rows.Relation] = []
    events: list[rows.Event] = []
    for item in answer.items:
        if isinstance(item, Entity):
            add(item.phrase, item.type)
        elif isinstance(item, Relation):
            ends = {"subject": at(item.subject), "object": at(item.object)}
            relations.append(rows.Relation(type=item.type, **ends))
        else:
            arguments = tuple(rows.Argument(role=r, entity=at(p)) for r, p in item.arguments)
            trigger = rows.Trigger(text=item.trigger.text)
            events.append(rows.Event(type=item.type, trigger=trigger, arguments=arguments))
    content = {"entities": tuple(entities), "relations": tuple(relations), "events": tuple(events)}
    return gold.model_copy(update=content)


def parse(answer: str, scale: Scale | None = ONE) -> Parsed:
    """Read the entities of an answer to NER; see `Format`.

    The answer has no regions: they are None for what should be looked for, and empty for what
    has no counterpart.
    """
    reading = Reading(scale)
    whole = parse_answer(answer, "ner")
    for item in whole.items:
        if isinstance(item, Entity):
            boxes = None if item.phrase.sought else ()
            reading.add(_bracket(item), item.phrase.text, item.type, boxes)
    entities, problems = reading.parsed()
    return Parsed(entities, (*whole.problems, *problems))


def write(entities: Sequence[RowEntity]) -> str:
    """Write entities without calls; see `Format`."""
    return checked(
        entities,
        lambda entity: _bracket(Entity(Phrase(entity.text, entity.regions is None), entity.type)),
        lambda pieces: "".join(pieces) or "None",
        parse,
    )
