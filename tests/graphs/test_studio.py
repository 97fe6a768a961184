"""The graphs in LangGraph's own server, where it is installed, and what it is told of them."""

import asyncio
import base64
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from deixis.graphs import studio
from deixis.graphs.registry import names
from deixis.settings import Settings
from deixis.testing import OpenAIServer, openai_server

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


@pytest.fixture(scope="module")
def model() -> Iterator[OpenAIServer]:
    with openai_server("Grace Hopper|PER|None") as served:
        yield served


@pytest.fixture(scope="module")
def server(
    model: OpenAIServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[str, Path]]:
    """LangGraph's development server with the graphs of ``langgraph.json``; its URL and log."""
    folder = tmp_path_factory.mktemp("server")
    graphs = {name: str(ROOT / place) for name, place in LISTED.items()}
    config = {"dependencies": [str(ROOT)], "graphs": graphs}
    (folder / "langgraph.json").write_text(json.dumps(config))  # it keeps its files beside it
    stack = {"graph": "e2e", "roles": {"vlm": model.spec("qwen2-vl")}, "options": {"cache": "off"}}
    (folder / "own.yaml").write_text(json.dumps(stack))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {
        **os.environ,
        "DEIXIS_STACK": str(folder / "own.yaml"),
        "LANGSMITH_TRACING": "false",
        "LANGGRAPH_CLI_NO_ANALYTICS": "1",
        "OPENAI_API_KEY": "sk-none",
    }
    command = ("dev", "--no-browser", "--no-reload", "--port", str(port))
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "langgraph_cli", *command],
            cwd=folder,
            env=environment,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    try:
        for _ in range(240):
            with socket.socket() as knocking:
                if not knocking.connect_ex(("127.0.0.1", port)):
                    break
            assert process.poll() is None, (folder / "log").read_text()
            time.sleep(0.25)
        yield f"http://127.0.0.1:{port}", folder / "log"
    finally:
        process.terminate()
        process.wait(30)


def ran(url: str, name: str, given: dict[str, Any]) -> list[Any]:
    from langgraph_sdk import get_sync_client

    with get_sync_client(url=url) as client:
        modes: list[Any] = ["custom", "values"]
        return list(client.runs.stream(None, name, input=given, stream_mode=modes))


TEXT = "Grace Hopper of the US Navy"


@pytest.mark.slow
@pytest.mark.process
@pytest.mark.extra("langgraph_api", "langchain_openai", "starter")
class TestServer:
    def test_it_has_every_graph(self, server: tuple[str, Path]) -> None:
        from langgraph_sdk import get_sync_client

        with get_sync_client(url=server[0]) as client:
            listed = client.assistants.search(limit=100)
            assert {each["graph_id"] for each in listed} == set(LISTED)
            for each in listed:
                drawn = client.assistants.get_graph(each["assistant_id"])
                schemas = client.assistants.get_schemas(each["assistant_id"])
                assert {"open", "structure"} <= {node["id"] for node in drawn["nodes"]}
                assert "text" in schemas["input_schema"]["properties"]

    @pytest.mark.parametrize("name", ["deixis", "e2e"])
    def test_it_runs_what_is_set_up(
        self, server: tuple[str, Path], name: str, hopper: Path
    ) -> None:
        parts = ran(server[0], name, {"text": TEXT, "image": str(hopper)})
        told = [part.data for part in parts if part.event == "custom"]
        assert {"open", "structure"} <= {each["node"] for each in told}
        result = [part.data for part in parts if part.event == "values"][-1]
        assert "Grace Hopper" in {entity["text"] for entity in result["entities"]}

    def test_a_data_url_is_refused_and_not_repeated(
        self, server: tuple[str, Path], hopper: Path
    ) -> None:
        data = base64.b64encode(hopper.read_bytes()).decode()
        parts = ran(server[0], "e2e", {"text": TEXT, "image": f"data:image/jpeg;base64,{data}"})
        assert parts[-1].event == "error" and parts[-1].data["error"] == "InputError"
        told, log = json.dumps([part.data for part in parts]), server[1].read_text()
        assert "data URLs are not opened; give bytes" in log
        assert data[:40] not in told and data[:40] not in log and data[-40:] not in log

    def test_another_program_calls_it_as_a_graph(
        self, server: tuple[str, Path], hopper: Path
    ) -> None:
        from langgraph.pregel.remote import RemoteGraph
        from langgraph_sdk import get_sync_client

        with get_sync_client(url=server[0]) as client:  # RemoteGraph never closes its own
            remote = RemoteGraph("e2e", sync_client=client)
            out = remote.invoke({"text": TEXT, "image": str(hopper)})
        assert [entity["text"] for entity in out["entities"]] == ["Grace Hopper"]

    @pytest.mark.parametrize("name", ["riveg", "vkel", "mmre", "muie"])
    def test_what_is_missing_is_said_in_a_line(
        self, server: tuple[str, Path], name: str, hopper: Path
    ) -> None:
        if find_spec("transformers"):
            pytest.skip("the models of this stack would be loaded")
        parts = ran(server[0], name, {"text": TEXT, "image": str(hopper)})
        assert parts[-1].event == "error" and parts[-1].data["error"] == "MissingExtraError"
        # The server keeps to itself what errors of others than its own say.
        assert 'is not installed; run: python -m pip install "deixis[' in server[1].read_text()
