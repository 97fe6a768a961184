"""The cache shared by processes: one call in flight, and no harm from those that are killed."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from deixis.llms.cache.llm_cache import LlmCache

from .shelf import REQUEST, get

pytestmark = [pytest.mark.slow, pytest.mark.process]

START = """
import os, sys, threading, time
from pathlib import Path
from deixis.llms.cache.llm_cache import Answer, LlmCache, Request
here = Path(sys.argv[1])
request = Request("openai:gpt-5-mini?temperature=0&seed=1", "You see.", "What?", {}, ("ab",))
def get(cache, ask, request=request):
    keep, asked = lambda text: Answer(text, 7, 3), []
    noting = lambda: asked.append(1) or ask()
    answer = cache.get_or_ask(request, noting, keep=keep, revive=lambda answer: answer.text)
    return answer, not asked
def note(name):  # one line, whole, whoever else writes
    with (here / name).open("a") as file:
        file.write(f"{os.getpid()}\\n")
def meet(name, count):
    note(name)
    while len((here / name).read_text().splitlines()) < count:
        time.sleep(0.002)
"""


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[[str], "subprocess.Popen[str]"]]:
    """Start a process that runs a script; it is killed at the end of the test."""
    started: list[subprocess.Popen[str]] = []

    def run(script: str) -> "subprocess.Popen[str]":
        command = [sys.executable, "-W", "error", "-c", START + script, str(tmp_path)]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        started.append(process)
        return process

    yield run
    for process in started:
        process.kill()
        process.communicate()


def lines(path: Path) -> int:
    return len(path.read_text().splitlines()) if path.exists() else 0


def wait_for(path: Path, process: "subprocess.Popen[str]", count: int = 1) -> None:
    while lines(path) < count:
        assert process.poll() is None
        time.sleep(0.002)


def finish(processes: list["subprocess.Popen[str]"]) -> list[str]:
    """Wait for processes that must end well; return what they said."""
    said = [process.communicate(timeout=120)[0] for process in processes]
    assert [process.returncode for process in processes] == [0] * len(processes)
    return said


def test_64_identical_calls_of_4_processes_are_one(
    start: Callable[[str], "subprocess.Popen[str]"], tmp_path: Path
) -> None:
    script = """
cache = LlmCache(here / "llm")
def ask():
    note("calls")
    time.sleep(0.5)
    return "red"
def work():
    meet("ready", 64)
    assert get(cache, ask)[0] == "red"
    note("done")
threads = [threading.Thread(target=work) for _ in range(16)]
[each.start() for each in threads]
[each.join() for each in threads]
assert cache.trouble is None, cache.trouble
"""
    finish([start(script) for _ in range(4)])
    assert (lines(tmp_path / "calls"), lines(tmp_path / "done")) == (1, 64)


def test_after_a_failure_the_others_try_one_after_another(
    start: Callable[[str], "subprocess.Popen[str]"], tmp_path: Path
) -> None:
    script = """
cache = LlmCache(here / "llm")
def ask():
    os.close(os.open(here / "in flight", os.O_CREAT | os.O_EXCL))  # fails for a second one
    note("calls")
    time.sleep(0.02)
    os.unlink(here / "in flight")
    raise ConnectionError
def work():
    meet("ready", 12)
    try:
        get(cache, ask)
    except ConnectionError:
        note("failed")
threads = [threading.Thread(target=work) for _ in range(4)]
[each.start() for each in threads]
[each.join() for each in threads]
"""
    finish([start(script) for _ in range(3)])
    assert (lines(tmp_path / "calls"), lines(tmp_path / "failed")) == (12, 12)


def test_calls_that_differ_do_not_wait_for_each_other(
    start: Callable[[str], "subprocess.Popen[str]"], tmp_path: Path
) -> None:
    script = """
cache = LlmCache(here / "llm")
def work(number):
    ask = lambda: meet("in flight", 24) or "red"  # ends when all have begun
    assert get(cache, ask, request._replace(sample=number)) == ("red", False)
first = int(os.environ["FIRST"])
threads = [threading.Thread(target=work, args=(first + each,)) for each in range(8)]
[each.start() for each in threads]
[each.join() for each in threads]
"""
    finish([start(f"os.environ['FIRST'] = '{8 * each}'\n{script}") for each in range(3)])
    assert LlmCache(tmp_path / "llm").stats().entries == 24
    assert {each.name for each in (tmp_path / "llm").iterdir()} <= {
        *("cache.db", "cache.db-wal", "cache.db-shm", "turns")
    }


def test_processes_that_wait_for_each_others_calls_are_no_deadlock(
    start: Callable[[str], "subprocess.Popen[str]"], tmp_path: Path
) -> None:
    script = """
cache = LlmCache(here / "llm")
def own():
    def ask():
        meet("asking", 2)
        meet("ready", 4)
        time.sleep(0.5)  # both wait for the other's by now; a kernel may see a circle
        return "red"
    return get(cache, ask, request._replace(sample=number))
def other():
    meet("ready", 4)  # when both are asking
    return get(cache, lambda: "blue", request._replace(sample=1 - number))
threads = [threading.Thread(target=each) for each in (own, other)]
[each.start() for each in threads]
[each.join() for each in threads]
assert cache.trouble is None, cache.trouble
"""
    finish([start(f"number = {number}\n{script}") for number in (0, 1)])
    assert LlmCache(tmp_path / "llm").stats().entries == 2


def test_a_process_killed_in_its_call_holds_nobody_up(
    start: Callable[[str], "subprocess.Popen[str]"], tmp_path: Path
) -> None:
    script = """
def ask():
    note("asking")
    time.sleep(600)
get(LlmCache(here / "llm"), ask)
"""
    killed = start(script)
    wait_for(tmp_path / "asking", killed)
    waiting = start("print(get(LlmCache(here / 'llm'), lambda: 'red'))")
    with pytest.raises(subprocess.TimeoutExpired):
        waiting.wait(0.5)
    killed.send_signal(signal.SIGKILL)
    assert finish([waiting]) == ["('red', False)\n"]
    assert get(LlmCache(tmp_path / "llm"), "blue") == ("red", True)


def test_a_process_killed_in_its_write_leaves_nothing_half(
    start: Callable[[str], "subprocess.Popen[str]"], tmp_path: Path
) -> None:
    get(LlmCache(tmp_path / "llm"), "red")
    script = """
cache = LlmCache(here / "llm", "refresh")
with cache._store.transaction():
    for sample in range(200):  # more than SQLite holds in memory before it writes
        get(cache, lambda: "half" * 50_000, request._replace(sample=sample))
    note("writing")
    time.sleep(600)
"""
    killed = start(script)
    wait_for(tmp_path / "writing", killed)
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    cache = LlmCache(tmp_path / "llm")
    assert get(cache, "blue") == ("red", True)
    assert cache.stats()[0] == 1 and cache.stats().damaged == 0
    assert get(cache, "blue", REQUEST._replace(sample=1)) == ("blue", False)
    assert cache.trouble is None


def test_processes_killed_at_any_moment_leave_a_whole_cache(
    start: Callable[[str], "subprocess.Popen[str]"], tmp_path: Path
) -> None:
    script = """
cache = LlmCache(here / "llm")
for sample in range(10_000):
    get(cache, lambda: "red" * 5000, request._replace(user=f"{os.getpid()} {sample}"))
    note("written")
"""
    for enough in (1, 20, 60):
        writers = [start(script) for _ in range(2)]
        wait_for(tmp_path / "written", writers[0], enough)
        for writer in writers:
            writer.send_signal(signal.SIGKILL)
            writer.wait()
    cache = LlmCache(tmp_path / "llm")
    stats = cache.stats()
    # What was noted as written is there; a process may have been killed before its note.
    assert lines(tmp_path / "written") <= stats.entries <= lines(tmp_path / "written") + 6
    assert {record.text for record in cache.entries()} == {"red" * 5000}
    assert stats.damaged == 0 and cache.trouble is None


def test_a_full_disk_is_told_once_and_what_is_stored_stays_readable(
    start: Callable[[str], "subprocess.Popen[str]"], tmp_path: Path
) -> None:
    get(LlmCache(tmp_path / "llm"), "stored")
    script = """
import resource
resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, 400_000))
cache = LlmCache(here / "llm")
troubles = set()
for sample in range(1, 60):
    say = "red" * 10_000 + str(sample)
    assert get(cache, lambda: say, request._replace(sample=sample)) == (say, False)
    troubles.add(cache.trouble)
assert get(cache, lambda: "blue") == ("stored", True)
assert len(troubles - {None}) == 1, troubles
print(cache.trouble)
"""
    (said,) = finish([start(script)])
    assert "nothing more is stored" in said and len(said.splitlines()) == 1
    cache = LlmCache(tmp_path / "llm")
    stats = cache.stats()
    assert 2 < stats.entries < 60 and stats.damaged == 0
    assert get(cache, "blue", REQUEST._replace(sample=99)) == ("blue", False)
    assert cache.trouble is None


def test_a_full_disk_from_the_start(
    start: Callable[[str], "subprocess.Popen[str]"], tmp_path: Path
) -> None:
    script = """
import resource
resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
cache = LlmCache(here / "llm")
assert [get(cache, lambda: "red") for _ in range(2)] == [("red", False)] * 2
print(cache.trouble)
"""
    (said,) = finish([start(script)])
    assert str(tmp_path) in said and len(said.splitlines()) == 1


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_forked_child_has_no_turn_of_its_parent(
    start: Callable[[str], "subprocess.Popen[str]"], tmp_path: Path
) -> None:
    script = """
cache = LlmCache(here / "llm")
def ask():
    child = os.fork()
    if child == 0:
        note("child")
        answer = get(cache, lambda: note("asked twice") or "blue")
        os._exit(0 if answer == ("red", True) else 1)
    while not (here / "child").exists():
        time.sleep(0.002)
    time.sleep(0.2)
    children.append(child)
    return "red"
children = []
assert get(cache, ask) == ("red", False)
assert os.waitpid(children[0], 0)[1] == 0
"""
    finish([start(script)])
    assert not (tmp_path / "asked twice").exists()
