"""structure: what was found out becomes an `Extraction`, and nothing broken gets out."""

import json
from typing import Any

import pytest
from pydantic import ValidationError

from deixis.agents.state import decision, merge
from deixis.agents.structure import structure, usage
from deixis.schema import Extraction


@pytest.fixture
def state(mention: Any) -> dict[str, Any]:
    region = {"box": [1.0, 2.0, 3.0, 4.0], "mask": None, "score": 0.5, "source": "test"}
    return {
        "text": "Ann met NASA",
        "picture": {"sha256": "00", "width": 40, "height": 30, "source": "bytes"},
        "mentions": {"e2": mention("NASA", 8, "ORG"), "e1": mention("Ann")},
        "verdicts": {"e1": {"groundable": True}, "e2": {"groundable": None}},
        "regions": {"e1": [region]},
        "kinds": {"e2": {"type": "OTHER", "fine_type": "award"}},
        "expressions": {"e1": "Ann (PER) – a woman"},  # noqa: RUF001
        "knowledge": {"e1": {"attributes": [], "summary": "tall"}},
        "observation": {"caption": "Seen: 1 person"},
        "decisions": {
            **decision("e1", "ground", "box", "[1, 2, 3, 4]"),
            **decision("e1", "recognize", "type", "PER", confidence=0.9),
            **decision("e1", "entail", "groundable", "yes", evidence=["a"]),
            **decision("e2", "recognize", "type", "ORG"),
        },
        "calls": {},
        "notices": {"open/x": {"step": "open", "message": "x"}},
    }


def call(role: str, status: str = "ok", model: str = "m") -> dict[str, Any]:
    return {
        "role": role,
        "model": model,
        "status": status,
        "input_tokens": 7,
        "output_tokens": 3,
        "seconds": 0.5,
    }


def test_entities_are_in_the_order_of_the_text_with_all_that_is_known(
    state: dict[str, Any], toolbox_of: Any, run: Any
) -> None:
    out = run(structure, state, toolbox_of())
    ann, nasa = Extraction.model_validate(out).entities
    assert (ann.id, ann.text, ann.groundable, ann.type) == ("e1", "Ann", True, "PER")
    assert ann.regions[0].box == (1, 2, 3, 4) and ann.knowledge.summary == "tall"
    assert [each.step for each in ann.decisions] == ["recognize", "entail", "ground"]
    assert (nasa.type, nasa.fine_type, nasa.groundable) == ("OTHER", "award", None)
    assert nasa.expression is None and nasa.knowledge.attributes == []
    assert [each.subject for each in nasa.decisions] == ["type"]
    assert out["caption"] == "Seen: 1 person"
    assert out["warnings"] == [{"step": "open", "message": "x"}]
    assert out["image"] == state["picture"]


def test_decisions_of_e1_are_not_those_of_e10(
    state: dict[str, Any], toolbox_of: Any, run: Any, mention: Any
) -> None:
    state["mentions"]["e10"] = mention("met", 4)
    state["verdicts"]["e10"] = {"groundable": False}
    state["decisions"] |= decision("e10", "vote", "age", "old")
    entities = run(structure, state, toolbox_of())["entities"]
    assert [each["id"] for each in entities] == ["e1", "e10", "e2"]
    assert [len(each["decisions"]) for each in entities] == [3, 1, 1]


def test_a_text_without_mentions_or_picture_is_a_result(toolbox_of: Any, run: Any) -> None:
    out = run(structure, {"text": "hi", "mentions": {}, "decisions": {}}, toolbox_of())
    assert out["entities"] == [] and out["image"] is None and out["caption"] is None


@pytest.mark.parametrize(
    "spoil",
    [
        lambda state: state["mentions"]["e1"].update(start=1, end=4),
        lambda state: state["verdicts"]["e2"].update(groundable=True),
        lambda state: state["regions"]["e1"][0].update(box=[0.0, 0.0, 41.0, 30.0]),
        lambda state: state.update(picture=None),
    ],
)
def test_a_result_that_breaks_a_promise_raises(
    state: dict[str, Any], toolbox_of: Any, spoil: Any
) -> None:
    spoil(state)
    with pytest.raises(ValidationError):
        structure(state, toolbox_of())


def test_calls_are_added_up_by_role_and_model() -> None:
    calls = {
        "consult/committee/0/0": call("committee"),
        "consult/committee/1/0": call("committee", "failed"),
        "consult/committee/2/0": call("committee", model="other"),
        "expand/expander/0/0": call("expander", "invalid"),
    }
    sums = {(each.role, each.model): each for each in usage(calls)}
    committee = sums["committee", "m"]
    assert (committee.calls, committee.failed, committee.input_tokens) == (2, 1, 14)
    assert (committee.output_tokens, committee.seconds) == (6, 1.0)
    assert sums["committee", "other"].calls == 1
    assert sums["expander", "m"].failed == 1
    assert [each.role for each in usage(calls)] == ["committee", "committee", "expander"]


def test_a_step_that_is_replayed_is_counted_once(
    state: dict[str, Any], toolbox_of: Any, run: Any
) -> None:
    update = {"vote/voter/0/0": call("voter")}
    state["calls"] = merge(merge(merge(None, update), update), json.loads(json.dumps(update)))
    assert run(structure, state, toolbox_of())["usage"][0]["calls"] == 1
