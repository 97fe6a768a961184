"""VKEL's committee: how often it is asked, how it votes, and what becomes of those who fail."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from langchain_core.messages import AIMessage

from deixis import Extraction
from deixis.prompts.knowledge_templates import find
from deixis.testing import fill

pytestmark = pytest.mark.slow

SKETCH = "Kevin Love is a(an) person; J. R. Smith is a(an) person."
REFUSED = AIMessage("", response_metadata={"finish_reason": "content_filter"})
Run = Callable[..., tuple[Extraction, Any]]


def asked_of_people() -> list[str]:
    template = find("person", None)
    assert template is not None
    return [*(attribute.name for attribute in template.attributes), "fine_type"]


def warned(extraction: Extraction) -> str:
    return "\n".join(f"{each.step}: {each.message}" for each in extraction.warnings)


@pytest.mark.parametrize("entities", [1, 2])
def test_the_paper_s_calls_are_five_an_entity_and_two_a_post(run: Run, entities: int) -> None:
    found, models = run(sketch="; ".join(SKETCH.rstrip(".").split("; ")[:entities]) + ".")
    calls = {each.role: 0 for each in found.usage}
    for each in found.usage:
        calls[each.role] += each.calls
    assert calls == {"vlm": 2, "committee": 3 * entities, "voter": 2 * entities}
    assert len(models.asked) == 5 * entities + 2
    assert sum(each.calls for each in found.usage) == len(found.replies) == 5 * entities + 2


def test_jointly_a_post_takes_a_call_a_member_one_of_the_voter_and_two(run: Run) -> None:
    found, models = run(calls="joint")
    assert sorted(models.steps()) == ["consult"] * 3 + ["ground", "sketch", "vote"]
    assert [each.fine_type for each in found.entities] == ["athlete", "athlete"]
    assert all(each.knowledge.summary for each in found.entities)


def test_jointly_what_is_agreed_needs_no_voter(run: Run) -> None:
    _, models = run(calls="joint", committee=["scripted:m1", "scripted:m2", "scripted:m1"])
    assert sorted(models.steps()) == ["consult"] * 3 + ["ground", "sketch"]


def test_what_nobody_knows_is_not_put_to_the_voter(run: Run) -> None:
    unknown = {**dict.fromkeys(asked_of_people(), "unknown"), "special_number": "N/A"}
    found, models = run(consult=json.dumps(unknown))
    assert sorted(models.steps()) == ["consult"] * 6 + ["ground", "sketch"]
    assert found.entities[0].knowledge.attributes == []
    assert found.entities[0].fine_type == "athlete", "the second stage names it"


def test_votes_and_summaries_are_told(run: Run) -> None:
    found, _ = run()
    love = found.entities[0]
    known = {each.name: (each.value, each.votes) for each in love.knowledge.attributes}
    assert known["facial_contour"] == ("oval", 2) and known["clothing"] == ("a team jersey", 3)
    assert love.knowledge.summary == "Tall, with a beard."
    (decided,) = [
        each
        for each in love.decisions
        if (each.step, each.subject) == ("vote_each", "facial_contour")
    ]
    assert decided.evidence[1] == "votes: 2 x 'oval', 1 x 'long'"
    assert decided.replies == [
        "consult_each/1/1",
        "consult_each/3/1",
        "consult_each/5/1",
        "vote_each/1/1",
    ]
    assert {each.id for each in found.replies} >= set(decided.replies)


def test_members_that_fail_abstain(run: Run) -> None:
    found, models = run(said={"consult m2": REFUSED})
    assert models.steps().count("vote") == 2
    shape = next(each for each in found.entities[0].decisions if each.subject == "facial_contour")
    assert "m2 (scripted:m2) abstained: refused" in shape.evidence[2]
    assert found.entities[0].knowledge.summary == "Tall, with a beard."


def test_below_the_quorum_nothing_is_known(run: Run) -> None:
    found, models = run(said={"consult m1": REFUSED, "consult m2": REFUSED})
    assert "vote" not in models.steps() and "summarize" not in models.steps()
    assert "no visual knowledge of 'Kevin Love': 1 of 3 members answered, 2 are needed" in warned(
        found
    )
    assert [each.groundable for each in found.entities] == [True, True], "the picture tells"


def test_without_the_voter_the_plurality_counts(run: Run) -> None:
    found, _ = run(vote="no JSON at all")
    known = {each.name: each.value for each in found.entities[0].knowledge.attributes}
    assert known["facial_contour"] == "oval"
    assert found.entities[0].knowledge.summary == "Tall, with a beard."


@pytest.mark.parametrize("reply", [ValueError("broken"), "\u200b\n"])
def test_without_a_summary_knowledge_is_listed(run: Run, reply: Any) -> None:
    _, models = run(summarize=reply)
    assert "Kevin Love (athlete): gender: " in models.asked[-1][2]


def test_one_model_may_have_several_seats(run: Run) -> None:
    _, models = run(committee=["scripted:m1"] * 3, cache="use")
    assert models.steps().count("consult") == 6, "self-consistency: none is taken from the cache"


def test_an_entity_that_stands_twice_is_asked_about_once(run: Run) -> None:
    """Section IV-M: repeated entities are taken from the cache."""
    found, models = run(
        text="Ann, my Ann", sketch="Ann is a(an) person; Ann is a(an) person.", cache="use"
    )
    assert len(found.entities) == 2
    assert models.steps().count("consult") == 3
    assert models.steps().count("vote") == models.steps().count("summarize") == 1


def test_what_the_voter_does_not_know_is_unknown(run: Run) -> None:
    ruling = dict.fromkeys(asked_of_people(), "unknown")
    found, models = run(vote=json.dumps(ruling), ground="no entity found.")
    assert [(each.fine_type, each.knowledge.attributes) for each in found.entities] == [
        (None, []),
        (None, []),
    ]
    assert "summarize" not in models.steps()
    assert "Visual knowledge:\nnone" in models.asked[-1][2]


def test_a_long_summary_is_cut(run: Run) -> None:
    found, _ = run(summarize="A tall man.\n" * 100)
    assert found.entities[0].knowledge.summary == ("A tall man. " * 50).strip()


@pytest.mark.parametrize("calls", ["paper", "joint"])
def test_who_need_not_be_asked_is_not(run: Run, calls: str) -> None:
    found, models = run(calls=calls, asking="until_agreed")
    assert models.steps().count("consult") == (4 if calls == "paper" else 2)
    for entity in found.entities:
        (told,) = [each for each in entity.decisions if each.subject == "committee"]
        assert told.outcome == "agreed" and "not asked: m3 (scripted:m3)" in told.evidence
        assert all(each.votes == 2 for each in entity.knowledge.attributes)


@pytest.mark.parametrize("calls", ["paper", "joint"])
def test_the_third_is_asked_where_the_first_two_differ(run: Run, calls: str) -> None:
    committee = ["scripted:m1", "scripted:m3", "scripted:m2"]
    found, models = run(calls=calls, committee=committee, asking="until_agreed")
    assert models.steps().count("consult") == (6 if calls == "paper" else 3)
    assert models.steps().count("ground") == 1
    known = {each.name: each.votes for each in found.entities[0].knowledge.attributes}
    assert known["facial_contour"] == 2 and known["clothing"] == 3


def test_calls_are_told_apart_where_the_third_is_asked_about_one_alone(run: Run) -> None:
    def other(question: Any) -> dict[str, Any]:
        said = fill(question.schema)
        return {**said, "clothing": "a suit"} if "J. R. Smith is" in question.user else said

    same = {f"consult m{member}": lambda question: fill(question.schema) for member in (1, 3)}
    found, models = run(said={**same, "consult m2": other}, asking="until_agreed")
    asked = sum(each.calls for each in found.usage)
    assert models.steps().count("consult") == 5 and asked == len(models.asked)
    love, smith = found.entities
    told = {each.subject for each in love.decisions}
    assert "committee" in told and "committee" not in {each.subject for each in smith.decisions}
    assert {each.id for each in found.replies if each.role == "committee"} == {
        f"consult_each/{seat}/1" for seat in (1, 2, 3, 4, 6)
    }
