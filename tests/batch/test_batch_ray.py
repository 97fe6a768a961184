"""Batch runs on a cluster of Ray: the same results, killed or not, and no more asked than allowed.

The clusters are on this machine, in processes of their own; so is what drives them, for Ray opens
sockets and sets signal handlers.
"""

import importlib.util
import json
import os
import pickle
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from deixis import Settings
from deixis.batch.ray_workers import Cluster, RayWorkers, _Actor, share_of
from deixis.batch.settings import fingerprint, identity
from deixis.batch.worker import Result
from deixis.errors import InputError, MissingExtraError, SettingsError
from deixis.graphs.build import toolbox_of
from deixis.settings import Budget, Limit

pytestmark = pytest.mark.slow

with_ray = pytest.mark.skipif(
    sys.platform == "win32" or importlib.util.find_spec("ray") is None,
    reason="needs Ray, and POSIX signals",
)
ROWS = 120
# A package as another would install it: it registers a provider that notes what happens to it.
PROVIDER = """
import json, os, time
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from deixis.testing import fill

def note(name, **said):
    said |= {"worker": os.getpid(), "gpu": os.environ.get("CUDA_VISIBLE_DEVICES")}
    with open(os.environ["NOTES"] + "/" + name, "ab", buffering=0) as file:
        file.write(json.dumps(said).encode() + b"\\n")

class Noting(BaseChatModel):
    @property
    def _llm_type(self):
        return "noting"

    def _generate(self, messages, *_, **options):
        asked = messages[-1].content
        if "1914" in asked:
            os._exit(7)
        note("calls", asked=asked)
        time.sleep(0.02)
        text = json.dumps(fill(options["json_schema"]))
        usage = {"input_tokens": 7, "output_tokens": 3, "total_tokens": 10}
        message = AIMessage(text, usage_metadata=usage, response_metadata={"finish_reason": "stop"})
        return ChatResult(generations=[ChatGeneration(message=message)])

def make(spec):
    note("loads", model=spec.name)
    model = Noting()
    return model, lambda schema, limit: model.bind(json_schema=schema, max_tokens=limit)
"""
STACK = """
roles: {recognizer: crf, committee: ["noting:a", "noting:b"], voter: "noting:c",
  expander: "noting:c", templater: "noting:c"}
options: {cache_folder: llm}
"""
DRIVER = """
import json, ray
from pathlib import Path
from deixis import Settings
from deixis.errors import InputError
from deixis.batch.run import Batch
from deixis.batch.ray_workers import Cluster
from deixis.settings import Budget

ray.init(num_cpus=2, num_gpus=2, include_dashboard=False, log_to_driver=False)
settings = Settings.load("stack.yaml")
options = settings.options.model_copy(update={"budget": Budget(calls=21), "cache": "off"})
short = settings.model_copy(update={"options": options})
tally = Batch(short, Path("in.jsonl"), Path("short.jsonl"), cluster=Cluster(2, 1.0)).run()
assert tally.stopped == "budget" and tally.left and tally.done, tally

tally = Batch(settings, Path("deadly.jsonl"), Path("out.jsonl"), cluster=Cluster(2),
              concurrency=1).run()
assert (tally.done, tally.failed, tally.left) == (9, 1, 0), tally

batch = Batch(settings, Path("in.jsonl"), Path("many.jsonl"), cluster=Cluster(2, 2.0))
try:
    batch.run()
except InputError as error:
    assert "need 4 GPUs, and the cluster has 2" in str(error)
else:
    raise AssertionError("there are no four GPUs")
assert ray.is_initialized(), "a cluster that was there before is left alone"
"""


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder with an input of `ROWS` rows and one that is wrong, and what it takes to run it."""
    info = tmp_path / "packages" / "noting-1.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: noting\nVersion: 1\n")
    (info / "entry_points.txt").write_text("[deixis.llms]\nnoting = noting_provider:make\n")
    (info.parent / "noting_provider.py").write_text(PROVIDER)
    (tmp_path / "stack.yaml").write_text(STACK)
    (tmp_path / "torn.jpg").write_bytes(b"\xff\xd8\xff torn")
    bad = {"id": "torn", "text": "Ada Lovelace", "image": "torn.jpg"}
    (tmp_path / "in.jsonl").write_text("\n".join(map(json.dumps, [bad, *rows(2000, ROWS)])))
    (tmp_path / "deadly.jsonl").write_text("\n".join(map(json.dumps, rows(1910, 10))))
    short = tempfile.mkdtemp(prefix="ray")  # or the paths of sockets were too long
    changed = {"PYTHONPATH": str(info.parent), "NOTES": str(tmp_path), "HOME": str(tmp_path)}
    for name, value in {**changed, "RAY_ADDRESS": "local", "RAY_TMPDIR": short}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    yield tmp_path
    shutil.rmtree(short, ignore_errors=True)


def rows(first: int, count: int) -> list[dict[str, str]]:
    return [
        {"id": f"r{n}", "text": f"Grace Hopper met Marie Curie in the year {n}"}
        for n in range(first, first + count)
    ]


def start(*arguments: str) -> "subprocess.Popen[str]":
    """Start ``deixis batch`` in a group of its own, as a terminal does."""
    command = [sys.executable, "-c", "from deixis.apps.cli import main; main()", "batch"]
    command += ["in.jsonl", "--stack", "stack.yaml", *arguments]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True, start_new_session=True)


def on_ray(*arguments: str) -> "subprocess.Popen[str]":
    return start("--out", "out.jsonl", "--engine", "ray", "--workers", "2", *arguments)


def lines(path: Path) -> list[Any]:
    data = path.read_bytes() if path.exists() else b""
    return [json.loads(line) for line in data[: data.rfind(b"\n") + 1].splitlines()]


def wait_for(path: Path, count: int, process: "subprocess.Popen[str]") -> None:
    while len(lines(path)) < count:
        assert process.poll() is None, process.communicate()
        time.sleep(0.01)


def results(path: Path) -> dict[str, Any]:
    """Return the results by id, without how long anything took."""
    found = {each["id"]: each for each in lines(path)}
    for each in found.values():
        for used in each["usage"]:
            del used["seconds"]
    assert len(found) == len(lines(path)), "no row twice"
    return found


@pytest.mark.extra
@pytest.mark.process
@with_ray
def test_killed_interrupted_and_ended_by_threads_it_gives_what_threads_give(here: Path) -> None:
    out, calls = here / "out.jsonl", here / "calls"
    process = on_ray()
    wait_for(out, 10, process)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    finished, asked = {each["text"] for each in lines(out)}, len(lines(calls))
    process = on_ray()
    wait_for(out, len(lines(out)) + 5, process)
    os.killpg(process.pid, signal.SIGINT)  # Ctrl-C reaches the workers too
    printed, said = process.communicate(timeout=60)
    assert process.returncode == 130 and "run the same line to go on" in said, said
    assert f"{len(lines(out)) + 1}/{ROWS + 1} rows" in printed, "all begun are finished"
    process = start("--out", "out.jsonl", "--json")
    printed, said = process.communicate(timeout=60)
    assert process.returncode == 1, said
    summary = json.loads(printed)
    assert summary["earlier"] + summary["done"] == ROWS and summary["failed"] == 1
    (failure,) = lines(here / "out.failures.jsonl")
    assert failure["id"] == "torn" and "not a picture" in failure["error"]
    later = lines(calls)[asked:]
    assert not any(text in each["asked"] for text in finished for each in later)
    loads = Counter((each["worker"], each["model"]) for each in lines(here / "loads"))
    assert set(loads.values()) == {1}, "each worker loads once"
    # A run that is cut off early may end before its second worker has started.
    assert 1 + 1 + 1 <= len({worker for worker, _ in loads}) <= 2 + 2 + 1
    (here / "stack.yaml").write_text(STACK.replace("llm", "another"))
    process = start("--out", "threads.jsonl")
    _, said = process.communicate(timeout=60)
    assert process.returncode == 1, said
    mine, threads = results(out), results(here / "threads.jsonl")
    assert set(mine) == set(threads) == {row["id"] for row in rows(2000, ROWS)}
    for each in (*mine.values(), *threads.values()):
        del each["usage"], each["replies"]  # those of a row that was begun twice are cached
    assert mine == threads


@pytest.mark.extra
@pytest.mark.process
@with_ray
def test_a_budget_a_death_and_gpus(here: Path) -> None:
    done = subprocess.run([sys.executable, "-c", DRIVER], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    calls = lines(here / "calls")
    short = [each for each in calls if "year 20" in each["asked"]]
    assert len(short) == 20, "21 calls, divided among two workers"
    assert {each["gpu"] for each in short} == {"0", "1"}
    assert {each["id"] for each in lines(here / "out.jsonl")} == {
        row["id"] for row in rows(1910, 10)
    } - {"r1914"}
    (failure,) = lines(here / "out.failures.jsonl")
    assert failure["id"] == "r1914" and failure["error"].startswith("its worker died: ")


def test_limits_and_the_budget_are_divided() -> None:
    settings = Settings.load()
    limits = {"openai": Limit(concurrency=7, tokens_per_minute=9_000), "google_genai": Limit()}
    budget = Budget(calls=0, tokens=100)
    options = settings.options.model_copy(update={"limits": limits, "budget": budget})
    settings = settings.model_copy(update={"options": options})
    share = share_of(settings, 3)
    assert share.options.limits == {
        "openai": Limit(concurrency=2, tokens_per_minute=3_000),
        "google_genai": Limit(),
    }
    assert share.options.budget == Budget(calls=0, tokens=33)
    assert identity(share) == identity(settings), "results are those of the whole"
    assert share_of(settings, 1) == settings
    with pytest.raises(SettingsError, match=r"limits\.openai\.concurrency: 7 cannot be divided"):
        share_of(settings, 8)


def test_a_machine_with_other_prompts_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(Path.cwd())  # which the worker changes
    settings = Settings.load()
    known = fingerprint(identity(settings))
    assert _Actor().start(str(tmp_path), settings, known) == ""
    assert Path.cwd() == tmp_path
    assert "other prompts" in _Actor().start(str(tmp_path), settings, "of another machine")
    assert "nowhere" in _Actor().start(str(tmp_path / "nowhere"), settings, known)


@pytest.mark.extra
@pytest.mark.process
@with_ray
def test_a_gpu_and_a_half_is_no_number_of_gpus() -> None:
    command = (
        "from deixis.batch.ray_workers import *; settings = Settings.load(); "
        "RayWorkers(settings, toolbox_of(settings), 1, Cluster(1, 1.5))"
    )
    done = subprocess.run([sys.executable, "-c", command], capture_output=True, text=True)
    assert "InputError: GPUs per worker" in done.stderr


def test_without_ray(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(MissingExtraError, match=r"deixis\[ray\]"):
        RayWorkers(Settings.load(), toolbox_of(Settings.load()), 4, Cluster(2))


def test_errors_come_back_as_they_were() -> None:
    for error in (MissingExtraError("ray", "ray"), SettingsError("a"), InputError("b")):
        fatal = pickle.loads(pickle.dumps(Result(fatal=error))).fatal
        assert type(fatal) is type(error) and str(fatal) == str(error)
