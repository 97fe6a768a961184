"""The graphs in LangGraph's own server, where it is installed, and what it is told of them."""

import asyncio
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from deixis.graphs import studio
from deixis.graphs.registry import names
from deixis.settings import Settings

ROOT = Path(__file__).parents[2]
LISTED = json.loads((ROOT / "langgraph.json").read_text())["graphs"]


def built(name: str) -> Any:
    path, _, function = LISTED[name].partition(":")
    module = path.removeprefix("./").removesuffix(".py").replace("/", ".")
    return asyncio.run(getattr(import_module(module), function)())


def test_every_graph_is_listed() -> None:
    assert {"main" if name == "deixis" else name for name in LISTED} == set(names())


@pytest.mark.parametrize("name", LISTED)
def test_each_is_the_graph_of_its_name(name: str) -> None:
    assert built(name).name == f"deixis {'main' if name == 'deixis' else name}"


def test_a_stack_of_the_environment_is_for_its_own_graph(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = Settings.load("e2e").with_graph("e2e")
    path = tmp_path / "own.yaml"
    path.write_text(
        json.dumps({"graph": "e2e", "roles": {"vlm": own.roles.vlm}, "options": {"tracing": "off"}})
    )
    monkeypatch.setenv("DEIXIS_STACK", str(path))
    studio._built.cache_clear()
    loaded: list[str] = []
    monkeypatch.setattr(
        "deixis.graphs.studio.build_graph", lambda settings: loaded.append(settings.name)
    )
    for name in ("e2e", "deixis"):
        built(name)
    studio._built.cache_clear()
    assert loaded == ["own", "starter"]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[str]:
    """LangGraph's development server with the graphs of ``langgraph.json``."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log = (tmp_path / "log").open("wb")
    command = ("dev", "--no-browser", "--no-reload", "--port", str(port))
    process = subprocess.Popen(
        [sys.executable, "-m", "langgraph_cli", *command],
        cwd=ROOT,
        env={**os.environ, "LANGSMITH_TRACING": "false", "LANGGRAPH_CLI_NO_ANALYTICS": "1"},
        stdout=log,
        stderr=subprocess.STDOUT,
    )
    try:
        for _ in range(240):
            with socket.socket() as knocking:
                if not knocking.connect_ex(("127.0.0.1", port)):
                    break
            assert process.poll() is None, (tmp_path / "log").read_text()
            time.sleep(0.25)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(30)
        log.close()


@pytest.mark.slow
@pytest.mark.extra("langgraph_api", "starter")
def test_langgraphs_server_runs_a_graph(server: str, hopper: Path) -> None:
    from langgraph_sdk import get_sync_client

    given = {"text": "Grace Hopper of the US Navy", "image": str(hopper)}
    with get_sync_client(url=server) as client:
        listed = client.assistants.search(limit=100)
        parts = list(
            client.runs.stream(None, "deixis", input=given, stream_mode=["custom", "values"])
        )
    assert {each["graph_id"] for each in listed} == set(LISTED)
    custom = [part.data for part in parts if part.event == "custom"]
    assert {"open", "structure"} <= {each["node"] for each in custom}
    result = [part.data for part in parts if part.event == "values"][-1]
    assert "Grace Hopper" in {entity["name"] for entity in result["entities"]}
