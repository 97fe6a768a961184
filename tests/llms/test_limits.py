"""Limits and budgets, on a clock that only moves when somebody sleeps."""

import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, NamedTuple

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import BaseModel

from deixis.llms import limits, registry
from deixis.llms.limits import Limiter, Spending, limiter_of, spent_by
from deixis.llms.structured import ask
from deixis.prompts import Prompt
from deixis.settings import Budget, Limit

from .clock import Clock

PROMPT = Prompt("Be brief.", "What colour is the sky?", "colour", 1)
MINUTE = 60


class Colour(BaseModel):
    color: str


class WakefulClock(Clock):
    def sleep(self, seconds: float) -> None:
        assert seconds > 0, "a limiter that does not sleep burns a processor"
        super().sleep(seconds)


@contextmanager
def a_clock() -> Iterator[Clock]:
    with pytest.MonkeyPatch.context() as patch:
        clock = WakefulClock()
        patch.setattr(limits, "time", clock)
        yield clock


@pytest.fixture
def clock() -> Iterator[Clock]:
    with a_clock() as made:
        yield made


def begun(limiter: Limiter, tokens: int = 1) -> list[float]:
    """Begin and end a request; its entry holds the time at which it began."""
    with limiter.turn(tokens) as entry:
        return entry


def in_threads(count: int, work: Callable[[int], Any]) -> list[Any]:
    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(work, range(count), timeout=30))


class Step(NamedTuple):
    """Seconds that pass, what is estimated, what it takes, whether that is known only later."""

    gap: int
    estimate: int
    taken: int
    late: bool
    pause: int = 0


steps = st.lists(
    st.builds(
        Step,
        gap=st.integers(0, 70),
        estimate=st.integers(0, 150),
        taken=st.integers(0, 200),
        late=st.booleans(),
        pause=st.sampled_from([0, 0, 0, 3, 65]),
    ),
    max_size=25,
)
most = st.one_of(st.none(), st.integers(1, 4)), st.one_of(st.none(), st.integers(1, 100))


@given(*most, steps)
@example(2, None, [Step(0, 1, 1, False)] * 5)
@example(None, 100, [Step(0, 60, 10, False)] * 9)
@example(None, 100, [Step(0, 60, 90, True)] * 9)
@example(None, 10, [Step(0, 150, 150, False), Step(1, 1, 1, False), Step(0, 150, 0, True)])
def test_a_request_begins_when_the_minute_before_has_room_and_no_later(
    requests: int | None, tokens: int | None, plan: list[Step]
) -> None:
    """Against a window that is counted anew for every moment that comes into question."""
    past: list[list[float]] = []  # time, tokens
    not_before = 0.0

    def room(at: float, estimate: int) -> bool:
        recent = [counted for time, counted in past if time > at - MINUTE]
        if at < not_before or (requests is not None and len(recent) >= requests):
            return False
        return tokens is None or not recent or sum(recent) + estimate <= tokens

    with a_clock() as clock:
        limiter = Limiter(Limit(requests_per_minute=requests, tokens_per_minute=tokens))
        unknown: list[tuple[list[float], list[float], int]] = []
        for step in plan:
            clock.now += step.gap
            if step.pause:
                limiter.pause(step.pause)
                not_before = max(not_before, clock.now + step.pause)
            moments = sorted({clock.now, not_before, *(time + MINUTE for time, _ in past)})
            first = next(at for at in moments if at >= clock.now and room(at, step.estimate))
            entry = begun(limiter, step.estimate)
            assert clock.now == entry[0] == first
            counted = [first, float(step.estimate)]
            past.append(counted)
            for known, mine, taken in unknown:
                limiter.correct(known, taken)
                mine[1] = float(taken)
            unknown = [(entry, counted, step.taken)]
            if not step.late:
                limiter.correct(entry, step.taken)
                counted[1] = float(step.taken)
                unknown = []


def test_without_limits_nobody_waits(clock: Clock) -> None:
    limiter = Limiter(Limit())
    assert {begun(limiter, 10**9)[0] for _ in range(100)} == {clock.now}


def test_one_who_waits_goes_on_when_others_took_less_than_was_thought(clock: Clock) -> None:
    limiter = Limiter(Limit(tokens_per_minute=100))
    entry = begun(limiter, 90)
    clock.on_sleep = lambda: limiter.correct(entry, 10)
    started = clock.now
    assert begun(limiter, 90)[0] <= started + 1


def test_small_requests_do_not_overtake_a_large_one(clock: Clock) -> None:
    limiter = Limiter(Limit(tokens_per_minute=100))
    order = ["first"]
    begun(limiter, 50)
    small_is_through = threading.Event()

    def small() -> None:
        begun(limiter, 10)
        order.append("small")
        small_is_through.set()

    thread = threading.Thread(target=small)

    def on_sleep() -> None:
        clock.on_sleep = lambda: None
        thread.start()
        small_is_through.wait(0.2)  # there is room for it

    clock.on_sleep = on_sleep
    with limiter.turn(500):
        order.append("large")
    thread.join(10)
    assert order == ["first", "large", "small"]


@pytest.mark.parametrize("pauses", [(7.0,), (7.0, 2.0), (2.0, 7.0)])
def test_a_pause_holds_all_until_the_last_is_over(clock: Clock, pauses: tuple[float, ...]) -> None:
    limiter, started = Limiter(Limit()), clock.now
    for seconds in pauses:
        limiter.pause(seconds)
    assert {begun(limiter)[0] for _ in range(3)} == {started + 7.0}


@pytest.mark.parametrize("most", [1, 3])
def test_never_more_at_once_than_the_slots(most: int) -> None:
    limiter = Limiter(Limit(concurrency=most))
    as_many = threading.Barrier(most)
    one_more = threading.Barrier(most + 1)

    def work(_: int) -> bool:
        with limiter.turn(1):
            as_many.wait(10)  # so many do get in
            try:
                one_more.wait(0.1)
            except threading.BrokenBarrierError:
                return True
            return False

    assert in_threads(3 * most, work) == [True] * 3 * most


@pytest.mark.parametrize("error", [KeyError("bug"), ConnectionError("gone"), KeyboardInterrupt()])
def test_a_slot_is_given_back_by_a_call_that_raises(
    scripted: Any, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    monkeypatch.setattr("deixis.llms.structured._PAUSES", (0.0, 0.0))
    said: list[Any] = [error, error, error]

    def script(*_: Any) -> str:
        if said:
            raise said.pop()
        return '{"color": "blue"}'

    scripted(script)
    limiter = Limiter(Limit(concurrency=1))

    def asked() -> str:
        reply = ask(registry.load("scripted:any"), PROMPT, Colour, max_tokens=50, limiter=limiter)
        return reply.status

    if isinstance(error, ConnectionError):
        assert asked() == "failed"
    else:
        with pytest.raises(type(error)):
            asked()
    said.clear()
    assert in_threads(1, lambda _: asked()) == ["ok"]


def test_a_limiter_is_shared_by_all_who_name_the_same_limits() -> None:
    limit = Limit(concurrency=2, requests_per_minute=9)
    assert limiter_of("some", limit) is limiter_of("some", limit.model_copy())
    assert limiter_of("some", limit) is not limiter_of("other", limit)
    assert limiter_of("some", limit) is not limiter_of("some", Limit(concurrency=2))


def test_those_who_come_first_at_once_get_the_same_limiter() -> None:
    together = threading.Barrier(8)
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        for number in range(100):
            name = f"at once {number}"

            def work(_: int, name: str = name) -> Limiter:
                together.wait(10)
                return limiter_of(name, Limit(concurrency=1))

            assert len(set(in_threads(8, work))) == 1
    finally:
        sys.setswitchinterval(before)


@pytest.mark.parametrize("most", [0, 1, 17])
def test_calls_never_pass_the_budget(most: int) -> None:
    spending = Spending(Budget(calls=most))
    together = threading.Barrier(50)

    def work(_: int) -> list[str]:
        together.wait(10)
        return [spending.begin() for _ in range(3)]

    reasons = [reason for each in in_threads(50, work) for reason in each]
    assert reasons.count("") == most
    assert set(reasons) - {""} == {f"the budget of {most} calls is used up"}


def test_tokens_stop_the_next_call_and_not_the_one_that_passes_them() -> None:
    spending = Spending(Budget(calls=9, tokens=100))
    for tokens in (60, 39, 500):
        assert spending.used_up() == spending.begin() == ""
        spending.add(tokens)
    assert spending.used_up() == spending.begin() == "the budget of 100 tokens is used up"


def test_only_what_is_begun_counts() -> None:
    spending = Spending(Budget(calls=2))
    assert [spending.used_up() for _ in range(5)] == [""] * 5
    assert [bool(spending.begin()) for _ in range(4)] == [False, False, True, True]


def test_what_is_left_of_a_budget_is_never_less_than_nothing() -> None:
    spending = Spending(Budget(calls=2, tokens=100))
    spending.begin()
    spending.add(40)
    assert spending.left() == Budget(calls=1, tokens=60)
    spending.add(500)
    assert spending.left() == Budget(calls=1, tokens=0)


def test_without_a_budget_nothing_is_used_up() -> None:
    spending = Spending(Budget())
    assert spending.left() == Budget()
    spending.add(10**12)
    assert {spending.begin() for _ in range(1000)} == {""}


def test_a_run_has_a_budget_of_its_own_beside_that_of_its_graph() -> None:
    graph = Spending(Budget(calls=3))
    run, other = Spending(Budget(calls=1, tokens=50)), Spending(Budget(calls=9))
    with spent_by(run):
        assert graph.begin() == ""
        assert graph.begin() == graph.used_up() == "the budget of 1 calls is used up"
    with spent_by(other):
        assert [graph.begin(), graph.begin()] == ["", ""]
        assert graph.begin() == "the budget of 3 calls is used up"
        graph.add(70)
    assert other.left().calls == 9 - 3
    assert graph.left() == Budget(calls=0)
    tokens = Spending(Budget(tokens=50))
    with spent_by(tokens):
        Spending(Budget()).add(60)
        assert Spending(Budget()).used_up() == "the budget of 50 tokens is used up"


def test_nothing_is_asked_in_a_run_that_has_ended() -> None:
    why: list[str] = []
    run, graph = Spending(Budget(), lambda: "".join(why)), Spending(Budget())
    with spent_by(run):
        assert graph.begin() == ""
        why.append("nobody waits for it")
        assert graph.begin() == graph.used_up() == "nobody waits for it"
    assert graph.begin() == ""
