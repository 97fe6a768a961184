"""Batch runs as processes: killed at any moment, interrupted, and two at once."""

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

pytestmark = [
    pytest.mark.slow,
    pytest.mark.process,
    pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX"),
]

ROWS = 120
# A package as another would install it: it registers a provider that notes every call.
PROVIDER = """
import json, os, time
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from deixis.testing import fill

class Noting(BaseChatModel):
    name_in_spec: str

    @property
    def _llm_type(self):
        return "noting"

    def _generate(self, messages, *_, **options):
        with open(os.environ["CALLS"], "ab", buffering=0) as calls:
            said = {"model": self.name_in_spec, "asked": messages[-1].content}
            calls.write(json.dumps(said).encode() + b"\\n")
        time.sleep(float(os.environ.get("DELAY", "0")))
        text = json.dumps(fill(options["json_schema"]))
        usage = {"input_tokens": 7, "output_tokens": 3, "total_tokens": 10}
        message = AIMessage(text, usage_metadata=usage, response_metadata={"finish_reason": "stop"})
        return ChatResult(generations=[ChatGeneration(message=message)])

def make(spec):
    model = Noting(name_in_spec=spec.name)
    return model, lambda schema, limit: model.bind(json_schema=schema, max_tokens=limit)
"""
STACK = """
roles: {recognizer: crf, committee: ["noting:a", "noting:b"], voter: "noting:c",
  expander: "noting:c", templater: "noting:c"}
options: {cache_folder: llm}
"""
Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start ``deixis batch`` on an input of `ROWS` rows; it is killed at the end of the test."""
    packages = tmp_path / "packages"
    info = packages / "noting-1.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: noting\nVersion: 1\n")
    (info / "entry_points.txt").write_text("[deixis.llms]\nnoting = noting_provider:make\n")
    (packages / "noting_provider.py").write_text(PROVIDER)
    (tmp_path / "stack.yaml").write_text(STACK)
    lines = (
        json.dumps({"id": f"r{n}", "text": f"Grace Hopper met Marie Curie in the year {n:04}"})
        for n in range(ROWS)
    )
    (tmp_path / "in.jsonl").write_text("\n".join(lines))
    started: list[subprocess.Popen[str]] = []

    def run(*arguments: str, delay: float = 0.0) -> "subprocess.Popen[str]":
        command = [sys.executable, "-c", "from deixis.apps.cli import main; main()", "batch"]
        command += ["in.jsonl", "--out", "out.jsonl", "--stack", "stack.yaml", *arguments]
        more = {"PYTHONPATH": str(packages), "CALLS": "calls.jsonl", "DELAY": str(delay)}
        process = subprocess.Popen(
            command,
            cwd=tmp_path,
            env={**os.environ, **more},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    yield run
    for process in started:
        process.kill()
        process.communicate()


def whole_lines(path: Path) -> list[Any]:
    data = path.read_bytes() if path.exists() else b""
    return [json.loads(line) for line in data[: data.rfind(b"\n") + 1].splitlines()]


def wait_for(path: Path, count: int, process: "subprocess.Popen[str]") -> None:
    while not path.exists() or path.read_bytes().count(b"\n") < count:
        assert process.poll() is None, process.communicate()
        time.sleep(0.002)


def test_killed_again_and_again_no_row_is_lost_doubled_or_paid_twice(
    start: Start, tmp_path: Path
) -> None:
    out, calls = tmp_path / "out.jsonl", tmp_path / "calls.jsonl"
    for enough in (1, 30, 70):
        finished = {each["text"] for each in whole_lines(out)}
        asked = len(whole_lines(calls))
        process = start()
        wait_for(out, enough, process)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        for call in whole_lines(calls)[asked:]:
            assert not any(text in call["asked"] for text in finished)
    with out.open("ab") as file:
        file.write(b'{"id": "r119", "settings": "00')  # as a kill in the middle of a write
    process = start("--json")
    printed, said = process.communicate(timeout=120)
    assert process.returncode == 0, said
    summary = json.loads(printed)
    assert summary["earlier"] >= 70 and summary["earlier"] + summary["done"] == ROWS
    assert Counter(each["id"] for each in whole_lines(out)) == Counter(f"r{n}" for n in range(ROWS))
    repeated = Counter(json.dumps(each) for each in whole_lines(calls)) - Counter(
        {json.dumps(each) for each in whole_lines(calls)}
    )
    # A call whose answer had not come when the process was killed; four rows run at once.
    assert repeated.total() <= 3 * 4 * 2


def test_ctrl_c_finishes_what_is_in_flight_and_says_how_to_go_on(
    start: Start, tmp_path: Path
) -> None:
    process = start("--concurrency", "2", delay=0.05)
    wait_for(tmp_path / "out.jsonl", 2, process)
    process.send_signal(signal.SIGINT)
    printed, said = process.communicate(timeout=60)
    assert process.returncode == 130, said
    assert "run the same line to go on" in said and "Traceback" not in said
    asked = Counter(each["asked"] for each in whole_lines(tmp_path / "calls.jsonl"))
    finished = {each["text"] for each in whole_lines(tmp_path / "out.jsonl")}
    assert all(any(text in each for text in finished) for each in asked), "all begun are finished"
    assert f"{len(finished)}/{ROWS} rows" in printed


def test_a_second_ctrl_c_stops_at_once(start: Start, tmp_path: Path) -> None:
    process = start(delay=20)
    wait_for(tmp_path / "calls.jsonl", 1, process)
    process.send_signal(signal.SIGINT)
    assert process.stderr is not None
    while "press Ctrl-C again" not in process.stderr.readline():
        assert process.poll() is None
    process.send_signal(signal.SIGINT)
    assert process.wait(10) == 130
    assert whole_lines(tmp_path / "out.jsonl") == []


def test_a_second_process_on_the_same_output_is_refused(start: Start, tmp_path: Path) -> None:
    first = start("--concurrency", "1", delay=0.2)
    wait_for(tmp_path / "calls.jsonl", 1, first)
    second = start()
    _, said = second.communicate(timeout=60)
    assert second.returncode == 2
    assert f"being written by process {first.pid}" in said and first.poll() is None
