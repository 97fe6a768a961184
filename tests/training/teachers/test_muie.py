"""MUIE's course: in both styles, answers to all its questions make the gold again."""

import random
import re
from collections.abc import Callable
from typing import Any

import pytest

from deixis import Extraction
from deixis.base.boxes import box_iou
from deixis.base.folding import key
from deixis.formats.muie_rows import Argument, Event, MuieEntity, MuieRow, Relation, Task, Trigger
from deixis.rows import RowRegion
from deixis.training.lessons.records import Lessons

WORDS = [
    *("Ann", "O'Neil", "AT & T", "St. John's", "Ünal", "Re: Zero", "New York", "New York Times"),
    *('"Q"', "café", "x (y)", "李 雷", "C:D, E", "Bo, Jr.", "a\nb", "<concept>", "e\u0301t", "{x}"),
]
SEEN = ["dog", "man", "a <b>", "traffic light"]
TYPES = ["PER", "LOC", "ORG", "GPE"]
SIZES = ((200, 150), (90, 120))
REASONS = {
    "the form of the answer cannot hold a name or a label",
    "the form of the answer cannot say what a module is to look for",
    "an event has no trigger, which the form of the answer needs",
    "a phrase by which something is looked for does not mean one thing",
}


class Rows:
    """Draws rows of one task: text, pictures or both."""

    def __init__(self, task: Task, seed: int) -> None:
        self.task, self.chance = task, random.Random(seed)

    def row(self, number: int) -> MuieRow:
        chance = self.chance
        text = f"{number} | " if chance.random() < 0.8 else ""
        images = chance.choice([0, 1, 1, 2] if text else [1, 2])
        entities = []
        for name in chance.sample(WORDS, chance.randint(0, 4)) if text else []:
            start = len(text)
            text += f"{name} | "
            place = {"start": start, "end": start + len(name)}
            regions = chance.choice([None, (), self.regions(images)]) if images else None
            kind = chance.choice(TYPES)
            entities.append(MuieEntity(text=name, type=kind, regions=regions, **place))
        for _ in range(chance.randint(0, 3) if images else 0):
            kind, name = chance.choice(TYPES), chance.choice(SEEN)
            entities.append(MuieEntity(text=name, type=kind, regions=self.regions(images)[:1]))
        names = tuple(f"{number}-{image}.png" for image in range(images))
        text += "met" if text else ""
        return MuieRow(
            id=str(number),
            task=self.task,
            text=text,
            image=names[0] if names else None,
            images=names if images > 1 else None,
            entities=tuple(entities),
            relations=self.relations(len(entities)) if self.task == "re" else (),
            events=self.events(text, len(entities)) if self.task == "ee" else (),
        )

    def regions(self, images: int) -> tuple[RowRegion, ...]:
        made = []
        for _ in range(self.chance.randint(1, 2)):
            image = self.chance.randrange(images)
            width, height = SIZES[image]
            x, y = self.chance.randint(0, width - 60), self.chance.randint(0, height - 60)
            box = (x, y, x + self.chance.randint(20, 60), y + self.chance.randint(20, 60))
            made.append(RowRegion(box=box, image=image))
        return tuple(made)

    def relations(self, count: int) -> tuple[Relation, ...]:
        pairs = [self.chance.sample(range(count), 2) for _ in range(2)] if count > 1 else []
        types = ["PHYS:Near", "PER-SOC:Business"]
        return tuple(
            Relation(subject=one, type=self.chance.choice(types), object=other)
            for one, other in pairs[: self.chance.randint(0, 2)]
        )

    def events(self, text: str, count: int) -> tuple[Event, ...]:
        roles = [self.chance.choice(["Entity", "Place"]) for _ in range(min(count, 2))]
        arguments = tuple(Argument(role=role, entity=n) for n, role in enumerate(roles))
        word = Trigger(text="met", start=len(text) - 3, end=len(text)) if text else None
        seen = Trigger(text="running")
        trigger = self.chance.choice([word or seen, word or seen, None])
        if not (trigger or arguments) or self.chance.random() < 0.2:
            return ()
        return (Event(type="Contact:Meet", trigger=trigger, arguments=arguments),)


def bare(name: str) -> str:
    """Return the name of one of several that are only seen, without its number."""
    stripped = re.sub(r" \d+$", "", name)
    return key(stripped if stripped in SEEN else name)


def facts(result: Extraction) -> dict[str, Any]:
    names = {entity.id: bare(entity.text) for entity in result.entities}
    typed = {(names[each.id], each.type) for each in result.entities}
    return {
        "entities": typed,
        "places": {(names[each.id], each.start) for each in result.entities},
        "relations": {(names[r.subject], r.type, names[r.object]) for r in result.relations},
        "events": [
            (each.type, each.trigger and (each.trigger.text, each.trigger.start), part)
            for each in result.events
            for part in [[(own.role, names[own.entity]) for own in each.arguments]]
        ],
    }


def gold_facts(row: MuieRow) -> dict[str, Any]:
    names = [key(entity.text) for entity in row.entities]
    used = {n for each in row.relations for n in (each.subject, each.object)}
    used |= {own.entity for each in row.events for own in each.arguments}
    about = range(len(names)) if row.task == "ner" else sorted(used)
    types = [each.type if row.task == "ner" else "entity" for each in row.entities]
    return {
        "entities": {(names[n], types[n]) for n in about},
        "places": {(names[n], row.entities[n].start) for n in about},
        "relations": {(names[r.subject], r.type, names[r.object]) for r in row.relations},
        "events": [
            (each.type, each.trigger and (each.trigger.text, each.trigger.start), part)
            for each in row.events
            for part in [[(own.role, names[own.entity]) for own in each.arguments]]
        ],
    }


@pytest.mark.extra("transformers")
@pytest.mark.parametrize("count", [12, pytest.param(100, marks=pytest.mark.slow)])
@pytest.mark.parametrize("style", ["structured", "paper"])
@pytest.mark.parametrize("task", ["ner", "re", "ee"])
def test_the_graph_makes_the_gold_of_what_it_is_answered(
    rehearsed: Callable[..., Lessons], asked_again: Any, task: Task, style: str, count: int
) -> None:
    draw = Rows(task, seed=3)
    rows = [draw.row(number) for number in range(count)]
    lessons = rehearsed("muie", rows, "ace", style=style)
    assert set(lessons.manifest.left_out) <= REASONS
    kept = [row for row in rows if row.id in {each.row for each in lessons.lessons}]
    assert len(kept) > count * 0.6
    pointed = {each.row for each in lessons.lessons if each.prompt == "muie/point 2"}
    assert pointed
    results = asked_again(lessons, kept, task=lambda row: row.task)
    for row in kept:
        result = results[row.id]
        assert facts(result) == gold_facts(row)
        for entity in result.entities:
            shown = [
                (region, each)
                for each in row.entities
                if key(each.text) == bare(entity.text)
                for region in each.regions or ()
            ]
            assert bool(entity.regions) == bool(shown and row.id in pointed)
            for found in entity.regions:
                same = [each for each, _ in shown if each.image == found.image]
                assert max(box_iou(each.box, found.box) for each in same) > 0.95
