"""Measure what the graph costs beside the models: instant models, a text without a picture.

Run with ``python tests/benchmarks/llm_overhead.py``. Three things are timed in turn, again and
again, and the medians are given: a bare LangGraph graph of the same shape whose nodes do
nothing; the whole graph; and the agents called one after the other in a plain loop, as the
same work without LangGraph.
"""

import json
import statistics
import time
from collections.abc import Callable
from typing import Annotated, Any

import stand_ins
from langgraph.graph import END, START, StateGraph
from langgraph.types import Send
from typing_extensions import TypedDict

from deixis import Settings, build_graph
from deixis.agents.context.state import MERGED, merge
from deixis.agents.context.toolbox import Toolbox
from deixis.agents.main.consult import consult, member_tasks
from deixis.agents.main.entail import entail
from deixis.agents.main.expand import expand
from deixis.agents.main.ground import ground
from deixis.agents.main.recognize import recognize
from deixis.agents.main.vote import vote
from deixis.agents.observe import observe
from deixis.agents.open import open_sample
from deixis.agents.segment import segment
from deixis.agents.structure import structure

TEXT = "Grace Hopper of the US Navy taught at Harvard University"
ROUNDS = 400
ANSWERS: dict[int, str] = {}
NODES = ("recognize", "observe", "consult", "vote", "expand", "entail", "ground", "segment")


class Bare(TypedDict, total=False):
    seen: Annotated[dict[str, Any], merge]


def bare_graph() -> Any:
    """Return a graph of the shape of the main one whose nodes do nothing."""
    builder = StateGraph(Bare)
    for name in ("open", *NODES, "structure"):
        builder.add_node(name, lambda _, name=name: {"seen": {name: True}})
    builder.add_edge(START, "open")
    builder.add_edge("open", "recognize")
    builder.add_edge("open", "observe")
    builder.add_conditional_edges(
        "recognize", lambda _: [Send("consult", {"seen": {}})] * 3, ["consult"]
    )
    builder.add_edge("consult", "vote")
    builder.add_edge("vote", "expand")
    builder.add_edge(["expand", "observe"], "entail")
    for one, other in zip(NODES[5:], (*NODES[6:], "structure"), strict=True):
        builder.add_edge(one, other)
    builder.add_edge("structure", END)
    return builder.compile()


def plain_loop(toolbox: Toolbox) -> dict[str, Any]:
    """Call the agents one after the other, without LangGraph."""
    state: Any = {"text": TEXT}

    def take(update: dict[str, Any]) -> None:
        for key, value in update.items():
            value = getattr(value, "value", value)  # what LangGraph would overwrite
            state[key] = merge(state.get(key), value) if key in MERGED else value

    for agent in (open_sample, recognize, observe):
        take(agent(state, toolbox))
    for task in member_tasks(state, 3):
        take(consult(task, toolbox))
    for agent in (vote, expand, entail, ground, segment):
        take(agent(state, toolbox))
    return structure(state, toolbox)


def at_once(schema: dict[str, Any], messages: Any) -> str:
    """Answer a schema that was answered before from memory: the model is to cost nothing."""
    key = id(schema)
    if key not in ANSWERS:
        ANSWERS[key] = json.dumps(stand_ins.answer_to(schema, "a", ""))
    return ANSWERS[key]


def main() -> None:
    stand_ins.SETUP["answer"] = at_once
    settings: Settings = stand_ins.settings(cache="off")
    ours, bare, toolbox = build_graph(settings), bare_graph(), Toolbox(settings)
    kinds: dict[str, Callable[[], Any]] = {
        "bare graph": lambda: bare.invoke({"seen": {}}),
        "whole graph": lambda: ours.invoke({"text": TEXT}),
        "plain loop": lambda: plain_loop(toolbox),
    }
    taken: dict[str, list[float]] = {name: [] for name in kinds}
    assert len(ours.invoke({"text": TEXT})["entities"]) == len(plain_loop(toolbox)["entities"]) > 0
    for _ in range(ROUNDS):
        for name, run in kinds.items():
            started = time.perf_counter()
            run()
            taken[name].append(1000 * (time.perf_counter() - started))
    median = {name: statistics.median(times) for name, times in taken.items()}
    for name, time_ in median.items():
        print(f"{name:12} {time_:6.2f} ms")
    whole, base, work = median["whole graph"], median["bare graph"], median["plain loop"]
    print(f"whole / bare            {whole / base:.2f}")
    print(f"whole / (bare + loop)   {whole / (base + work):.2f}")


if __name__ == "__main__":
    main()
