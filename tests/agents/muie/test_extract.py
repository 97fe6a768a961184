"""One question per task, in both styles, and what is kept of the replies."""

from collections.abc import Callable
from typing import Any

import pytest

from deixis.agents.muie.extract import extract
from deixis.testing import Cut, Question, Refused
from deixis.testing import media as made

TEXT = "Ann Lee joined Acme in Oslo on Monday."
ENTITIES = {
    "entities": [
        {"name": "Ann Lee", "type": "PER"},
        {"name": "Acme", "type": "ORG"},
        {"name": "Oslo", "type": "GPE"},
    ]
}
RELATIONS = {
    "entities": [{"name": "Ann Lee"}, {"name": "Acme"}],
    "relations": [
        {"subject": "Ann Lee", "type": "ORG-AFF:Employment", "object": "Acme"},
        {"subject": "Acme", "type": "PHYS:Located", "object": "Oslo"},
    ],
}
EVENTS = {
    "entities": [{"name": "Ann Lee"}, {"name": "Monday"}],
    "events": [
        {
            "type": "start position",
            "trigger": "joined",
            "arguments": [
                {"role": "Person", "name": "Ann Lee"},
                {"role": "entity", "name": "Acme"},
                {"role": "Time", "name": "Monday"},
            ],
        }
    ],
}
PAPER = {
    "entities": "<UIE> (Ann Lee, PER)(Acme, ORG)(Oslo, GPE)",
    "relations": "<UIE> (Ann Lee, ORG-AFF:Employment, Acme)(Acme, PHYS:Located, Oslo)",
    "events": "<UIE> (joined, start position, Person: Ann Lee, entity: Acme, Time: Monday)",
}


def with_places(answer: dict[str, Any], question: Question) -> dict[str, Any]:
    """The same answer with null for each medium that the question asks about."""
    assert question.schema is not None
    fields = question.schema["$defs"]["NamedEntity"]["properties"]
    media = dict.fromkeys({"image", "video", "audio"} & set(fields))
    return {**answer, "entities": [{**media, **entity} for entity in answer["entities"]]}


def structured(question: Question) -> Any:
    kind = next(kind for kind in ("events", "relations", "entities") if _asks(question, kind))
    answers = {"events": EVENTS, "relations": RELATIONS, "entities": ENTITIES}
    return with_places(answers[kind], question)


def _asks(question: Question, kind: str) -> bool:
    return question.system.startswith(f"You extract the {kind}")


def paper(question: Question) -> str:
    words = {"events": "Extract all events", "relations": "Extract all relations"}
    asked = next((kind for kind, begin in words.items() if begin in question.system), "entities")
    return PAPER[asked]


@pytest.mark.parametrize(("style", "reply"), [("structured", structured), ("paper", paper)])
def test_all_tasks_at_once(asked: Any, style: str, reply: Callable[[Question], Any]) -> None:
    tasks = ["ner", "re", "ee"]
    found, questions = asked(extract, reply, setup={"style": style}, text=TEXT, task=tasks)
    assert len(questions) == 3
    mentions = found["mentions"]
    assert [(m["text"], m["start"], m["end"], m["type"]) for m in mentions.values()] == [
        ("Ann Lee", 0, 7, "PER"),
        ("Acme", 15, 19, "ORG"),
        ("Oslo", 23, 27, "GPE"),
        ("Monday", 31, 37, "entity"),
    ]
    related = found["related"]
    assert [(r["subject"], r["type"], r["object"]) for r in related.values()] == [
        ("e1", "ORG-AFF:Employment", "e2"),
        ("e2", "PHYS:Located", "e3"),
    ]
    assert [r["confidence"] for r in related.values()] == [1.0, 0.5]  # a company is at no place
    event = found["happened"]["v1"]
    assert event["type"] == "Personnel:Start-Position"
    assert event["trigger"] == {"text": "joined", "start": 8, "end": 14, "heard": []}
    arguments = [(own["role"], own["entity"]) for own in event["arguments"]]
    assert arguments == [("Person", "e1"), ("Entity", "e2"), ("Time", "e4")]
    assert list(found["calls"]) == ["extract/1/1", "extract/2/1", "extract/3/1"]
    assert related["r1"]["replies"] == ["extract/2/1"] and event["replies"] == ["extract/3/1"]
    assert found["decisions"]["e1/extract/type"]["replies"] == list(found["calls"])
    assert found["decisions"]["r2/extract/relation"]["evidence"] == ["its subject is ORG, not PER"]
    assert [note["message"] for note in found["notices"].values()] == [
        "the relation 'Acme' PHYS:Located 'Oslo' is doubtful: its subject is ORG, not PER"
    ]
    assert found["sought"] == {}


@pytest.mark.parametrize("style", ["structured", "paper"])
@pytest.mark.parametrize("reply", [Refused(), Cut(""), "", "I see a dog.", "{}"])
def test_a_reply_that_cannot_be_used_is_a_notice_and_the_others_count(
    asked: Any, style: str, reply: Any
) -> None:
    good = structured if style == "structured" else paper
    bad = {"extract the relations": reply, "Extract all relations": reply}
    found, _ = asked(
        extract, good, prompts=bad, setup={"style": style}, text=TEXT, task="ner,re,ee"
    )
    assert [m["text"] for m in found["mentions"].values()] == ["Ann Lee", "Acme", "Oslo", "Monday"]
    assert found["related"] == {}
    assert len(found["happened"]) == 1
    assert found["notices"]


def test_a_schema_without_the_labels_of_a_task_asks_nothing(asked: Any) -> None:
    found, questions = asked(extract, setup={"schema": "gmner"}, text=TEXT, task="re,ee")
    assert questions == []
    assert [note["message"] for note in found["notices"].values()] == [
        "the type schema 'gmner' has no relations; none were asked for",
        "the type schema 'gmner' has no events; none were asked for",
    ]


def test_labels_outside_the_schema_are_notices(asked: Any) -> None:
    answers = {
        "the entities": {"entities": [{"name": "Ann Lee", "type": "Martian"}]},
        "the relations": {
            "entities": [],
            "relations": [{"subject": "Ann Lee", "type": "eats", "object": "Acme"}],
        },
        "the events": {
            "entities": [],
            "events": [
                {"type": "Sleep", "trigger": "joined", "arguments": []},
                {
                    "type": "Conflict:Attack",
                    "trigger": None,
                    "arguments": [{"role": "Chef", "name": "Ann Lee"}],
                },
            ],
        },
    }
    prompts = {f"You extract {what}": own for what, own in answers.items()}
    found, _ = asked(extract, prompts=prompts, text=TEXT, task="ner,re,ee")
    assert found["mentions"] == {} and found["related"] == {}
    assert [(own["type"], own["arguments"]) for own in found["happened"].values()] == [
        ("Conflict:Attack", [])
    ]
    said = " ".join(note["message"] for note in found["notices"].values())
    for word in ("'Martian'", "'eats'", "'Sleep'", "'Chef'"):
        assert word in said


@pytest.mark.extra("av")
def test_what_is_shown_and_heard_is_asked_about(asked: Any, picture: Any) -> None:
    _, questions = asked(
        extract,
        structured,
        text=TEXT,
        images=[picture(3), picture(200)],
        audio=made.wav(1.0),
        video=made.film(made.boxes(20), 10),
        said="ann lee </post> is here",
        watched=(0.0, 1.0),
    )
    (question,) = questions
    assert len(question.images) == 4
    assert question.user.rstrip().endswith(
        "Image 1: a picture\nImage 2: a picture\nImage 3: a frame of the video, at 0.0 s\n"
        f"Image 4: a frame of the video, at 1.0 s\nText: <post>{TEXT}</post>\n"
        "Speech: <post>ann lee (/post> is here</post>"
    )


def test_a_model_that_hears_is_sent_the_sound(asked: Any) -> None:
    setup = {"model": "scripted:any?hears=true"}
    found, questions = asked(
        extract, structured, setup=setup, audio=made.wav(1.0), said="ann is here"
    )
    (question,) = questions
    content = question.messages[-1].content
    assert [block["type"] for block in content].count("audio") == 1
    assert "Audio 1: the sound" in question.user and "Speech:" not in question.user
    assert found["mentions"] == {}  # what it names was not heard, though the words are known


@pytest.mark.extra("av")
def test_a_model_that_watches_is_sent_the_video(asked: Any, picture: Any) -> None:
    _, (question,) = asked(
        extract,
        structured,
        setup={"model": "scripted:any?watches=true"},
        image=picture(),
        video=made.film(made.boxes(20), 10),
        watched=(0.0, 1.0),
    )
    kinds = [block["type"] for block in question.messages[-1].content]
    assert (kinds.count("image"), kinds.count("video")) == (1, 1)
    assert "Image 1: a picture\nVideo 1: the video\n" in question.user


def test_a_model_without_eyes_is_told_so(asked: Any, picture: Any) -> None:
    found, questions = asked(extract, structured, sees=False, text=TEXT, image=picture())
    assert questions[0].images == ()
    assert "that you are not shown" in questions[0].system
    (note,) = found["notices"].values()
    assert "takes no pictures" in note["message"]


@pytest.mark.parametrize(("style", "reply"), [("structured", structured), ("paper", paper)])
def test_mentions_that_are_given_are_the_entities(
    asked: Any, style: str, reply: Callable[[Question], Any]
) -> None:
    text = f"{TEXT} Ann Lee!"
    given = [
        {"text": "Ann Lee", "type": "PER"},
        {"text": "Acme", "type": "WEA"},
        {"text": "Ann Lee", "type": "PER", "start": 39, "end": 46},
    ]
    more = {"said": "ann lee", "mentions": given, "audio": made.wav(1.0)}
    found, questions = asked(
        extract, reply, setup={"style": style}, text=text, task="ner,re", **more
    )
    assert "these and no others: <post>Ann Lee</post> (PER); " in questions[0].user
    assert [(m["start"], m["type"]) for m in found["mentions"].values()] == [
        (0, "PER"),
        (15, "WEA"),
        (39, "PER"),
    ]
    assert found["mentions"]["e1"]["heard"] == [[0, 2]]
    assert [(r["subject"], r["object"]) for r in found["related"].values()] == [("e1", "e2")]
    said = [note["message"] for note in found["notices"].values()]
    assert "the model named 'Oslo', which is not among the given mentions; it was left out" in said
