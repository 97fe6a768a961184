"""RiVEG's entailment in doubt: a second entailer, and several samples of one."""

import json
from typing import Any

import pytest

from deixis.testing import tools

pytestmark = pytest.mark.slow

FIRST = {"entailer": "fits", "vlm": None, "detector": "eyes"}


def labels(**said: bool) -> str:
    return json.dumps({k: "entailment" if v else "contradiction" for k, v in said.items()})


def test_only_what_is_in_doubt_is_asked(world: Any, blank: Any) -> None:
    roles = {**FIRST, "second_entailer": "scripted:dear"}
    world.run(blank, roles=roles, entailer_gate=0.7)
    assert "entail" not in world.steps(), "0.8 and 0.1 are no doubt"
    world.answers["entail"] = labels(e1=False)
    found = world.run(blank, roles=roles, entailer_gate=0.85)
    (asked,) = [each for each in world.asked if each.step == "entail"]
    assert asked.model == "dear" and "US Navy" not in asked.user.partition("e1:")[2]
    decided = found.entities[0].decisions[-1]
    assert (decided.outcome, decided.model, decided.confidence) == ("no", "scripted:dear", None)
    assert len(decided.evidence) == 2 and "fits the picture with 0.80" in decided.evidence[0]
    assert found.entities[1].decisions[-1].model == "fits"


def test_a_tool_may_be_the_second(world: Any, blank: Any) -> None:
    world.answers["entail"] = "no JSON"
    with tools(dear=world.fits):
        roles = {"second_entailer": "dear", "vlm": None, "detector": "eyes"}
        found = world.run(blank, roles=roles)
    assert [each.groundable for each in found.entities] == [True, False]
    judged = next(each for each in found.entities[0].decisions if each.step == "entail")
    assert judged.model == "fits" and "gave no answer" in judged.evidence[0]


def test_of_several_samples_the_share_is_the_probability(world: Any, blank: Any) -> None:
    said = iter([labels(e1=True, e2=False), labels(e1=True, e2=False), labels(e1=False, e2=False)])
    world.answers["entail"] = lambda *_: next(said)
    found = world.run(blank, entailer_samples=3)
    judged = [next(d for d in each.decisions if d.step == "entail") for each in found.entities]
    assert [each.confidence for each in judged] == [pytest.approx(2 / 3), 1.0]
    assert judged[0].evidence == [
        "scripted:judge says entailment in 2 of 3 samples (threshold 0.5)"
    ]
    assert len(judged[0].replies) == 3
