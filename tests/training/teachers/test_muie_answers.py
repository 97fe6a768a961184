"""Answers about what there is: their forms, and rows that have none."""

import json
from typing import Any

import pytest

from deixis.agents.muie.structured import answer_for
from deixis.formats.muie_rows import Argument, Event, Frame, MuieEntity, MuieRow, Relation, Trigger
from deixis.llms.answers.reading import Text
from deixis.llms.box_conventions import THOUSANDTHS
from deixis.prompts import Prompt
from deixis.rows import RowRegion
from deixis.training.courses import course_named
from deixis.training.lessons.course import Question, UntaughtError
from deixis.type_schema import TypeSchema

from .conftest import stack_of

BOX = RowRegion(box=(0, 0, 10, 10))
ANN = MuieEntity(text="Ann", start=0, end=3, type="PER", regions=(BOX,), spans=((0, 1),))
ACME = MuieEntity(text="Acme", start=11, end=15, type="ORG", spans=((2, 3),))
PARIS = MuieEntity(text="Paris", start=19, end=24, type="GPE")
ROW = MuieRow(
    id="1",
    task="ner",
    text="Ann joined Acme in Paris",
    image="a.png",
    audio="a.wav",
    entities=(ANN, ACME, PARIS),
)
WORK = Relation(subject=0, type="ORG-AFF:Employment", object=1)
START = Event(
    type="Personnel:Start-Position",
    trigger=Trigger(text="joined", start=4, end=10),
    arguments=(Argument(role="Person", entity=0), Argument(role="Entity", entity=1)),
)


def said(row: MuieRow, style: str, schema: str = "ace", prompt: str = "") -> str:
    types = TypeSchema.load(schema)
    paper = style == "paper"
    name = prompt or f"muie/{row.task}{'_paper' if paper else ''}"
    media: Any = [medium for medium in ("image", "video", "audio") if getattr(row, medium)]
    answer: Any = Text if paper else answer_for(row.task, types, media)
    settings = stack_of("muie", schema, "scripted:nobody", {"style": style})
    question = Question(row, Prompt("", "", name, 1), answer, [], [], THOUSANDTHS, settings)
    (text,) = course_named("muie").teach(question)
    assert isinstance(text, str)
    return text


def test_the_object_has_a_phrase_for_each_medium_of_the_sample() -> None:
    assert json.loads(said(ROW, "structured"))["entities"] == [
        {"name": "Ann", "type": "PER", "image": "the person", "audio": "Ann"},
        {"name": "Acme", "type": "ORG", "image": None, "audio": "Acme"},
        {"name": "Paris", "type": "GPE", "image": None, "audio": None},
    ]


def test_relations_and_events_name_those_that_take_part_alone() -> None:
    row = ROW.model_copy(update={"task": "re", "relations": (WORK,)})
    told = json.loads(said(row, "structured"))
    assert [each["name"] for each in told["entities"]] == ["Ann", "Acme"]
    assert told["relations"] == [{"subject": "Ann", "type": "ORG-AFF:Employment", "object": "Acme"}]
    row = ROW.model_copy(update={"task": "ee", "events": (START,)})
    told = json.loads(said(row, "structured"))
    assert [each["name"] for each in told["entities"]] == ["Ann", "Acme"]
    arguments = [{"role": "Person", "name": "Ann"}, {"role": "Entity", "name": "Acme"}]
    assert told["events"] == [
        {"type": "Personnel:Start-Position", "trigger": "joined", "arguments": arguments}
    ]


def test_the_meta_response_calls_the_modules_of_what_it_marks() -> None:
    assert said(ROW, "paper") == (
        "<UIE> (Ann<concept>, PER)(Acme<concept>, ORG)(Paris, GPE)\n"
        "<Module>Image Segmenter <Instruction>Ann\n"  # of two that are marked: told by its name
        "<Module>Audio Segmenter <Instruction>Ann, Acme"
    )
    alone = ROW.model_copy(update={"entities": (ANN, PARIS)})
    assert "<Module>Image Segmenter <Instruction>the person\n" in said(alone, "paper")
    row = ROW.model_copy(update={"task": "re", "relations": (WORK,)})
    assert said(row, "paper").startswith(
        "<UIE> (Ann<concept>, ORG-AFF:Employment, Acme<concept>)\n<Module>Image"
    )
    row = ROW.model_copy(update={"task": "ee", "events": (START,)})
    assert said(row, "paper").startswith(
        "<UIE> (joined, Personnel:Start-Position, Person: Ann<concept>, Entity: Acme<concept>)"
    )
    filmed = ANN.model_copy(update={"track": (Frame(frame=0, regions=(BOX,)),), "spans": None})
    film = MuieRow(id="1", task="ner", text="Ann", image="a.png", video="a.mp4", entities=(filmed,))
    assert said(film, "paper").endswith("<Module>Video Tracker <Instruction>the person")
    nothing = MuieRow(id="1", task="ee", text="Nothing")
    assert said(nothing, "paper") == "<UIE> None"


def test_a_schema_with_fine_types_is_answered_with_them() -> None:
    entity = MuieEntity(text="Ann", type="person", fine_type="athlete")
    row = MuieRow(id="1", task="ner", text="Ann", entities=(entity,))
    assert json.loads(said(row, "structured", "fmnerg"))["entities"][0]["type"] == "athlete"
    assert said(row, "paper", "fmnerg") == "<UIE> (Ann, athlete)"
    coarse = row.model_copy(update={"entities": (MuieEntity(text="Ann", type="person"),)})
    with pytest.raises(UntaughtError, match="has fine types"):
        said(coarse, "paper", "fmnerg")


def entity(**fields: Any) -> tuple[MuieEntity, ...]:
    return (MuieEntity(**{"text": "Ann", "type": "PER", **fields}),)


TWO_TYPES = (*entity(), *entity(type="ORG"))
WITHOUT = START.model_copy(update={"trigger": None})
BAD_ROLE = START.model_copy(update={"arguments": (Argument(role="Hero", entity=0),)})


@pytest.mark.parametrize(
    ("changes", "style", "reason"),
    [
        ({"entities": entity(type="person")}, "structured", "not the type of an entity"),
        ({"entities": TWO_TYPES}, "structured", "one name has several types"),
        ({"entities": entity(text="Ann), (B")}, "paper", "cannot hold a name"),
        (
            {"task": "re", "relations": (Relation(subject=0, type="likes", object=1),)},
            "structured",
            "not the type of a relation",
        ),
        ({"task": "ee", "events": (WITHOUT,)}, "paper", "has no trigger"),
        ({"task": "ee", "events": (BAD_ROLE,)}, "structured", "not the role of an argument"),
        (
            {
                "entities": (
                    *entity(text="New York", regions=(BOX,), spans=((0, 1),)),
                    *entity(text="York", start=0, end=4, spans=((0, 1),)),
                )
            },
            "paper",
            "what a module is to look for",
        ),
    ],
)
def test_what_has_no_answer_says_why(changes: dict[str, Any], style: str, reason: str) -> None:
    row = ROW.model_copy(update={"entities": (ANN, ACME, PARIS), **changes})
    with pytest.raises(UntaughtError, match=reason):
        said(row, style)


def test_a_row_of_another_task_is_no_answer() -> None:
    with pytest.raises(UntaughtError, match="another task"):
        said(ROW, "paper", prompt="muie/re_paper")
