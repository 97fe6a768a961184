"""Names in several media and tasks are one entity, in its place."""

from typing import Any

import pytest

from deixis.agents.context.state import Update, joined
from deixis.agents.muie.entities import UNASKED, Answered, Entities
from deixis.agents.muie.links import Links
from deixis.agents.muie.naming import Source
from deixis.agents.muie.pairing import Looking
from deixis.agents.muie.said import Happened, Linked, Named, Said
from deixis.type_schema import TypeSchema

ACE = TypeSchema.load("ace")
LOCATED = "PHYS:Located"


def said(
    named: Any = (), linked: Any = (), happened: Any = (), told: Any = (), replies: Any = ("c/1/1",)
) -> Answered:
    return Answered(Said(list(named), list(linked), list(happened), list(told)), list(replies))


def source(text: str, speech: str = "") -> Source:
    words: Any = [(word, n / 2, n / 2 + 0.4, 0.9) for n, word in enumerate(speech.split())]
    heard: Any = {"words": words, "source": "test", "language": None, "spoken": False}
    return Source(text, heard if speech else None)


def gathered(where: Source, *answers: Answered, media: Any = ()) -> Update:
    entities = Entities(where, media, "scripted:any")
    entities.take(answers)
    links = Links(entities, ACE)
    links.take(answers)
    return joined(entities.update, links.update)


def places(update: Update) -> list[Any]:
    return [
        (own["text"], own["start"], own["end"], own.get("heard", []))
        for own in update["mentions"].values()
    ]


def messages(update: Update) -> list[str]:
    return [note["message"] for note in update["notices"].values()]


def test_one_entity_of_a_name_in_all_tasks_and_media() -> None:
    found = gathered(
        source("Joe Biden spoke.", "then joe biden left with jill"),
        said([Named("JOE BIDEN", "PER", sought=(Looking("image", "the man"),))]),
        said([Named("Joe Biden", sought=(Looking("video", "a man"),))], replies=["c/2/1"]),
        said([Named("Jill")], replies=["c/3/1"]),
        media=("image", "video", "audio"),
    )
    assert places(found) == [("Joe Biden", 0, 9, [[1, 3]]), ("Jill", None, None, [[5, 6]])]
    assert [own["type"] for own in found["mentions"].values()] == ["PER", "entity"]
    assert found["sought"]["e1"] == [
        {"medium": "image", "phrase": "the man"},
        {"medium": "video", "phrase": "a man"},
        {"medium": "audio", "phrase": "JOE BIDEN"},
    ]
    assert found["decisions"]["e1/extract/type"]["replies"] == ["c/1/1", "c/2/1"]


def test_long_names_are_looked_for_first_and_what_stands_within_them_alone_is_found_there() -> None:
    found = gathered(
        source("The New York Times left.", "the new york times and new york"),
        said([Named("New York"), Named("New York Times")]),
    )
    assert places(found) == [
        ("New York Times", 4, 18, [[1, 4]]),
        ("New York", 4, 12, [[5, 7]]),
    ] or places(found) == [
        ("New York", 4, 12, [[5, 7]]),
        ("New York Times", 4, 18, [[1, 4]]),
    ]


def test_a_name_is_heard_as_often_as_it_is_said_and_signs_stay_with_their_words() -> None:
    found = gathered(source("", "Ann, and \u201cAnn\u201d; annette"), said([Named("Ann")]))
    assert places(found) == [("Ann", None, None, [[0, 1], [2, 3]])]


def test_a_name_is_heard_by_the_words_that_the_model_says_are_it() -> None:
    as_said = Named("Robert Smith", "PER", sought=(Looking("audio", "bob"),))
    found = gathered(source("Robert Smith", "hi bob, hi Bob"), said([as_said]), media=["audio"])
    assert places(found) == [("Robert Smith", 0, 12, [[1, 2], [3, 4]])]


@pytest.mark.parametrize(
    ("media", "speech", "sought"),
    [
        ([], "", None),
        ([], "hello there", None),
        (["audio"], "hello there", None),
        (["audio"], "", ["audio"]),
        (["image"], "", ["image"]),
        (["image", "video", "audio"], "hello", ["image", "video"]),
    ],
)
def test_what_stands_nowhere_may_only_be_seen_or_heard(
    media: Any, speech: str, sought: Any
) -> None:
    found = gathered(source("A text.", speech), said([Named("dog", "VEH")]), media=media)
    if sought is None:
        assert found["mentions"] == {} and "not in what was given" in messages(found)[0]
    else:
        assert places(found) == [("dog", None, None, [])]
        assert found["sought"]["e1"] == [{"medium": each, "phrase": "dog"} for each in sought]


def test_things_of_a_kind_are_looked_for_without_their_number() -> None:
    named = [Named("dog 1", "VEH"), Named("dog 2", "VEH"), Named("Boeing 747", "VEH")]
    found = gathered(source(""), said(named), media=["image"])
    phrases = [own[0]["phrase"] for own in found["sought"].values()]
    assert phrases == ["dog", "dog", "Boeing 747"]


def test_a_second_type_of_a_name_is_a_notice() -> None:
    found = gathered(source("Paris"), said([Named("Paris", "GPE"), Named("paris", "PER")]))
    assert [own["type"] for own in found["mentions"].values()] == ["GPE"]
    assert messages(found) == ["the model gave 'Paris' two types, GPE and PER: the first holds"]


def test_what_is_marked_and_never_asked_for_is_decided_so() -> None:
    found = gathered(
        source("Ann and Bo"),
        said([Named("Ann", "PER", unasked=True), Named("Bo", "PER", unasked=True)]),
        said([Named("Bo", sought=(Looking("image", "a man"),))]),
        media=["image"],
    )
    assert found["decisions"]["e1/extract/look"]["evidence"] == [UNASKED]
    assert "e2/extract/look" not in found["decisions"]
    assert list(found["sought"]) == ["e2"]


def test_relations_lose_ends_that_are_nowhere_or_one_and_come_once() -> None:
    found = gathered(
        source("Ann in Oslo"),
        said(
            linked=[
                Linked("Ann", LOCATED, "Oslo"),
                Linked("ANN", LOCATED, "oslo"),
                Linked("Ann", LOCATED, "Rome"),
                Linked("Ann", LOCATED, "ann"),
            ]
        ),
    )
    assert [(own["subject"], own["object"]) for own in found["related"].values()] == [("e1", "e2")]
    told = " ".join(messages(found))
    assert "an end of it is nowhere" in told and "both ends are one entity" in told


def test_types_that_a_relation_does_not_join_make_it_doubtful() -> None:
    found = gathered(
        source("Ann in Oslo"),
        said([Named("Ann", "PER"), Named("Oslo", "GPE")]),
        said(linked=[Linked("Ann", LOCATED, "Oslo"), Linked("Oslo", LOCATED, "Ann")]),
    )
    assert [own["confidence"] for own in found["related"].values()] == [1.0, 0.5]
    assert "is doubtful: its subject is GPE, not PER" in messages(found)[0]


def test_events_come_once_with_their_triggers_and_arguments() -> None:
    attack = "Conflict:Attack"
    events = [
        Happened(attack, "attacked", (("Attacker", "Ann"), ("Target", "x" * 201))),
        Happened(attack, "Attacked", (("Attacker", "Ann"), ("Attacker", "ann"))),
        Happened("Life:Marry", " ", ()),
        Happened("Life:Die", "died", ()),
        Happened("Life:Injure", "runs", ()),
        Happened("Life:Marry", "", ()),
    ]
    found = gathered(source("Ann attacked.", "he died"), said(happened=events), media=["video"])
    happened = list(found["happened"].values())
    assert [own["type"] for own in happened] == [
        attack,
        "Life:Marry",
        "Life:Die",
        "Life:Injure",
    ]
    assert [own["trigger"] for own in happened] == [
        {"text": "attacked", "start": 4, "end": 12, "heard": []},
        None,
        {"text": "died", "start": None, "end": None, "heard": [[1, 2]]},
        {"text": "runs", "start": None, "end": None, "heard": []},
    ]
    assert happened[0]["arguments"] == [{"role": "Attacker", "entity": "e1", "confidence": 1.0}]
    assert "of Conflict:Attack was left out: it is nowhere" in messages(found)[0]


def test_a_word_for_an_event_that_is_nowhere_is_none() -> None:
    events = [Happened("Life:Die", "passed", (("Victim", "Ann"),)), Happened("Life:Die", "gone")]
    found = gathered(source("Ann died."), said(happened=events))
    (event,) = found["happened"].values()
    assert event["trigger"] is None
    assert messages(found) == [
        "the word 'passed' for Life:Die is not in what was given",
        "the word 'gone' for Life:Die is not in what was given, nor is who takes part: it was "
        "left out",
    ]


def test_a_trigger_stands_outside_of_names_and_other_triggers_where_it_can() -> None:
    fire = "Personnel:End-Position"
    events = [
        Happened(fire, "fire", (("Person", "Bo"),)),
        Happened(fire, "Fire", (("Person", "Cy"),)),
        Happened("Conflict:Attack", "fire", ()),
    ]
    text = "Fire Inc fire and fire Bo Cy"
    found = gathered(source(text), said([Named("Fire Inc", "ORG")], happened=events))
    assert [own["trigger"]["start"] for own in found["happened"].values()] == [9, 18, 9]


@pytest.mark.parametrize("name", ["", " ", "\n", "**", "x" * 500])
def test_names_that_are_none(name: str) -> None:
    found = gathered(source("Ann"), said([Named(name, "PER")]), media=["image"])
    assert found["mentions"] == {} or name == "**"


def test_marks_around_a_name_are_not_of_it() -> None:
    found = gathered(source("Ann of Acme"), said([Named("**Ann** (PER)", "PER")]))
    assert places(found) == [("Ann", 0, 3, [])]
