"""RiVEG's second stage: entailment comes first, and only what it lets through is pointed at."""

import json
import math
from collections.abc import Callable
from typing import Any

import pytest
from langchain_core.messages import AIMessage

from deixis import Extraction
from deixis.errors import SettingsError
from deixis.evaluation.metrics.convention import convention
from deixis.evaluation.metrics.mner import Score
from deixis.evaluation.metrics.scoring import How, evaluate
from deixis.evaluation.metrics.tasks import task
from deixis.rows import Row, parse_row

pytestmark = pytest.mark.slow

Said = Callable[[Extraction], str]
BY_TOOLS = {"entailer": "fits", "vlm": None, "detector": "eyes"}


def outcome(found: Extraction) -> list[tuple[bool | None, int]]:
    return [(each.groundable, len(each.regions)) for each in found.entities]


def test_the_tools_are_asked_in_the_paper_s_order(world: Any, blank: Any) -> None:
    found = world.run(blank, roles=BY_TOOLS)
    assert world.fits.hypotheses == [
        "Grace Hopper (PER) – A woman in a uniform",  # noqa: RUF001
        "US Navy (ORG) – An armed force",  # noqa: RUF001
    ]
    assert world.eyes.phrases == ["person", "A woman in a uniform"], "not for what was filtered"
    assert outcome(found) == [(True, 1), (False, 0)]
    (region,) = found.entities[0].regions
    assert (region.box, region.score, region.source) == ((10, 20, 200, 300), 0.9, "eyes")
    entailed = next(each for each in found.entities[0].decisions if each.step == "entail")
    assert (entailed.outcome, entailed.confidence, entailed.model) == ("yes", 0.8, "fits")


def test_the_threshold_is_that_of_the_options(world: Any, blank: Any) -> None:
    found = world.run(blank, roles=BY_TOOLS, groundable_threshold=0.9)
    assert outcome(found) == [(False, 0), (False, 0)]
    decided = found.entities[0].decisions[-1]
    assert decided.confidence == pytest.approx(0.2)


def test_nothing_is_pointed_at_when_nothing_is_entailed(world: Any, blank: Any) -> None:
    world.answers["entail"] = json.dumps(dict.fromkeys(("e1", "e2"), "contradiction"))
    assert outcome(world.run(blank)) == [(False, 0), (False, 0)]
    assert "ground" not in world.steps()


def test_tokens_say_how_sure_the_label_is(world: Any, blank: Any) -> None:
    shares = {"entail": 0.75, "contr": 0.25}
    top = [{"token": each, "logprob": math.log(p)} for each, p in shares.items()]
    begin = {"token": '{"e1": "', "logprob": 0.0}
    end = {"token": 'ment", "e2": "contradiction"}', "logprob": 0.0}
    content = [begin, {**top[0], "top_logprobs": top}, end]
    world.answers["entail"] = AIMessage(
        "".join(each["token"] for each in content),
        response_metadata={"logprobs": {"content": content}},
    )
    found = world.run(blank)
    assert outcome(found) == [(True, 1), (False, 0)]
    judged = [[d for d in each.decisions if d.step == "entail"][-1] for each in found.entities]
    said = "scripted:judge says entailment (token probability 0.75) (threshold 0.5)"
    assert judged[0].evidence == [said]
    assert [each.confidence for each in judged] == [pytest.approx(0.75), None]
    assert judged[1].evidence == ["scripted:judge says contradiction"]


@pytest.mark.parametrize("answer", ["", "no JSON", '{"e1": "neutral", "e2": "entailment"}'])
def test_without_a_label_it_is_undecided(world: Any, blank: Any, said: Said, answer: str) -> None:
    world.answers["entail"] = answer
    found = world.run(blank)
    assert outcome(found) == [(None, 0), (None, 0)]
    assert "entailer scripted:judge gave no answer" in said(found)
    assert "gave no answer" in found.entities[0].decisions[-1].evidence[0]
    assert "ground" not in world.steps()


@pytest.mark.parametrize(
    ("answer", "evidence"),
    [
        ("", "gave no answer (empty)"),
        ('{"e1": [[5000, 5000, 6000, 6000]]}', "is no box in the picture"),
        ('{"e1": [1, 2]}', "[1, 2] is no box in the picture"),
        ('{"e1": "left"}', "'left' is no box in the picture"),
        ('{"e1": [5000, 5000, 6000, 6000]}', "is no box in the picture"),
    ],
)
def test_without_a_box_it_is_undecided(world: Any, blank: Any, answer: str, evidence: str) -> None:
    world.answers["ground"] = answer
    found = world.run(blank)
    assert outcome(found) == [(None, 0), (False, 0)]
    told = [each for each in found.entities[0].decisions if each.step == "ground"]
    assert evidence in told[-1].evidence[0]


@pytest.mark.parametrize("label", ["Entailment", "**entailment**", "entailed", "yes", True])
def test_a_label_may_be_worded_otherwise(world: Any, blank: Any, label: Any) -> None:
    world.answers["entail"] = json.dumps({"e1": label, "e2": "Contradiction."})
    assert outcome(world.run(blank)) == [(True, 1), (False, 0)]


@pytest.mark.parametrize(
    "box",
    [
        "[100, 200, 900, 800]",
        "[[100, 200, 900, 800]]",
        '"[100, 200, 900, 800]"',
        '{"box_2d": [100, 200, 900, 800]}',
        '[{"box": [100, 200, 900, 800]}]',
        "[[100, 200], [900, 800]]",
    ],
)
def test_a_box_may_be_written_otherwise(world: Any, blank: Any, box: str) -> None:
    world.answers["ground"] = f'{{"e1": {box}}}'
    (region,) = world.run(blank).entities[0].regions
    assert region.box == pytest.approx((80, 30, 320, 270))


@pytest.mark.parametrize("nothing", ["null", "[]", '"None"', '"not visible"', "[null]"])
def test_what_a_model_does_not_find_is_not_to_be_seen(world: Any, blank: Any, nothing: str) -> None:
    world.answers["ground"] = f'{{"e1": {nothing}}}'
    found = world.run(blank)
    assert outcome(found) == [(False, 0), (False, 0)]
    told = found.entities[0].decisions[-1]
    assert (told.step, told.subject, told.outcome) == ("ground", "groundable", "no")
    (evidence,) = told.evidence
    assert evidence.endswith("says that it is not to be seen, though it was entailed")
    row = parse_row({"id": "1", **found.model_dump(mode="json")}, Row)
    unseen = [each.model_copy(update={"regions": ()}) for each in row.entities]
    how = How(task("gmner"), convention("deixis"), rounds=1)
    gold = row.model_copy(update={"entities": tuple(unseen)})
    assert evaluate([gold], [row], how).all.score == Score(2, 2, 2)


def test_of_several_boxes_the_first_that_is_one_is_taken(world: Any, blank: Any) -> None:
    world.answers["ground"] = '{"e1": [[9, 9, 1, 1], [0, 0, 100, 100], [0, 0, 500, 500]]}'
    person = world.run(blank).entities[0]
    assert [each.box for each in person.regions] == [pytest.approx((0, 0, 40, 30))]
    assert person.decisions[-1].evidence == [
        "scripted:gemini-2.5-flash points at it, the first of 3 boxes"
    ]


def test_a_model_whose_boxes_nobody_can_read_is_not_asked(
    world: Any, blank: Any, said: Said
) -> None:
    found = world.run(blank, roles={"vlm": "scripted:unknown"})
    assert outcome(found)[0] == (None, 0) and "ground" not in world.steps()
    assert "it is not known how scripted:unknown writes boxes" in said(found)


def test_weights_of_one_s_own_point_as_their_family_does(world: Any, blank: Any) -> None:
    world.answers["ground"] = '{"e1": [0, 250, 500, 1000]}'
    found = world.run(blank, roles={"vlm": "scripted:unknown?family=gemini"})
    assert [each.box for each in found.entities[0].regions] == [(100, 0, 400, 150)]
    (asked,) = [each for each in world.asked if each.step == "ground"]
    assert asked.model == "unknown" and "[y1, x1, y2, x2]" in asked.system + asked.user


def test_a_model_whose_family_writes_shares_is_asked_for_numbers(world: Any, blank: Any) -> None:
    world.answers["ground"] = '{"e1": [0.25, 0.13, 0.75, 0.5]}'
    found = world.run(blank, roles={"vlm": "scripted:unknown?family=llava"})
    (region,) = found.entities[0].regions
    assert region.box == pytest.approx((100, 2, 300, 150)), "of a square of 400 x 400"


def test_a_family_has_no_effect_on_who_does_not_point(world: Any, blank: Any) -> None:
    with pytest.raises(SettingsError, match=r"expander: option family of .* has no effect"):
        world.run(blank, roles={"expander": "scripted:writer?family=gemini"})


def test_models_without_eyes_are_not_asked(
    world: Any, blank: Any, said: Said, scripted: Any
) -> None:
    scripted(world.say, sees=False)
    with pytest.raises(SettingsError, match="entailer: scripted:judge takes no pictures"):
        world.run(blank)
    found = world.run(blank, roles={"entailer": "fits"})
    assert outcome(found) == [(None, 0), (False, 0)]
    assert {"entail", "ground"}.isdisjoint(world.steps())


def test_tools_that_fail_leave_it_undecided(
    world: Any, blank: Any, said: Said, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(world.eyes, "fails", True)
    found = world.run(blank, roles=BY_TOOLS)
    assert outcome(found) == [(None, 0), (False, 0)]
    assert "nothing was pointed at: eyes: out of memory" in said(found)
    monkeypatch.setattr(world.fits, "fails", True)
    found = world.run(blank, roles=BY_TOOLS)
    assert outcome(found) == [(None, 0), (None, 0)]
    assert "undecided: fits: out of memory" in said(found)


def test_what_is_not_found_is_undecided(world: Any, blank: Any) -> None:
    world.answers["entail"] = json.dumps(dict.fromkeys(("e1", "e2"), "entailment"))
    found = world.run(blank, roles={**BY_TOOLS, "entailer": "scripted:judge"})
    assert outcome(found) == [(True, 1), (None, 0)]
    assert "nothing fits 'An armed force'" in found.entities[1].decisions[-1].evidence


def test_without_a_picture_nothing_is_asked_about_it(world: Any) -> None:
    found = world.run(None)
    assert outcome(found) == [(None, 0), (None, 0)]
    assert {"entail", "ground"}.isdisjoint(world.steps())
    assert found.entities[0].decisions[-1].evidence == ["there is no picture"]


@pytest.mark.extra
def test_people_whom_a_detector_of_faces_saw_are_given_out(world: Any, hopper: Any) -> None:
    """A detector that takes no phrases: what it saw before stands in for grounding."""
    roles = {"entailer": "fits", "vlm": None, "detector": "centerface"}
    found = world.run(hopper, roles=roles)
    assert outcome(found) == [(True, 1), (False, 0)]
    assert found.entities[0].regions[0].source == "centerface"


@pytest.mark.extra
def test_without_an_entailer_evidence_decides_and_it_says_so(
    world: Any, hopper: Any, said: Said
) -> None:
    roles = {"entailer": None, "vlm": None, "detector": "centerface", "reader": "rapidocr"}
    found = world.run(hopper, roles=roles)
    assert outcome(found) == [(True, 1), (False, 0)]
    assert "nobody plays the entailer" in said(found)


def test_a_name_that_stands_twice_is_judged_twice(world: Any, blank: Any) -> None:
    world.answers["recognize"] = world.recognized(("Hopper", "PER"), ("Hopper", "PER"))
    world.answers["entail"] = json.dumps(dict.fromkeys(("e1", "e2"), "entailment"))
    found = world.run(blank, "Hopper and Hopper")
    assert outcome(found) == [(True, 1), (True, 1)]
    assert found.entities[0].start != found.entities[1].start


def test_a_curve_says_what_a_fit_is_worth(world: Any, blank: Any) -> None:
    curves = {"fits": {"PER": {"a": 1, "b": -2, "threshold": 0.5}}}
    found = world.run(blank, roles=BY_TOOLS, calibration=curves)
    assert outcome(found) == [(False, 0), (False, 0)]
    decided = found.entities[0].decisions[-1]
    assert decided.evidence[1] == "0.80 by fits is worth 0.35 (calibrated)"
    assert decided.confidence == pytest.approx(0.65, abs=0.01)
