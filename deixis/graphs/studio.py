"""The graphs for LangGraph's own server and Studio, as ``langgraph.json`` lists them.

Each is built from the stack that comes with Deixis for it; the stack that the environment
variable ``DEIXIS_STACK`` names takes its place for the graph that it is for. The server brings
its own checkpointer. It asks for a graph at every run, in its event loop, where no file may be
read.
"""

import os
from asyncio import to_thread
from functools import cache

from deixis.graphs.build import Graph, build_graph
from deixis.settings import Settings

VARIABLE = "DEIXIS_STACK"


async def main() -> Graph:
    """Return the main graph."""
    return await to_thread(_built, "starter")


async def riveg() -> Graph:
    """Return RiVEG's graph."""
    return await to_thread(_built, "riveg")


async def vkel() -> Graph:
    """Return VKEL's graph."""
    return await to_thread(_built, "vkel")


async def e2e() -> Graph:
    """Return the end-to-end graph."""
    return await to_thread(_built, "e2e")


async def mmre() -> Graph:
    """Return MMRE's graph."""
    return await to_thread(_built, "mmre")


async def muie() -> Graph:
    """Return MUIE's graph."""
    return await to_thread(_built, "muie")


@cache
def _built(shipped: str) -> Graph:
    settings = Settings.load(shipped)
    named = os.environ.get(VARIABLE)
    if named and (own := Settings.load(named)).graph == settings.graph:
        settings = own
    return build_graph(settings)
