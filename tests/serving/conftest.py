"""A server on loopback, whose models say what a script says."""

import asyncio
import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import pytest

from deixis.serving.offers import Offers
from deixis.settings import Settings
from deixis.testing import with_scripted_models

pytest.importorskip("fastapi")
pytest.importorskip("uvicorn")

Served = Callable[..., Any]


def scripted_offers() -> Offers:
    """A stack whose models are scripted, with few tools."""
    settings = with_scripted_models(Settings.load("starter").with_options(cache="off"))
    bare = {"detector": None, "reader": None, "segmenter": None, "entailer": None}
    return Offers([settings.with_roles({**bare, "recognizer": "crf"})])


class Running(NamedTuple):
    """A server that runs: its URL, its service, a client of it."""

    url: str
    service: Any
    client: Any


@contextlib.contextmanager
def running(
    offers: Offers | None = None, limits: Any = None, *, mcp: bool = False, **more: Any
) -> Iterator[Running]:
    """Serve an application on a free port of loopback; `more` is for `create_app`."""
    import httpx
    import uvicorn

    from deixis.serving.http.app import create_app
    from deixis.serving.http.metrics import Metrics
    from deixis.serving.http.patience import ImpatientProtocol
    from deixis.serving.service import Service

    metrics = Metrics()
    service = Service(offers or scripted_offers(), limits, metrics)
    if mcp:
        from deixis.serving.mcp.http import Endpoint

        more["endpoints"] = {"/mcp": Endpoint(service, None)}
    app = create_app(service, metrics, **more)
    quiet: Any = {"log_config": None, "access_log": False, "ws": "none"}
    config = uvicorn.Config(app, "127.0.0.1", 0, http=ImpatientProtocol, **quiet)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=lambda: asyncio.run(server.serve()))
    thread.start()
    try:
        while not server.started:
            assert thread.is_alive(), "the server did not start"
            time.sleep(0.01)
        port = server.servers[0].sockets[0].getsockname()[1]
        url = f"http://127.0.0.1:{port}"
        with httpx.Client(base_url=url, verify=False, timeout=60) as client:
            yield Running(url, service, client)
    finally:
        server.should_exit = server.force_exit = True
        thread.join()


@pytest.fixture
def served() -> Iterator[Served]:
    """Serve, as `running` does, until the test ends."""
    with contextlib.ExitStack() as blocks:
        yield lambda *given, **more: blocks.enter_context(running(*given, **more))
