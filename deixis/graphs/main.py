"""The main graph.

            ┌─► recognize ─► consult (one a committee member) ─► vote ─► expand ─┐
START ─► open                                                                    ├─► entail ─► ...
            └─► observe (caption, objects, words in the picture) ────────────────┘

... ─► ground ─► segment ─► structure ─► END
"""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.graph import END, START, StateGraph
from langgraph.graph.state import CompiledStateGraph
from langgraph.runtime import Runtime
from langgraph.types import Send

from deixis.agents.consult import consult, member_tasks
from deixis.agents.entail import entail
from deixis.agents.expand import expand
from deixis.agents.ground import ground
from deixis.agents.observe import observe
from deixis.agents.open import open_sample
from deixis.agents.recognize import recognize
from deixis.agents.segment import segment
from deixis.agents.state import Context, GivenInput, Input, Output, State, Update
from deixis.agents.structure import structure
from deixis.agents.toolbox import Toolbox
from deixis.agents.vote import vote
from deixis.settings import Settings

Agent = Callable[[Any, Toolbox], Update]
Graph = CompiledStateGraph[State, Context, Input, Output]


def build_graph(
    stack: str | Path | Settings = "starter",
    *,
    checkpointer: BaseCheckpointSaver[Any] | None = None,
) -> Graph:
    """Build the graph that names entities and points at them.

    Args:
        stack: a stack's name, the path of a stack file, or settings.
        checkpointer: as for any LangGraph graph; pixels are never written to it.

    Returns:
        A compiled LangGraph graph. ``invoke({"image": ..., "text": ...})`` returns the
        fields of `deixis.Extraction` as plain data; ``context={role: model}`` swaps
        roles for one call; ``stream(..., stream_mode="custom")`` tells of every node
        ``{"node", "event": "start" | "end", "seconds", "detail"}``.

    Raises:
        SettingsError: the stack is wrong. What a call can raise: `InputError`,
        `SettingsError`, `MissingExtraError`, `MissingKeyError`, `ModelFileError`.
    """
    toolbox = Toolbox(Settings.load(stack))

    def node(agent: Agent) -> Any:
        return _node(agent, toolbox)

    def to_members(state: State, runtime: Runtime[Context]) -> list[Send] | str:
        members = toolbox.for_context(runtime.context).settings.roles.committee
        return [Send("consult", task) for task in member_tasks(state, len(members))] or "vote"

    builder = StateGraph(State, context_schema=Context, input_schema=Input, output_schema=Output)
    builder.add_node("open", node(open_sample))
    builder.add_node("recognize", node(recognize))
    builder.add_node("observe", node(observe))
    builder.add_node("consult", node(consult))
    builder.add_node("vote", node(vote))
    builder.add_node("expand", node(expand))
    builder.add_node("entail", node(entail))
    builder.add_node("ground", node(ground))
    builder.add_node("segment", node(segment))
    builder.add_node("structure", node(structure))

    builder.add_edge(START, "open")
    builder.add_edge("open", "recognize")
    builder.add_edge("open", "observe")
    builder.add_conditional_edges("recognize", to_members, ["consult", "vote"])
    builder.add_edge("consult", "vote")
    builder.add_edge("vote", "expand")
    builder.add_edge(["expand", "observe"], "entail")
    builder.add_edge("entail", "ground")
    builder.add_edge("ground", "segment")
    builder.add_edge("segment", "structure")
    builder.add_edge("structure", END)
    graph = builder.compile(checkpointer=checkpointer, name="deixis")
    # LangGraph would checkpoint the input as given, with every byte of the picture.
    graph.channels[START] = GivenInput(Input)
    return graph


def studio() -> Graph:
    """Return the starter graph for LangGraph's own server, which brings its checkpointer."""
    return build_graph()


def _node(agent: Agent, toolbox: Toolbox) -> Callable[[Any, Runtime[Context]], Update]:
    """Turn an agent into a node: swap roles by context, tell of start and end."""
    name = agent.__name__.removesuffix("_sample")

    def run(state: Any, runtime: Runtime[Context]) -> Update:
        started = time.perf_counter()
        runtime.stream_writer({"node": name, "event": "start"})
        update = agent(state, toolbox.for_context(runtime.context))
        seconds = time.perf_counter() - started
        runtime.stream_writer(
            {"node": name, "event": "end", "seconds": seconds, "detail": detail(update)}
        )
        return update

    return run


def detail(update: Update) -> str:
    """Say in a few words what a node brought."""
    counted = ("mentions", "testimonies", "knowledge", "expressions", "verdicts", "regions")
    return ", ".join(
        f"{len(update[key])} {key}"
        for key in counted
        if isinstance(update.get(key), dict) and update[key]
    )
