"""Whom the graph asks: roles swapped for a call, answers kept, recorded runs replayed."""

import json
from typing import Any

import pytest

from deixis import Settings, build_graph
from deixis.errors import CacheMissError
from deixis.testing import fill

pytestmark = pytest.mark.extra

TEXT = "Grace Hopper of the US Navy taught at Harvard University"


@pytest.fixture
def asked(scripted: Any) -> list[str]:
    """The names of the models asked, each of which answers at once."""
    names: list[str] = []

    def script(name: str, messages: list[Any], options: dict[str, Any]) -> str:
        names.append(name)
        return json.dumps(fill(options["json_schema"]))

    scripted(script)
    return names


def test_context_swaps_a_role_for_one_call(quick: Settings, asked: list[str]) -> None:
    graph = build_graph(quick)
    out = graph.invoke({"text": TEXT}, context={"expander": "scripted:other"})
    assert asked == ["any"] * 3 + ["other"]
    assert {"role": "expander", "model": "scripted:other", "calls": 1}.items() <= {
        key: value for usage in out["usage"] for key, value in usage.items()
    }.items()
    asked.clear()
    graph.invoke({"text": f"{TEXT}!"})
    assert asked == ["any"] * 4
    asked.clear()
    graph.invoke({"text": f"{TEXT}?"}, context={"committee": ["scripted:a", "scripted:b"]})
    assert sorted(asked) == ["a", "any", "b"]


def test_what_was_answered_once_is_not_asked_again(
    quick: Settings, asked: list[str], facts: Any
) -> None:
    asked.clear()
    first = build_graph(quick).invoke({"text": TEXT})
    assert len(asked) == 4, "three samples of one model, and the expander"
    again = build_graph(quick).invoke({"text": TEXT})
    assert len(asked) == 4
    assert facts(again) == facts(first)
    assert [(usage["calls"], usage["cached"]) for usage in again["usage"]] == [(0, 3), (0, 1)]
    assert all(usage["input_tokens"] == usage["output_tokens"] == 0 for usage in again["usage"])
    build_graph(quick).invoke({"text": f"{TEXT}!"})
    assert len(asked) == 8, "another text is another question"


def test_a_replay_asks_nobody(quick: Settings, scripted: Any, facts: Any) -> None:
    scripted()
    first = build_graph(quick).invoke({"text": TEXT})
    scripted(lambda *_: AssertionError("asked"))
    options = quick.options.model_copy(update={"cache": "replay"})
    replayed = build_graph(quick.model_copy(update={"options": options}))
    assert facts(replayed.invoke({"text": TEXT})) == facts(first)
    with pytest.raises(CacheMissError, match="scripted:any"):
        replayed.invoke({"text": "Eileen Collins flew"})


def test_a_failure_is_asked_again(quick: Settings, scripted: Any) -> None:
    scripted(lambda *_: "no JSON at all")
    first = build_graph(quick).invoke({"text": TEXT})
    assert len(first["warnings"]) > 0
    scripted()
    again = build_graph(quick).invoke({"text": TEXT})
    assert again["warnings"] == []
    assert all(usage["cached"] == 0 for usage in again["usage"])
