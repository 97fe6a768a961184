"""Building a graph: settings name it, its own file wires it, and this makes its nodes."""

import time
from collections.abc import (
    AsyncGenerator,
    AsyncIterator,
    Callable,
    Generator,
    Iterable,
    Iterator,
    Mapping,
    Sequence,
)
from itertools import pairwise
from pathlib import Path
from typing import Any, cast

from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.errors import GraphBubbleUp
from langgraph.graph import END, START, StateGraph
from langgraph.graph.state import CompiledStateGraph
from langgraph.runtime import Runtime
from langgraph.types import Send

from deixis.agents.context.given import GivenInput, without_media
from deixis.agents.context.merging import merging
from deixis.agents.context.state import (
    OVERWRITE,
    Context,
    Input,
    Output,
    Post,
    Sample,
    State,
    Update,
    added,
    notice,
)
from deixis.agents.context.toolbox import Toolbox
from deixis.agents.main.agreement import next_tasks
from deixis.errors import SettingsError
from deixis.graphs.registry import find
from deixis.graphs.routes import Route, edge_of, routed, spared
from deixis.llms.servers.awaited import Awaited
from deixis.llms.tracing import Tracing
from deixis.settings import Settings
from deixis.tools.base import listening

Agent = Callable[[Any, Toolbox], Update]


class Waiting(GraphBubbleUp):
    """A node waits for a batch: LangGraph lets the others of its step end, and begins no more."""


class Graph(CompiledStateGraph[State, Context, Input, Output]):
    """A compiled LangGraph graph whose media no callback and no tracer is given.

    Args:
        tracing: what makes a span of each sample; None is for none.
        compiled: what LangGraph's builder made.
    """

    def __init__(self, *, tracing: Tracing | None = None, **compiled: Any) -> None:
        super().__init__(**compiled)
        self.tracing = tracing

    def stream(self, input: Any, *args: Any, **kwargs: Any) -> Iterator[Any]:
        """Run the graph, as LangGraph's ``stream`` does."""
        parts = super().stream(without_media(input), *args, **kwargs)
        if self.tracing is None or not self.tracing.on:
            return parts
        return self.tracing.over(cast("Generator[Any]", parts), *self._told())

    def _told(self) -> tuple[str, dict[str, str]]:
        return self.name, {
            "gen_ai.operation.name": "invoke_workflow",
            "gen_ai.workflow.name": self.name,
        }

    def astream(self, input: Any, *args: Any, **kwargs: Any) -> AsyncIterator[Any]:
        """Run the graph, as LangGraph's ``astream`` does."""
        parts = super().astream(without_media(input), *args, **kwargs)
        if self.tracing is None or not self.tracing.on:
            return parts
        return self.tracing.over_async(cast("AsyncGenerator[Any]", parts), *self._told())


def build_graph(
    stack: str | Path | Settings = "starter",
    *,
    graph: str | None = None,
    checkpointer: BaseCheckpointSaver[Any] | None = None,
) -> Graph:
    """Build the graph that names entities and points at them.

    Args:
        stack: a stack's name, the path of a stack file, or settings.
        graph: a graph to build instead of the one that the stack is for, without options.
        checkpointer: as for any LangGraph graph; pixels are never written to it.

    Returns:
        A compiled LangGraph graph. ``invoke({"image": ..., "text": ...})`` returns the
        fields of `deixis.Extraction` as plain data; ``context={role: model}`` swaps
        roles for one call; ``stream(..., stream_mode="custom")`` tells of every node
        ``{"node", "event": "start" | "end", "seconds", "detail"}``.

    A call can raise `InputError`, `SettingsError`, `MissingExtraError`, `MissingKeyError` and
    `ModelFileError`.

    Raises:
        SettingsError: the stack is wrong.
    """
    settings = Settings.load(stack)
    if graph is not None:
        settings = settings.with_graph(graph)
    return graph_of(toolbox_of(settings), checkpointer)


def toolbox_of(settings: Settings) -> Toolbox:
    """Return the models and tools of the graph that the settings name.

    Raises:
        SettingsError: as for `build_graph`.
    """
    return Toolbox(settings, find(settings.graph))


def graph_of(toolbox: Toolbox, checkpointer: BaseCheckpointSaver[Any] | None = None) -> Graph:
    """Build the graph that a toolbox was made for; else as `build_graph`."""
    system = toolbox.cast.system
    assert system is not None, "it was made for a graph"
    wiring = Wiring(toolbox)
    system.wire(wiring, toolbox.graph_options(system.options))
    if toolbox.settings.options.committee != "all" and not wiring.votes:
        raise SettingsError(
            f"options.committee: {toolbox.settings.options.committee} has no effect, for no "
            f"committee votes in the graph {system.name!r} as it is set up; leave it out"
        )
    compiled = wiring.graph.compile(
        checkpointer=checkpointer, name=f"deixis {toolbox.settings.graph}"
    )
    # LangGraph would checkpoint the input as given, with every byte of the picture, and
    # LangChain's tools would ask for every key of it.
    compiled.channels = {name: merging(each) for name, each in compiled.channels.items()}
    compiled.channels[START] = GivenInput(Sample if "audio" in system.takes else Post)
    wiring.said.update(spared(compiled, wiring.routes))
    return Graph(tracing=toolbox.asker.tracing, **vars(compiled))


class Wiring:
    """What a graph's file wires: LangGraph's builder, and agents that become its nodes.

    Attributes:
        graph: the `StateGraph`, for edges.
        votes: whether a committee is asked, and votes.
        routes: those of `lead`, by the nodes that they start from.
        said: those of them that the nodes follow themselves.
    """

    def __init__(self, toolbox: Toolbox) -> None:
        self._toolbox = toolbox
        self.votes = False
        self.routes: dict[str, Route] = {}
        self.said: dict[str, Route] = {}
        self.graph = StateGraph(
            State, context_schema=Context, input_schema=Input, output_schema=Output
        )

    def add(self, *agents: Agent) -> None:
        """Add agents as nodes, called as the functions are (without ``_sample``).

        Args:
            agents: the functions.
        """
        for agent in agents:
            self.graph.add_node(_name(agent), _node(agent, self._toolbox, self.said))

    def lead(self, node: str, route: Route, ends: list[str]) -> None:
        """Lead from a node on, by a conditional edge; a node has one at most.

        Args:
            node: where it starts.
            route: says where it leads to.
            ends: where it may lead to.
        """
        assert self.routes.setdefault(node, route) is route, f"two ways lead on from {node}"
        self.graph.add_conditional_edges(node, edge_of(route), ends)

    def chain(self, *agents: Agent, after: Sequence[str] = (START,)) -> None:
        """Add agents that run one after the other, up to the end.

        Args:
            agents: the functions.
            after: nodes that all have run before the first of them; none where another edge leads
                to it.
        """
        self.add(*agents)
        first, *others = [*map(_name, agents), END]
        if after:
            self.graph.add_edge(after[0] if len(after) == 1 else list(after), first)
        for one, other in pairwise([first, *others]):
            self.graph.add_edge(one, other)

    def toolbox(self, runtime: Runtime[Context]) -> Toolbox:
        """Return the toolbox of one run, with the roles swapped that its context names."""
        return self._toolbox.for_context(runtime.context)

    def committee(
        self,
        node: str,
        vote: str,
        after: str,
        about: Callable[[State], Iterable[str]] | None = None,
    ) -> Callable[[State, Runtime[Context]], list[Send] | str]:
        """Lead from a committee's members to the vote, and from there on.

        With ``committee: until_agreed`` the vote leads back to members that are to be asked now.

        Args:
            node: where a member is asked.
            vote: the node after that.
            after: the node after the vote.
            about: says which entities they are asked about; None is for all.

        Returns:
            A route that sends `node` one task for each member who is asked first; to `vote`
            where there is nothing to ask about.
        """

        def tasks(state: State, runtime: Runtime[Context]) -> list[Send]:
            asked = about(state) if about else None
            return [Send(node, task) for task in next_tasks(state, self.toolbox(runtime), asked)]

        def onwards(state: State, runtime: Runtime[Context]) -> list[Send] | str:
            return tasks(state, runtime) or after

        self.votes = True
        self.graph.add_edge(node, vote)
        if self._toolbox.settings.options.committee == "all":
            self.graph.add_edge(vote, after)
        else:
            self.lead(vote, onwards, [node, after])
        return lambda state, runtime: tasks(state, runtime) or vote


def _name(agent: Agent) -> str:
    return agent.__name__.removesuffix("_sample")


def _node(agent: Agent, toolbox: Toolbox, routes: Mapping[str, Route]) -> Any:
    """Turn an agent into a node: swap roles by context, tell of start and end, say where to go."""
    name = _name(agent)

    def run(state: Any, runtime: Runtime[Context]) -> Any:
        started = time.perf_counter()
        runtime.stream_writer({"node": name, "event": "start"})
        with toolbox.asker.tracing.span(f"node {name}", {"deixis.node": name}) as span:
            update = perform(agent, state, toolbox.for_context(runtime.context))
            span.tell({"deixis.detail": detail(update) or None, **_opened(update)})
        seconds = time.perf_counter() - started
        runtime.stream_writer(
            {"node": name, "event": "end", "seconds": seconds, "detail": detail(update)}
        )
        return routed(routes[name], state, update, runtime) if name in routes else update

    return run


def _opened(update: Update) -> dict[str, Any]:
    """Return what a span tells of the picture that a node has opened."""
    picture = update.get("picture")
    if not isinstance(picture, dict) or not picture.get("sha256"):
        return {}
    names = ("sha256", "width", "height")
    return {f"deixis.picture.{name}": picture[name] for name in names if name in picture}


def perform(agent: Agent, state: Any, toolbox: Toolbox) -> Update:
    """Run an agent; what its tools warn of becomes a notice of its step."""
    with listening() as warned:
        try:
            update = agent(state, toolbox)
        except Awaited as error:
            raise Waiting(str(error)) from error
    return added(update, notice(_name(agent), "; ".join(warned))) if warned else update


def detail(update: Update) -> str:
    """Say in a few words what a node brought."""
    counted = (
        *("mentions", "testimonies", "knowledge", "expressions", "verdicts", "regions"),
        *("related", "happened", "spans", "tracks"),
    )
    return ", ".join(
        f"{len(update[key])} {key}"
        for key in counted
        if update.get(key) and OVERWRITE not in update[key]
    )
