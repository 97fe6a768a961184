"""Turns at a model: who runs alone, who runs with whom, and what goes wrong without harm."""

import gc
import itertools
import signal
import sys
import threading
import time
import weakref
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deixis.weights.micro_batch import MicroBatch
from deixis.weights.short_memory import Done

LONG = 20.0


class Model:
    """Returns what it is given with its kind, and keeps the passes; the first waits for `go`."""

    def __init__(self, *, gated: bool = False) -> None:
        self.passes: list[list[Any]] = []
        self.began, self.go = threading.Event(), threading.Event()
        self._alone = threading.Lock()
        if not gated:
            self.go.set()

    def __call__(self, items: Sequence[Any]) -> Done:
        assert self._alone.acquire(blocking=False), "one pass at a time"
        try:
            self.passes.append(list(items))
            self.began.set()
            assert self.go.wait(LONG)
            return Done([f"{item}!" for item in items], None)
        finally:
            self._alone.release()


def until(true: Callable[[], bool]) -> None:
    end = time.monotonic() + LONG
    while not true():
        assert time.monotonic() < end
        time.sleep(0.001)


def crowd(
    turns: MicroBatch, model: Model, requests: list[tuple[Any, list[Any]]], run_all: Any = None
) -> list[Any]:
    """Make the first request, and all others, one after the other, while its pass runs.

    Return the results, or what was raised.
    """

    def ask(kind: Any, items: list[Any]) -> Any:
        try:
            return turns.run(kind, items, run_all or model)
        except Exception as error:
            return error

    with ThreadPoolExecutor(len(requests)) as pool:
        asked: list[Future[Any]] = []
        for kind, items in requests:
            asked.append(pool.submit(ask, kind, items))
            until(lambda: len(turns._requests) == len(asked))
            assert model.began.wait(LONG)
        model.go.set()
        return [each.result(LONG) for each in asked]


def test_who_finds_the_model_idle_runs_at_once_and_alone() -> None:
    turns, model = MicroBatch(4), Model()
    for number in range(3):
        assert turns.run("a", [number], model) == Done([f"{number}!"], None)
    assert turns.run("a", [], model) == Done([], None)
    assert model.passes == [[0], [1], [2], []]


def test_those_who_wait_share_passes_of_their_kind_that_are_not_too_large() -> None:
    turns, model = MicroBatch(4), Model(gated=True)
    requests = [("a", [0]), ("a", [1]), ("b", [2]), ("a", [3, 4]), ("a", [5, 6]), ("a", [7])]
    requests += [("b", [8]), ("a", [10, 11, 12, 13, 14]), ("a", [15])]
    results = crowd(turns, model, requests)
    assert results == [Done([f"{each}!" for each in items], None) for _, items in requests]
    assert model.passes == [[0], [1, 3, 4, 7], [2, 8], [5, 6, 15], [10, 11, 12, 13, 14]]


def test_with_one_at_most_each_goes_alone() -> None:
    turns, model = MicroBatch(1), Model(gated=True)
    crowd(turns, model, [("a", [number]) for number in range(4)])
    assert model.passes == [[0], [1], [2], [3]]


@settings(max_examples=30, deadline=None)
@given(
    st.integers(1, 5),
    st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 3)), min_size=1, max_size=12),
)
def test_everyone_gets_its_own_results(most: int, wanted: list[tuple[str, int]]) -> None:
    turns, model = MicroBatch(most), Model()
    start = threading.Barrier(len(wanted))
    requests = [
        (kind, [f"{kind}{place}.{number}" for number in range(count)])
        for place, (kind, count) in enumerate(wanted)
    ]

    def ask(request: tuple[str, list[str]]) -> list[Any]:
        start.wait(LONG)
        return [turns.run(*request, model).results for _ in range(3)]

    with ThreadPoolExecutor(len(wanted)) as pool:
        answers = list(pool.map(ask, requests, timeout=2 * LONG))
    assert answers == [[[f"{each}!" for each in items]] * 3 for _, items in requests]
    for each in model.passes:
        assert len({item[0] for item in each}) <= 1
        assert len(each) <= most or len({item.partition(".")[0] for item in each}) == 1


def test_what_fails_fails_alone() -> None:
    turns, model = MicroBatch(8), Model(gated=True)

    def picky(items: Sequence[Any]) -> Done:
        done = model(items)
        if "bad" in items:
            raise LookupError("bad was among them")
        return done

    requests = [("a", [0]), ("a", [1]), ("a", ["bad"]), ("a", [2, 3])]
    first, one, bad, two = crowd(turns, model, requests, picky)
    warning = "bad was among them; its 3 requests were then run one by one"
    assert first == Done(["0!"], None)
    assert one == Done(["1!"], warning) and two == Done(["2!", "3!"], warning)
    assert isinstance(bad, LookupError)
    assert model.passes == [[0], [1, "bad", 2, 3], [1], ["bad"], [2, 3]]


class Big:
    """What a pass holds while it lasts."""


def test_what_a_failed_pass_held_is_free_when_its_error_is() -> None:
    held: list[weakref.ref[Big]] = []

    def fails(_: Sequence[Any]) -> Done:
        big = Big()
        held.append(weakref.ref(big))
        raise LookupError("no")

    gc.disable()
    try:
        with pytest.raises(LookupError):
            MicroBatch(4).run("a", [1], fails)
        assert held[0]() is None
    finally:
        gc.enable()


def test_the_warning_of_a_pass_reaches_all_who_shared_it() -> None:
    turns, model = MicroBatch(8), Model(gated=True)

    def short(items: Sequence[Any]) -> Done:
        return model(items)._replace(warning="halved" if len(items) > 1 else None)

    found = crowd(turns, model, [("a", [number]) for number in range(3)], short)
    assert [each.warning for each in found] == [None, "halved", "halved"]


def test_one_who_is_interrupted_in_its_pass_leaves_nobody_waiting() -> None:
    """As in a notebook: a cell is stopped, and the threads that it started go on."""
    turns, model = MicroBatch(8), Model()

    def interrupted(_: Sequence[Any]) -> Done:
        for number in range(3):
            others.append(pool.submit(turns.run, "a", [number], model))
            until(lambda: len(turns._requests) == 1 + len(others))
        raise KeyboardInterrupt

    others: list[Future[Done]] = []
    with ThreadPoolExecutor(3) as pool:
        with pytest.raises(KeyboardInterrupt):
            turns.run("a", ["mine"], interrupted)
        assert [each.result(LONG).results for each in others] == [["0!"], ["1!"], ["2!"]]
    assert model.passes == [[0, 1, 2]]


def test_a_pass_that_several_share_may_be_interrupted_too() -> None:
    turns, model = MicroBatch(8), Model(gated=True)

    def interrupted(_: Sequence[Any]) -> Done:
        raise KeyboardInterrupt

    with ThreadPoolExecutor(4) as pool:
        asked = []
        for number, run_all in enumerate((model, interrupted, model, model)):
            asked.append(pool.submit(turns.run, "a", [number], run_all))
            until(lambda: len(turns._requests) == len(asked))
            assert model.began.wait(LONG)
        model.go.set()
        with pytest.raises(KeyboardInterrupt):
            asked[1].result(LONG)
        assert [asked[at].result(LONG).results for at in (0, 2, 3)] == [["0!"], ["2!"], ["3!"]]
    assert model.passes == [[0], [2, 3]]


@pytest.mark.usefixtures("ctrl_c")
def test_one_who_is_interrupted_while_it_waits_is_waited_for_by_nobody() -> None:
    turns, model, me = MicroBatch(8), Model(gated=True), threading.get_ident()

    def interrupt() -> None:
        until(lambda: len(turns._requests) == 3)
        signal.pthread_kill(me, signal.SIGINT)

    with ThreadPoolExecutor(3) as pool:
        first = pool.submit(turns.run, "a", [0], model)
        assert model.began.wait(LONG)
        pool.submit(interrupt)
        later = pool.submit(turns.run, "a", [2], model)
        until(lambda: len(turns._requests) == 2)
        with pytest.raises(KeyboardInterrupt):
            turns.run("a", ["mine"], model)
        model.go.set()
        assert first.result(LONG).results + later.result(LONG).results == ["0!", "2!"]
    assert model.passes == [[0], [2]] and not turns._requests


def test_an_interrupt_in_the_midst_of_the_standard_library_leaves_nobody_waiting() -> None:
    """It may come whenever a function of ``threading`` is called or returns."""

    def run(items: Sequence[Any]) -> Done:
        return Done([*items], None)

    def goes_on(at: int) -> bool:
        turns, passed, found = MicroBatch(4), 0, []

        def trace(frame: Any, event: str, _: Any) -> Any:
            nonlocal passed
            if frame.f_code.co_filename != threading.__file__:
                return None
            passed += event in ("call", "return")
            if passed == at:
                raise KeyboardInterrupt
            return trace

        before = sys.gettrace()
        sys.settrace(trace)
        try:
            turns.run("a", [1], run)
        except KeyboardInterrupt:
            pass
        finally:
            sys.settrace(before)
        other = threading.Thread(target=lambda: found.append(turns.run("a", [2], run)), daemon=True)
        other.start()
        other.join(LONG)
        assert found == [Done([2], None)], f"interrupted at {at}"
        return passed >= at

    assert len(list(itertools.takewhile(goes_on, itertools.count(1)))) > 3
