"""A process forked after models were asked: the child asks them too, and nothing hangs."""

import os
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from deixis.llms import registry
from deixis.llms.answers.reading import Text
from deixis.llms.limits import Limiter
from deixis.llms.local.llama_cpp import EMBEDDED, LlamaCppChat
from deixis.llms.structured import ask
from deixis.llms.together import Together
from deixis.prompts import Prompt
from deixis.settings import Limit
from deixis.weights.micro_batch import MicroBatch
from deixis.weights.short_memory import Done

from .servers.protocols import ANSWERS, PROVIDERS
from .servers.wire import reply, serving

pytestmark = [
    pytest.mark.slow,
    pytest.mark.process,
    pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork"),
    pytest.mark.filterwarnings("ignore:.*multi-threaded.*:DeprecationWarning"),
]
PROMPT = Prompt("Be brief.", "What colour is the sky?", "colour", 1)


def in_child(work: Callable[[], object], leave: Callable[[int], Any] = os._exit) -> int:
    """Return the status with which a forked child ends: 0 if `work` does what it should."""
    child = os.fork()
    if child == 0:
        status = 1
        try:
            work()
            status = 0
        finally:
            leave(status)
    for _ in range(600):
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.05)
    os.kill(child, 9)
    os.waitpid(child, 0)
    raise AssertionError("the child hangs")


@pytest.mark.extra
def test_the_embedded_model_answers_in_a_child() -> None:
    model = LlamaCppChat(weights=EMBEDDED["smollm2-135m"], context=512, max_tokens=5)

    def work() -> None:
        assert model.invoke("Say hello.").text

    work()
    assert in_child(work) == 0
    work()


SCRIPT = """
import os, sys
from deixis.llms.local.llama_cpp import EMBEDDED, LlamaCppChat
model = LlamaCppChat(weights=EMBEDDED["smollm2-135m"], context=256, max_tokens=2)
model.invoke("hi")
if os.fork() == 0:
    if sys.argv[1] == "asks":
        model.invoke("hi")
    sys.exit(7)
assert os.waitstatus_to_exitcode(os.wait()[1]) == 7
"""


@pytest.mark.skipif(sys.platform != "linux", reason="needs on_exit of glibc")
@pytest.mark.parametrize("child", ["asks", "does nothing"])
def test_a_child_ends_with_its_status(child: str) -> None:
    import subprocess

    command = [sys.executable, "-W", "ignore", "-c", SCRIPT, child]
    done = subprocess.run(command, capture_output=True, timeout=60, text=True)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.extra
@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_server_is_asked_from_a_child(provider: str) -> None:
    import json

    sent = reply(json.dumps(ANSWERS[provider]).encode())
    with serving(lambda connection: connection.sendall(sent)) as wire:
        backend = registry.load(wire.spec(provider))

        def work() -> None:
            assert ask(backend, PROMPT, Text, max_tokens=9).value == Text(text="blue")

        work()
        assert in_child(work) == 0
        work()


def held(hold: Callable[[threading.Event], object], work: Callable[[], object]) -> int:
    """Return how a child ends that is forked while a thread is in the midst of something."""
    inside, go_on = threading.Event(), threading.Event()

    def busy(*_: Any) -> Any:
        inside.set()
        assert go_on.wait(60)
        return Done([1], None)

    thread = threading.Thread(target=hold, args=(busy,))
    thread.start()
    try:
        assert inside.wait(60)
        return in_child(work)
    finally:
        go_on.set()
        thread.join()


def test_a_slot_that_a_thread_of_the_parent_has_is_free_in_the_child() -> None:
    limiter = Limiter(Limit(concurrency=1))

    def hold(busy: Any) -> None:
        with limiter.turn(1):
            busy()

    def work() -> None:
        with limiter.turn(1):
            pass

    assert held(hold, work) == 0


def test_a_group_of_questions_is_left_to_the_parent() -> None:
    together = Together(2, wait=0.0)

    def work() -> None:
        assert together.ask("kind", 1, lambda parts: parts) == 1

    def hold(busy: Any) -> None:
        together._collect = lambda *_: busy()  # type: ignore[method-assign]
        together.ask("kind", 0, lambda parts: parts)

    def child() -> None:
        del together._collect
        work()

    assert held(hold, child) == 0


def test_a_pass_that_runs_is_left_to_the_parent() -> None:
    batch = MicroBatch(1)

    def work() -> None:
        assert batch.run("kind", [1], lambda items: Done(list(items), None)).results == [1]

    assert held(lambda busy: batch.run("kind", [0], busy), work) == 0


@pytest.mark.extra("xllamacpp")
def test_loading_is_open_in_a_child() -> None:
    def hold(busy: Any) -> None:
        with registry._loading:
            busy()

    assert held(hold, lambda: registry.load("embedded:smollm2-135m")) == 0


@pytest.mark.extra
def test_a_model_of_torch_answers_in_a_child(saved: Any) -> None:
    import torch

    from deixis.llms.local.transformers_chat import TransformersChat

    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        model = TransformersChat(weights=str(saved), max_tokens=3, device="cpu")
        torch.mm(torch.rand(600, 600), torch.rand(600, 600))  # wakes the threads
        said = model.invoke("hi").text

        def work() -> None:
            torch.mm(torch.rand(600, 600), torch.rand(600, 600))
            assert model.invoke("hi").text == said

        assert in_child(work) == 0
    finally:
        torch.set_num_threads(before)
