"""Questions asked in one call: who is asked with whom, and what comes back to whom."""

import signal
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deixis.llms.together import Together

LONG = 20.0


class Asked:
    """Answers every part with itself and its kind, and keeps the groups."""

    def __init__(self) -> None:
        self.groups: list[list[tuple[str, int]]] = []

    def __call__(self, parts: list[tuple[str, int]]) -> list[str]:
        self.groups.append(list(parts))
        return [f"{kind} {number}" for kind, number in parts]


def all_at_once(together: Together, parts: Sequence[tuple[str, int]], ask_all: Any) -> list[Any]:
    """Ask for every part in a thread of its own; return the answers, or what was raised."""
    start = threading.Barrier(len(parts))

    def work(part: tuple[str, int]) -> Any:
        start.wait(10)
        try:
            return together.ask(part[0], part, ask_all)
        except Exception as error:
            return error

    with ThreadPoolExecutor(len(parts)) as pool:
        return list(pool.map(work, parts, timeout=2 * LONG))


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 5), st.lists(st.sampled_from("ab"), min_size=1, max_size=12))
def test_everyone_gets_its_own_answer_from_a_group_of_its_kind(most: int, kinds: list[str]) -> None:
    asked = Asked()
    parts = [(kind, number) for number, kind in enumerate(kinds)]
    answers = all_at_once(Together(most, wait=0.01), parts, asked)
    assert answers == [f"{kind} {number}" for kind, number in parts]
    assert sorted(part for group in asked.groups for part in group) == sorted(parts)
    for group in asked.groups:
        assert len(group) <= most and len({kind for kind, _ in group}) == 1


def test_full_groups_do_not_wait_and_leave_nobody_out() -> None:
    asked = Asked()
    answers = all_at_once(Together(4, wait=LONG), [("a", number) for number in range(8)], asked)
    assert answers == [f"a {number}" for number in range(8)]
    assert [len(group) for group in asked.groups] == [4, 4]


def test_a_lone_question_goes_alone_when_nobody_comes() -> None:
    asked = Asked()
    together = Together(4, wait=0.0)
    assert [together.ask("a", ("a", number), asked) for number in range(3)] == ["a 0", "a 1", "a 2"]
    assert asked.groups == [[("a", 0)], [("a", 1)], [("a", 2)]]


def test_with_one_at_most_nobody_waits() -> None:
    asked = Asked()
    assert Together(1, wait=10 * LONG).ask("a", ("a", 1), asked) == "a 1"


def test_what_is_raised_reaches_all_of_the_group_and_nobody_after_it() -> None:
    together = Together(3, wait=LONG)
    bug = LookupError("bug")

    def fails(_: list[Any]) -> list[str]:
        raise bug

    parts = [("a", number) for number in range(3)]
    assert all_at_once(together, parts, fails) == [bug] * 3
    assert all_at_once(together, parts, Asked()) == ["a 0", "a 1", "a 2"]


def test_a_group_closes_while_it_is_asked_for() -> None:
    """Whoever comes later is in the next one."""
    together = Together(2, wait=0.0)
    later: list[str] = []

    def slow(parts: list[tuple[str, int]]) -> list[str]:
        later.append(together.ask("a", ("a", 2), Asked()))
        return ["first"] * len(parts)

    assert together.ask("a", ("a", 1), slow) == "first"
    assert later == ["a 2"]


@pytest.mark.usefixtures("ctrl_c")
def test_one_who_is_interrupted_leaves_no_group_that_others_would_join() -> None:
    """As in a notebook: stop a cell while it waits for company, and run it again."""
    together = Together(2, wait=LONG)
    me = threading.get_ident()

    def interrupt() -> None:
        while not together._open:
            time.sleep(0.01)
        signal.pthread_kill(me, signal.SIGINT)

    thread = threading.Thread(target=interrupt)
    thread.start()
    with pytest.raises(KeyboardInterrupt):
        together.ask("a", ("a", 0), Asked())
    thread.join()
    asked = Asked()
    assert all_at_once(together, [("a", 1), ("a", 2)], asked) == ["a 1", "a 2"]
    assert [len(group) for group in asked.groups] == [2]
