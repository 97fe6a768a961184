"""MUIE: entities, relations and events of a row, as each style writes them, and where they are.

What REAMO is tuned on (section 4.2) is among these: instructions for extraction are lessons of
rows with a text alone, meta-responses those of the style ``paper``. To be tuned to ground, a model
is asked where a picture shows a phrase, as the graph asks it where no detector plays.
"""

import re
from collections.abc import Iterable, Iterator, Sequence

from deixis.base.boxes import Box
from deixis.base.folding import key
from deixis.base.printable import one_line
from deixis.formats.muie_rows import Event as RowEvent
from deixis.formats.muie_rows import MuieEntity, MuieRow, Task
from deixis.prompts import quoted
from deixis.schema import Entity, Event, Extraction
from deixis.training.lessons.course import Course, Near, Question, UntaughtError
from deixis.training.lessons.records import Slot, Written
from deixis.training.teachers.muie_answers import bare, paper, structured
from deixis.training.teachers.muie_things import Thing, held_by, largest, names_of, things_of

_POINT = "muie/point"
_TASKS: dict[str, Task] = {"muie/ner": "ner", "muie/re": "re", "muie/ee": "ee"}
_SOUGHT = re.compile(r"^(\w+): <post>(.*)</post>$", re.MULTILINE)


def answer(question: Question) -> Written:
    """Write what the row says in answer to a question of any prompt."""
    name = question.prompt.name
    if name == _POINT:
        return _pointed(question)
    plain = name.removesuffix("_paper")
    return ((structured if plain == name else paper)(question, _TASKS[plain]),)


def _pointed(question: Question) -> Written:
    """Write one box for each phrase in the question, or null.

    Entities of one name are one thing. What a phrase means is told by the row alone: it is the
    phrase of the thing, or its name where the graph looks for what stands in no medium.
    """
    row: MuieRow = question.row
    shown = question._replace(pictures=[question.pictures[question.seat]])
    things = things_of(row, question.settings.type_schema)
    phrases = dict(_SOUGHT.findall(question.prompt.user))
    pieces: list[str | Slot] = []
    for field in question.answer.model_fields:
        if field not in phrases:
            raise UntaughtError("the question does not say by which phrase something is looked for")
        box = _box(phrases[field], [*things.values()], question.seat)
        pieces += [f'{"," if pieces else "{"}"{field}":', shown.slot(box) if box else "null"]
    return (*pieces, "}")


def _box(phrase: str, things: Sequence[Thing], image: int) -> Box | None:
    meant = [thing for thing in things if phrase in map(quoted, _phrases(thing))]
    boxes = {largest(thing.entities, image) for thing in meant}
    if len(boxes) != 1:
        raise UntaughtError("a phrase by which something is looked for does not mean one thing")
    return boxes.pop()


def _phrases(thing: Thing) -> Iterator[str]:
    """Yield the phrases by which the graph may look for a thing in a picture."""
    if "image" in thing.sought:
        yield thing.sought["image"]
        yield bare(thing.sought["image"])
        yield bare(thing.name)
    elif not thing.sought:  # it stands in no medium, and the graph looks in all
        yield one_line(thing.name)


def same(row: MuieRow, result: Extraction, near: Near) -> str:
    """Compare what the task asks for; and regions, if the model was asked where they are.

    Names are compared folded, each once. One that the row places in the text has to stand at one
    of its places there. Spans and tracks are found by tools, and are no part of an answer.
    """
    if not result.replies:
        return "the graph asked nothing"
    names = list(map(key, names_of(row)))
    ids = {entity.id: key(entity.text) for entity in result.entities}
    links = {(names[each.subject], each.type, names[each.object]) for each in row.relations}
    if links != {(ids[each.subject], each.type, ids[each.object]) for each in result.relations}:
        return "the relations do not come back"
    arguments = [[(own.role, names[own.entity]) for own in each.arguments] for each in row.events]
    told = [[(own.role, ids[own.entity]) for own in each.arguments] for each in result.events]
    if _events(row.events, arguments) != _events(result.events, told):
        return "the events do not come back"
    used = {name for subject, _, object_ in links for name in (subject, object_)}
    used |= {name for own in arguments for _, name in own}
    if {*ids.values()} != (set(names) if row.task == "ner" else used):
        return "the names of the entities do not come back"
    held = held_by(row)
    told_alike = (_entity(each, held[ids[each.id]], row.task) for each in result.entities)
    if differs := next(filter(None, told_alike), ""):
        return differs
    if not any(reply.prompt.startswith(f"{_POINT} ") for reply in result.replies):
        return ""
    placed = all(_placed(each, held[ids[each.id]], near) for each in result.entities)
    return "" if placed else "the boxes of an entity do not come back"


def _events(
    events: Iterable[RowEvent | Event], arguments: Sequence[Sequence[tuple[str, str]]]
) -> set[tuple[str, str, frozenset[tuple[str, str]]]]:
    return {
        (event.type, key(event.trigger.text) if event.trigger else "", frozenset(own))
        for event, own in zip(events, arguments, strict=True)
    }


def _entity(found: Entity, gold: Sequence[MuieEntity], task: Task) -> str:
    """Say how an entity differs from those of its name."""
    if None not in (starts := {entity.start for entity in gold}) and found.start not in starts:
        return "an entity stands elsewhere in the text"
    if task != "ner":  # of the others no types are asked
        return ""
    types = {entity.type for entity in gold}
    fine = {entity.fine_type for entity in gold}
    if types != {found.type} or found.fine_type not in {None, *fine}:
        return "an entity does not come back with its type"
    return ""


def _placed(found: Entity, gold: Sequence[MuieEntity], near: Near) -> bool:
    """Whether an entity has one of its boxes in each picture that shows it, and no other."""
    own = [region for entity in gold for region in entity.regions or ()]
    images = [region.image for region in found.regions]
    return sorted(images) == sorted({region.image for region in own}) and all(
        any(near(each.box, region.box, each.image) for each in own if each.image == region.image)
        for region in found.regions
    )


MUIE = Course(
    "muie",
    "MUIE: entities, relations and events, with phrases for each medium or boxes in pictures",
    graph="muie",
    role="vlm",
    prompts=(*_TASKS, *(f"{name}_paper" for name in _TASKS), _POINT),
    teach=answer,
    same=same,
    row=MuieRow,
    points=False,
    without=("detector", "segmenter", "tracker"),
)
