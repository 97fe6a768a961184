"""structure: what was found out becomes an `Extraction`, and nothing broken gets out."""

import json
from typing import Any

import pytest
from pydantic import ValidationError

from deixis.agents.context.state import decision, merge
from deixis.agents.structure import structure, usage
from deixis.schema import Extraction
from deixis.settings import Price


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
            **decision("e1", "recognize", "type", "PER", confidence=0.9),
            **decision("e2", "recognize", "type", "ORG"),
            **decision("e1", "entail", "groundable", "yes", evidence=["a"]),
            **decision("e1", "ground", "box", "[1, 2, 3, 4]"),
        },
        "calls": {},
        "notices": {"open/x": {"step": "open", "message": "x"}},
    }


def call(role: str, status: str = "ok", model: str = "m", *, retry: bool = False) -> dict[str, Any]:
    return {
        "role": role,
        "model": model,
        "status": status,
        "input_tokens": 7,
        "output_tokens": 3,
        "seconds": 0.5,
        "retry": retry,
        "prompt": "p 1",
        "finish_reason": "stop",
        "text": "{}",
        "cached_input_tokens": 4,
        "cache_write_tokens": 1,
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
    assert out["warnings"] == [{"step": "open", "message": "x", "kind": "degraded"}]
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
        "consult/1/1": call("committee", "failed"),
        "consult/1/2": call("committee", retry=True),
        "consult/2/1": call("committee", model="other?seed=1"),
        "consult/3/1": call("committee", "cached"),
        "consult/4/1": call("committee", "shared"),
        "expand/1/1": call("expander", "invalid"),
    }
    prices = {"m": Price(input=1000, output=100_000), "other": Price(input=0, output=1_000_000)}
    added = usage(calls, prices)
    assert [each.role for each in added] == ["committee", "committee", "expander"]
    sums = {(each.role, each.model): each for each in added}
    committee = sums["committee", "m"]
    assert (committee.calls, committee.failed, committee.retries) == (2, 1, 1)
    assert (committee.cached, committee.shared) == (1, 1)
    assert (committee.input_tokens, committee.output_tokens, committee.seconds) == (28, 12, 2.0)
    assert committee.cost == pytest.approx(28 * 0.001 + 12 * 0.1)
    assert (committee.cached_input_tokens, committee.cache_write_tokens) == (16, 4)
    less = Price(input=1000, output=100_000, cached_input=100, cache_write=2000)
    priced = usage(calls, {"m": less})[0].cost
    assert priced == pytest.approx(8 * 0.001 + 16 * 0.0001 + 4 * 0.002 + 12 * 0.1)
    other = sums["committee", "other?seed=1"]
    assert (other.calls, other.cost) == (1, 3.0)
    assert sums["expander", "m"].failed == 1
    assert usage(calls, {"o": prices["m"]})[0].cost is None


def test_a_step_that_is_replayed_is_counted_once(
    state: dict[str, Any], toolbox_of: Any, run: Any
) -> None:
    update = {"vote/1/1": call("voter")}
    state["calls"] = merge(merge(merge(None, update), update), json.loads(json.dumps(update)))
    out = run(structure, state, toolbox_of())
    assert out["usage"][0]["calls"] == 1
    assert [(reply["id"], reply["text"]) for reply in out["replies"]] == [("vote/1/1", "{}")]
