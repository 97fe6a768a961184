"""`deixis serve` as people start and end it."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import httpx
import pytest

from deixis.testing import openai_server

pytestmark = [pytest.mark.slow, pytest.mark.process]
pytest.importorskip("langchain_openai")

LINE = [sys.executable, "-c", "from deixis.apps.cli import main; main()", "serve"]
TOKEN = "a-token-of-some-length"
POST = {"text": "Grace Hopper of the US Navy"}


class Started(NamedTuple):
    """A process that serves, a client of it, and the lines that it has written to stderr."""

    process: "subprocess.Popen[str]"
    client: httpx.Client
    said: list[str]


@contextmanager
def started(*words: str, token: str = "") -> Iterator[Started]:
    """Serve on a free port; killed in the end if it has not ended."""
    env = {**os.environ, "DEIXIS_TOKEN": token, "OPENAI_API_KEY": "sk-of-the-server"}
    command = [*LINE, "--port", "0", *words]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=env) as process:
        assert process.stderr is not None
        said: list[str] = []
        try:
            for line in process.stderr:
                said.append(line)
                if found := re.search(r"http://\S+", line):
                    break
            else:
                raise AssertionError(f"it has ended: {said}")
            reader = threading.Thread(target=said.extend, args=[process.stderr])
            reader.start()
            with httpx.Client(base_url=found[0], trust_env=False, timeout=60) as client:
                for _ in range(1000):  # the port is held before it is served
                    if client.get("/healthz").status_code == 200:
                        break
                yield Started(process, client, said)
        finally:
            process.kill()
        reader.join()


@pytest.fixture
def stack(tmp_path: Path) -> Path:
    path = tmp_path / "quick.yaml"
    path.write_text("description: quick\nroles: {recognizer: crf, committee: [], voter: none}\n")
    return path


def asking(path: Path, spec: str) -> Path:
    path.write_text(
        f"description: asks\noptions: {{cache: 'off'}}\n"
        f"roles: {{recognizer: crf, committee: ['{spec}'], voter: none, expander: '{spec}'}}\n"
    )
    return path


def test_what_runs_is_done_when_the_server_is_told_to_end(tmp_path: Path) -> None:
    gate, asked = threading.Event(), threading.Event()

    def wait(_: object) -> None:
        asked.set()
        assert gate.wait(60)

    with openai_server(wait) as model:
        stack = asking(tmp_path / "asks.yaml", model.spec())
        with started("--stack", str(stack), token=TOKEN) as (process, client, said):
            assert client.post("/v1/extract", json=POST).status_code == 401
            client.headers["Authorization"] = f"Bearer {TOKEN}"
            with client.stream("POST", "/v1/extract/stream", json=POST) as answer:
                lines = answer.iter_lines()
                assert answer.status_code == 200 and next(lines)
                assert asked.wait(60)
                process.send_signal(signal.SIGTERM)
                gate.set()
                events = [line for line in lines if line.startswith("event: ")]
            assert events[-1] == "event: result"
            assert process.wait(60) == 0
    logged = [json.loads(line) for line in said if line.startswith("{")]
    assert logged[-1]["status"] == 200 and logged[-1]["route"] == "/v1/extract/stream"
    for secret in (TOKEN, "sk-of-the-server", "Grace", "Traceback"):
        assert secret not in "".join(said)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_ends_without_a_word(stack: Path, number: signal.Signals) -> None:
    with started("--stack", str(stack)) as (process, client, said):
        assert client.post("/v1/extract", json=POST).status_code == 200
        assert client.post("/mcp", json={}).status_code in (400, 406)
        assert client.get("/").status_code == 200
        process.send_signal(number)
        assert process.wait(60) == 0
    assert not [line for line in said[1:] if not line.startswith("{")]


def test_what_cannot_be_is_one_line(tmp_path: Path, stack: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        for words, says in [
            (["--port", port], "give another --port"),
            (["--host", "0.0.0.0"], "--token"),
            (["--host", "no.such.host.invalid", "--token", TOKEN], "cannot listen"),
            (["--token", "short"], "16 characters"),
            (["--stack", "nope"], "no stack 'nope'"),
            (["--schema", "nope"], "nope"),
            (["--stack", str(stack), "--stack", str(stack)], "two stacks"),
            (["--gold", str(tmp_path), "--port", "0"], "no regular file"),
            (["--budget", "words=3", "--port", "0"], "budget"),
            (["--concurrency", "0"], "--concurrency"),
        ]:
            done = subprocess.run([*LINE, *words], capture_output=True, text=True, check=False)
            assert done.returncode == 2 and says in done.stderr, (words, done.stderr)
            assert "Traceback" not in done.stderr and not done.stdout
