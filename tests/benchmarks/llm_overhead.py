"""Measure what the graph costs beside the models: instant models, a text without a picture.

Run with ``python tests/benchmarks/llm_overhead.py``. Four things are done in turn, again and
again, each time with another text of two entities: a bare LangGraph graph of the same shape whose
nodes do nothing; the whole graph; the agents called one after the other in a plain loop, as the
same work without LangGraph; and the recognizer alone, which is a model that cannot be made
instant, and is part of the two before. Given are the processor's time of all threads, least and
median, which a machine that others use stretches less, and the time that has passed, median.
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
from deixis.agents.context.state import MERGED, OVERWRITE, merge
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

NAMES = ("Grace Hopper", "Eileen Collins", "Ada Lovelace", "Marie Curie", "Bill Clinton")
PLACES = ("Harvard University", "Houston", "Paris", "the US Navy")
ROUNDS = 400
ANSWERS: dict[int, tuple[Any, str]] = {}
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


def text_of(number: int) -> str:
    """Return a text with two entities, another for every number."""
    return f"{NAMES[number % 5]} taught at {PLACES[number // 5 % 4]} in the year {number:04}"


def plain_loop(toolbox: Toolbox, text: str) -> dict[str, Any]:
    """Call the agents one after the other, without LangGraph."""
    state: Any = {"text": text}

    def take(update: dict[str, Any]) -> None:
        for key, value in update.items():
            if isinstance(value, dict) and OVERWRITE in value:
                state[key] = value[OVERWRITE]
            else:
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
    known = ANSWERS.get(id(schema))
    if known is None:  # with the schema, or another could come to have its id
        known = ANSWERS[id(schema)] = schema, json.dumps(stand_ins.answer_to(schema, "a", ""))
    return known[1]


def main() -> None:
    stand_ins.SETUP["answer"] = at_once
    settings: Settings = stand_ins.settings(cache="off")
    ours, bare, toolbox = build_graph(settings), bare_graph(), Toolbox(settings)
    kinds: dict[str, Callable[[str], Any]] = {
        "bare graph": lambda _: bare.invoke({"seen": {}}),
        "whole graph": lambda text: ours.invoke({"text": text}),
        "plain loop": lambda text: plain_loop(toolbox, text),
        "recognizer": toolbox.tagger.weigh,
    }
    for number in range(20):
        text = text_of(number)
        whole, loop = ours.invoke({"text": text}), plain_loop(toolbox, text)
        assert whole["entities"] == loop["entities"] and len(whole["entities"]) == 2, text
    worked: dict[str, list[float]] = {name: [] for name in kinds}
    passed: dict[str, list[float]] = {name: [] for name in kinds}
    for number in range(ROUNDS):
        for name, run in kinds.items():
            started, before = time.perf_counter(), time.process_time()
            run(text_of(number))
            worked[name].append(1000 * (time.process_time() - before))
            passed[name].append(1000 * (time.perf_counter() - started))
    for name in kinds:
        least, middle = min(worked[name]), statistics.median(worked[name])
        print(
            f"{name:12} processor {least:6.2f} ms at least, {middle:6.2f} median; "
            f"passed {statistics.median(passed[name]):6.2f} median"
        )
    for how, of in {
        "processor, least": {name: min(times) for name, times in worked.items()},
        "processor, median": {name: statistics.median(times) for name, times in worked.items()},
        "passed, median": {name: statistics.median(times) for name, times in passed.items()},
    }.items():
        whole, base, work = of["whole graph"], of["bare graph"], of["plain loop"]
        print(
            f"{how:18} whole / bare {whole / base:.2f}, whole / (bare + loop) "
            f"{whole / (base + work):.2f}, loop / bare {work / base:.2f}, "
            f"loop without the recognizer / bare {(work - of['recognizer']) / base:.2f}"
        )


if __name__ == "__main__":
    main()
