"""Several passes of E2E-GMNER's graph: what most of them say holds."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from langchain_core.messages import AIMessage

from deixis import Extraction, build_graph

TEXT = "Grace Hopper of the US Navy at Harvard"
REFUSED = AIMessage("", additional_kwargs={"refusal": "I would rather not"})
BLANK = np.zeros((280, 560, 3), np.uint8)

Run = Callable[..., Extraction]

FIRST = "Grace Hopper|PER|[0,0,100,100]; US Navy|ORG|None; Harvard|ORG|[0,0,28,28]"
SECOND = "Grace Hopper|PER|[0,0,100,80]; US Navy|ORG|[0,0,50,50]; Harvard|ORG|[200,0,280,28]"
THIRD = "Grace Hopper|OTHER|[300,0,400,100]; US Navy|ORG|None; Navy|ORG|None"


def test_passes_are_settled_by_majority(run: Run, plain: Any) -> None:
    found = run(FIRST, SECOND, THIRD, graph_options={"passes": 3})
    assert plain(found) == [
        ("Grace Hopper", "PER", True, [(0, 0, 100, 90)]),
        ("US Navy", "ORG", False, []),
        ("Harvard", "ORG", None, []),
    ]
    assert [round(each.confidence, 2) for each in found.entities] == [0.67, 1.0, 0.67]
    assert found.entities[0].regions[0].score == pytest.approx(2 / 3)
    assert [each.id for each in found.replies] == ["extract/1/1", "extract/2/1", "extract/3/1"]
    assert found.usage[0].calls == 3


def test_what_few_passes_name_is_left_out_and_told(run: Run, said: Any) -> None:
    found = run("None", "Grace Hopper|PER|None", "US Navy|ORG|None", graph_options={"passes": 3})
    assert found.entities == []
    assert "1 of 3 passes named 'US Navy'; it was left out" in said(found)


def test_a_pass_without_an_answer_has_no_vote(run: Run, said: Any) -> None:
    found = run(REFUSED, "I see a woman.", FIRST, graph_options={"passes": 3})
    assert [each.text for each in found.entities] == ["Grace Hopper", "US Navy", "Harvard"]
    assert [each.confidence for each in found.entities] == [1.0] * 3
    assert "(refused)" in said(found) and "no record was found" in said(found)


def test_each_pass_is_asked_and_kept_on_its_own(scripted: Any, settings: Any) -> None:
    asked = []
    scripted(lambda name, *_: asked.append(name) or FIRST)
    graph = build_graph(settings(graph_options={"passes": 3}, cache="use"))
    outs = [graph.invoke({"text": TEXT, "image": BLANK}) for _ in range(2)]
    assert len(asked) == 3
    assert [out["usage"][0]["cached"] for out in outs] == [0, 3]
    assert outs[0]["entities"] == outs[1]["entities"]
