"""VKEL's two stages: what is made of answers that are wrong, partial or none."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from langchain_core.messages import AIMessage

from deixis import Extraction

pytestmark = pytest.mark.slow

SKETCH = "Kevin Love is a(an) person; J. R. Smith is a(an) person."
SAID = "is a(an) person and a(an) athlete, whose bounding boxes are"
ANSWER = f"Kevin Love {SAID} (0, 0, 0.5, 1); J. R. Smith {SAID} (0.5, 0, 1, 1)"
PIECES = (
    "Kevin Love", "J. R. Smith", "Love", "", " is a(an) ", " is an ", "person", "wizard", "athlete",
    " and a(an) ", ", whose bounding boxes are ", "None", "(0.1, 0.2, 0.5, 1)", "(5, 1, 0, 9e99)",
    "(nan, 0, 1, 1)", "(-1, 0, 1e400, 1)", "[0, 0, 1, 1]", ", ", "; ", ".", "\n", "- ", "\ud800",
    "no entity found", "</post>",
)  # fmt: skip
Run = Callable[..., tuple[Extraction, Any]]


def plain(extraction: Extraction) -> list[tuple[Any, ...]]:
    return [
        (each.text, each.type, each.fine_type, each.groundable, [r.box for r in each.regions])
        for each in extraction.entities
    ]


def warned(extraction: Extraction) -> str:
    return "\n".join(f"{each.step}: {each.message}" for each in extraction.warnings)


@pytest.mark.parametrize("stage", ["sketch", "ground"])
@pytest.mark.parametrize(
    "reply",
    [
        "I'm sorry, but I can't help with that.",
        AIMessage("", response_metadata={"finish_reason": "content_filter"}),
        AIMessage(SKETCH[:30], response_metadata={"finish_reason": "length"}),
        ValueError("broken"),
        "\x00 is a(an) ;;; is a(an) person (((",
    ],
)
def test_a_stage_that_fails_is_told(run: Run, stage: str, reply: Any) -> None:
    found, _ = run(**{stage: reply})
    assert f"{stage}: " in warned(found)
    if stage == "sketch":  # the second stage makes up for it
        assert [each.text for each in found.entities] == ["Kevin Love", "J. R. Smith"]
        assert all(each.groundable for each in found.entities)
        evidence = found.entities[0].decisions[0].evidence
        assert evidence[1] == "the sketch of the first stage did not name it"
    else:  # what the committee knows stays
        assert [each.groundable for each in found.entities] == [None, None]
        assert [each.fine_type for each in found.entities] == ["athlete", "athlete"]
        assert found.entities[0].knowledge.summary == "Tall, with a beard."
        (told,) = [each for each in found.entities[0].decisions if each.subject == "groundable"]
        assert told.outcome is None and told.evidence


def test_a_model_without_eyes_does_not_point(run: Run) -> None:
    found, _ = run(sees=False)
    assert warned(found).count("takes no pictures") == 2
    assert [(e.fine_type, e.groundable) for e in found.entities] == [("athlete", None)] * 2


def ground(**boxes: str) -> str:
    names = {"love": "Kevin Love", "smith": "J. R. Smith"}
    return "; ".join(f"{names[key]} {SAID} {where}" for key, where in boxes.items())


def test_none_is_an_answer_and_silence_is_not(run: Run) -> None:
    found, _ = run(ground=ground(love="None"))
    assert [each.groundable for each in found.entities] == [False, None]
    assert "the answer leaves out 'J. R. Smith'; it is undecided" in warned(found)


def test_bad_boxes_are_counted_and_good_ones_kept(run: Run) -> None:
    found, _ = run(
        ground=ground(
            love="(0.1, 0.2, 0.5, 1.003), (0.5, 0.2, 0.1, 1), (10, 20, 300, 400)",
            smith="(0.1, 0.2, 1.2, 1.0)",
        )
    )
    assert plain(found)[0][3:] == (True, [pytest.approx((100, 100, 500, 500))])
    assert plain(found)[1][3:] == (None, [])
    assert "2 of the 3 boxes of 'Kevin Love' are no boxes" in warned(found)
    assert "1 of the 1 boxes of 'J. R. Smith' are no boxes" in warned(found)


def test_a_family_that_falls_back_on_its_own_boxes_is_understood(run: Run) -> None:
    answer = ground(love="(100, 200, 500, 1000)", smith="(0.1, 0.2, 0.5, 1.0)")
    for vlm in ("scripted:Qwen3-VL-8B", "scripted:some-model?family=qwen3-vl"):
        found, _ = run(ground=answer, vlm=vlm)
        assert [each[4] for each in plain(found)] == [[pytest.approx((100, 100, 500, 500))]] * 2
    found, _ = run(ground=answer, vlm="scripted:some-model")
    assert [each.groundable for each in found.entities] == [None, True]


def test_a_family_is_asked_in_what_it_counts(run: Run) -> None:
    """560 x 280 pixels are no others after the resize of Qwen2.5-VL."""
    picture = np.full((280, 560, 3), 90, np.uint8)
    found, models = run(
        ground=ground(love="(56, 28, 280, 280)", smith="[0, 0, 28, 28]"),
        vlm="scripted:Qwen2.5-VL-7B",
        image=picture,
    )
    system = models.asked[-1][3][0].text
    assert "A box is (x1, y1, x2, y2), whole pixels." in system
    assert "whose bounding boxes are (56, 70, 280, 266)" in system, "the example is of that kind"
    assert [each[4] for each in plain(found)] == [[(56, 28, 280, 280)], [(0, 0, 28, 28)]]


def test_types_of_the_second_stage_count_if_the_schema_has_them(run: Run) -> None:
    found, _ = run(
        ground="Kevin Love is a(an) wizard and a(an) Person Other, whose bounding boxes are None; "
        "J. R. Smith is a(an) person and a(an) champion, whose bounding boxes are None"
    )
    assert [(e.type, e.fine_type) for e in found.entities] == [
        ("person", "person_other"),
        ("person", "athlete"),  # the committee's
    ]
    assert "gave 'Kevin Love' the type 'wizard', which is none; 'person' stays" in warned(found)
    assert "the fine type 'champion', which is none; it is dropped" in warned(found)


def test_the_fine_type_moves_an_entity_to_its_type(run: Run) -> None:
    found, _ = run(
        ground="Kevin Love is a(an) person and a(an) sports_team, whose bounding boxes are None; "
        "J. R. Smith is a(an) organization, whose bounding boxes are None"
    )
    assert [(e.type, e.fine_type) for e in found.entities] == [
        ("organization", "sports_team"),
        ("organization", None),  # an athlete is no organization
    ]


def test_new_entities_must_stand_in_the_text(run: Run) -> None:
    found, _ = run(sketch="Kevin Love is a(an) person.", ground=f"{ANSWER}; Bo is a(an) person")
    assert [each.text for each in found.entities] == ["Kevin Love", "J. R. Smith"]
    assert found.entities[1].knowledge.summary is None, "nobody was asked about it"
    assert "named 'Bo', not in the text" in warned(found)


def test_a_part_of_what_stage_one_named_is_nothing_new(run: Run) -> None:
    found, _ = run(ground=f"Love {SAID} (0, 0, 1, 1)")
    assert [(e.text, e.groundable) for e in found.entities] == [
        ("Kevin Love", None),
        ("J. R. Smith", None),
    ]
    assert "named 'Love', not in the text (any more)" in warned(found)


def test_what_cannot_be_read_is_told(run: Run) -> None:
    found, _ = run(ground=f"Both are tall:\n{ANSWER}")
    assert [each.groundable for each in found.entities] == [True, True]
    assert "'Both are tall:' of the answer was not read" in warned(found)
    found, _ = run(ground=f"Here it is:\n{ANSWER}")
    assert found.warnings == []


def test_mentions_of_one_name_share_its_answer(run: Run) -> None:
    found, _ = run(
        text="Ann, my Ann, and Ann",
        sketch="Ann is a(an) person; Ann is a(an) person; Ann is a(an) art.",
        ground="ANN is a(an) person and a(an) actor, whose bounding boxes are (0, 0, 1, 1); "
        "Ann is a(an) art and a(an) music, whose bounding boxes are None",
    )
    assert [(e.fine_type, e.groundable) for e in found.entities] == [
        ("actor", True),
        ("music", False),
        ("music", False),
    ]


def test_plain_english_and_bullets_are_tolerated(run: Run) -> None:
    found, _ = run(
        sketch="- Kevin Love is a Person.\n- J. R. Smith is a person.",
        ground=ANSWER.replace("a(an) person", "a person").replace("a(an) athlete", "an athlete"),
    )
    assert [(e.fine_type, e.groundable) for e in found.entities] == [("athlete", True)] * 2
    assert found.warnings == []


def test_what_a_model_thinks_aloud_is_no_answer(run: Run) -> None:
    thought = "<think>J. R. Smith is a(an) art; Kevin is a(an) event.</think>\n\n"
    found, _ = run(sketch=thought + SKETCH, ground=thought + ANSWER, summarize=f"{thought}Tall.")
    assert [(e.type, e.knowledge.summary) for e in found.entities] == [("person", "Tall.")] * 2
    assert found.warnings == []


def test_a_fine_type_alone_brings_its_type(run: Run) -> None:
    found, _ = run(
        sketch="Kevin Love is an actor.",
        ground="Kevin Love is an athlete, whose bounding boxes are None; "
        "J. R. Smith is a sports team, whose bounding boxes are None",
    )
    assert [(e.type, e.fine_type, e.groundable) for e in found.entities] == [
        ("person", "athlete", False),
        ("organization", "sports_team", False),
    ]
    assert found.warnings == []


def test_white_space_in_a_name_makes_no_other_name(run: Run) -> None:
    found, _ = run(ground=ANSWER.replace("J. R. Smith", "J.R.  smith"))
    assert [e.groundable for e in found.entities] == [True, True]
    assert found.warnings == []


def test_a_name_is_the_same_however_it_is_written(run: Run) -> None:
    text = "Zoe\u0308 O\u2019Neil of AT&amp;T"
    sketch = "Zoë O'Neil is a(an) person; AT&T is a(an) organization."
    boxes = f"Zoe\u0308 O'Neil {SAID} (0, 0, 0.5, 1); AT&amp;T {SAID} (0.5, 0, 1, 1)"
    found, _ = run(text=text, sketch=sketch, ground=boxes)
    assert [each.text for each in found.entities] == ["Zoe\u0308 O\u2019Neil", "AT&amp;T"]
    assert [each.groundable for each in found.entities] == [True, True]


def test_full_stops_between_sketches_and_one_box_are_tolerated(run: Run) -> None:
    found, _ = run(
        sketch="Kevin Love is a(an) person. J. R. Smith is a person.",
        ground=ANSWER.replace("; ", ". ").replace("boxes are (0.5", "box is (0.5"),
    )
    assert [[r.box for r in e.regions] for e in found.entities] == [
        [(0, 0, 500, 500)],
        [(500, 0, 1000, 500)],
    ]
    assert found.warnings == []


def test_marks_around_names_lose_no_box(run: Run) -> None:
    found, _ = run(
        sketch="1. **Kevin Love** is a person\n2. J. R. Smith (PER) is a person",
        ground='- "Kevin Love" is a(an) person and a(an) athlete, whose bounding boxes are: '
        "((0, 0, 0.5, 1))\n- **J. R. Smith** is an athlete, whose bounding boxes are not visible",
    )
    assert plain(found) == [
        ("Kevin Love", "person", "athlete", True, [(0, 0, 500, 500)]),
        ("J. R. Smith", "person", "athlete", False, []),
    ]
    assert found.warnings == []


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(*[st.lists(st.sampled_from(PIECES), max_size=25).map("".join)] * 2)
def test_whatever_the_stages_say_nothing_is_lost(run: Run, sketch: str, answer: str) -> None:
    found, _ = run(sketch=f"Kevin Love is a(an) person; {sketch}", ground=answer or "?")
    assert "Kevin Love" in [each.text for each in found.entities] or found.warnings
    for each in found.entities:
        told = [one for one in each.decisions if one.subject == "groundable"]
        assert told and (told[-1].outcome is None) == (each.groundable is None)
