"""Routes: where a node leads to, said by the node while it has the state in hand.

LangGraph asks a conditional edge when its node has ended: it copies every channel for the answer,
and traces the asking as a run of its own. A node that says where it leads to (`Command`) spares
both. The edge stays, for drawings and for all who write in a node's name (``update_state``) and go
on from there: it is asked where the node has not said it.
"""

from collections.abc import Callable, Mapping
from typing import Any

from langgraph.graph.state import CompiledStateGraph
from langgraph.runtime import Runtime, get_runtime
from langgraph.types import Command, Send

from deixis.agents.context.several import after
from deixis.agents.context.state import Context, State, Update

Route = Callable[[State, Runtime[Context]], str | list[str] | list[Send] | list[Send | str]]


def routed(route: Route, state: State, update: Update, runtime: Runtime[Context]) -> Command[Any]:
    """Return an update and where it leads to.

    Args:
        route: that of the node.
        state: as the node was given it.
        update: what it brought.
        runtime: that of the run.
    """
    going: Any = route(after(state, update), runtime)
    return Command(update=update, goto=going)


def edge_of(route: Route) -> Callable[[State], Any]:
    """Return a route as an edge asks it: with the runtime of the run, if there is one."""

    def edge(state: Any) -> Any:
        return route(state, get_runtime(Context) or Runtime())  # ``update_state`` has none

    edge.__name__ = route.__name__
    return edge


def spared(
    compiled: CompiledStateGraph[Any, Any, Any, Any], routes: Mapping[str, Route]
) -> dict[str, Route]:
    """Have edges not ask what their nodes say; return the routes of those nodes.

    Args:
        compiled: the graph.
        routes: by the names of the nodes whose conditional edges they are.
    """
    found = {}
    for name, route in routes.items():
        for writer in compiled.nodes[name].writers:
            edge: Any = writer
            if "reader" in getattr(
                edge, "kwargs", {}
            ):  # of what a node writes, an edge alone reads
                edge.func, edge.afunc = _unless_said(edge.func, edge.afunc)
                found[name] = route
    return found


def _unless_said(ask: Callable[..., Any], ask_async: Callable[..., Any]) -> tuple[Any, Any]:
    def edge(written: Any, **told: Any) -> Any:
        return written if isinstance(written, Command) else ask(written, **told)

    async def edge_async(written: Any, **told: Any) -> Any:
        return written if isinstance(written, Command) else await ask_async(written, **told)

    return edge, edge_async
