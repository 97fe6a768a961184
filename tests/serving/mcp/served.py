"""Servers of MCP for tests: in a process of their own over stdio, and over HTTP on loopback."""

import asyncio
import os
import socket
import sys
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from mcp import Client, StdioServerParameters

from deixis.serving.offers import Offers
from deixis.serving.service import Limits, Service
from deixis.settings import Settings
from deixis.testing import with_scripted_models

TEXT = "Grace Hopper of the US Navy"
STACK = """
description: quick
roles:
  recognizer: crf
  committee: [scripted:member1, scripted:member2]
  voter: scripted:voter
  expander: scripted:expander
  detector: {detector}
options: {{cache: "off"}}
"""
_PROGRAM = """
import sys, time
from pathlib import Path
from deixis.apps.cli import main
from deixis.testing import scripted, tools
from deixis.tools.base import Detection

here = Path({folder!r})

def answer(question):
    with open(here / "asked", "a") as asked:
        asked.write(question.model + "\\n")
    while (here / "wait").exists():
        time.sleep(0.02)
    print("a library that prints")

with scripted(answer), tools(eyes=[Detection("person", (10, 20, 200, 300), 0.9)]):
    main()
"""


def stack(folder: Path, detector: str = "eyes") -> Path:
    """Write a stack whose language models are scripted."""
    path = folder / "quick.yaml"
    path.write_text(STACK.format(detector=detector))
    return path


def process(folder: Path, *options: str) -> StdioServerParameters:
    """Return how ``deixis mcp`` is started; while the file ``wait`` is there, models wait."""
    arguments = ["-c", _PROGRAM.format(folder=str(folder)), "mcp", "--stack", str(stack(folder))]
    env = {**os.environ, "HOME": str(folder), "OMP_NUM_THREADS": "1"}
    return StdioServerParameters(command=sys.executable, args=[*arguments, *options], env=env)


def asked(folder: Path) -> list[str]:
    """Return which models were asked in the process."""
    path = folder / "asked"
    return path.read_text().split() if path.exists() else []


def offers(**roles: Any) -> Offers:
    """Return a stack that is quick, with scripted models."""
    bare = {"detector": None, "reader": None, "segmenter": None, "entailer": None}
    settings = with_scripted_models(Settings.load("starter").with_options(cache="off"))
    return Offers([settings.with_roles({**bare, "recognizer": "crf", **roles})])


async def until(true: Callable[[], Any], seconds: float = 20) -> None:
    """Wait for something."""
    for _ in range(int(seconds * 50)):
        if true():
            return
        await asyncio.sleep(0.02)
    raise AssertionError("never true")


class Served(NamedTuple):
    """A server on loopback."""

    url: str
    service: Service


@contextmanager
def served(offered: Offers, limits: Limits | None = None, **options: Any) -> Iterator[Served]:
    """Serve ``/mcp`` in a thread of its own."""
    import uvicorn
    from starlette.applications import Starlette
    from starlette.routing import Route

    from deixis.serving.mcp.http import Endpoint

    service = Service(offered, limits)
    endpoint = Endpoint(service, **options)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        async with service, endpoint.run():
            yield

    app = Starlette(routes=[Route("/mcp", endpoint=endpoint)], lifespan=lifespan)
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning", lifespan="on"))
    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=server.run, args=([listening],))
        thread.start()
        try:
            while not server.started:
                assert thread.is_alive()
                threading.Event().wait(0.01)
            yield Served(f"http://127.0.0.1:{listening.getsockname()[1]}/mcp", service)
        finally:
            server.should_exit = True
            thread.join(60)
    assert not thread.is_alive()


def text_of(result: Any) -> str:
    """Return the text of an answer."""
    (content,) = result.content
    assert content.type == "text"
    return str(content.text)


async def refused(client: Client, tool: str, arguments: dict[str, Any]) -> str:
    """Return in what words a call is refused: one line."""
    result = await client.call_tool(tool, arguments)
    assert result.is_error and result.structured_content is None, text_of(result)
    said = text_of(result)
    assert said and "\n" not in said and "Traceback" not in said and len(said) <= 600
    return said
