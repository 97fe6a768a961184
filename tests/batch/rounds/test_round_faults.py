"""What can go wrong with batches: single requests, whole jobs, the way there, kills."""

import json
from collections import Counter
from typing import Any

import pytest

from deixis.errors import InputError
from deixis.llms.provider_batch.jobs import Jobs
from deixis.llms.provider_batch.mailbox import Mailbox

from .conftest import World

pytestmark = pytest.mark.slow


def first_time(what: Any) -> Any:
    """Answer each request with a fault when it comes first."""
    seen: Counter[str] = Counter()

    def says(body: dict[str, Any]) -> Any:
        seen[json.dumps(body)] += 1
        return what if seen[json.dumps(body)] == 1 else None

    return says


def alone(world: World) -> World:
    """Leave the recognizer alone: one round."""
    world.roles = {"recognizer": world.batches.spec}
    return world


@pytest.mark.parametrize("fault", ["expired", "missing", "garbage", "stranger", 429, 500])
def test_a_request_without_an_answer_goes_into_the_next_batch(world: World, fault: Any) -> None:
    # OpenAI has answers and errors in files of their own, which are written one after the other.
    replies: dict[tuple[int, str], Any] = {}
    says = first_time(fault)
    world.batches.says = lambda body: replies.setdefault(
        (len(world.batches.jobs), json.dumps(body)), says(body)
    )
    tally = alone(world).run()
    assert (tally.done, tally.failed, tally.warned, tally.calls) == (3, 0, 0, 3)
    assert [len(job.lines) for job in world.batches.jobs] == [3, 3]


@pytest.mark.parametrize("fault", ["expired", 503])
def test_a_request_without_an_answer_in_three_batches_has_failed(world: World, fault: Any) -> None:
    world.batches.says = lambda body: fault
    tally = alone(world).run()
    assert (tally.done, tally.warned) == (3, 3)
    assert [len(job.lines) for job in world.batches.jobs] == [3, 3, 3]
    (warning, *_) = world.results()[0]["warnings"]
    assert "gave no answer (failed): no answer in 3 batches: " in warning["message"]


def test_partial_results_are_taken_in(world: World) -> None:
    """One of three expires; the others are not asked again."""
    replies: dict[tuple[int, str], Any] = {}

    def says(body: dict[str, Any]) -> Any:
        key = (len(world.batches.jobs), json.dumps(body))
        late = "US Navy, 1" in json.dumps(body) and len(world.batches.jobs) == 1
        return replies.setdefault(key, "expired" if late else None)

    world.batches.says = says
    assert alone(world).run().warned == 0
    assert [len(job.lines) for job in world.batches.jobs] == [3, 1]


@pytest.mark.parametrize("said", [400, "no JSON at all", '{"entities": [{"text": 3}]}'])
def test_what_is_refused_or_wrong_is_as_if_it_were_asked_at_once(world: World, said: Any) -> None:
    world.batches.says = lambda body: said
    alone(world).run()
    rows = world.results()
    asked = world.online()
    assert rows == asked
    assert rows[0]["warnings"]


def test_a_refusal_is_one(openai: World) -> None:
    from deixis.testing import completion

    openai.batches.says = lambda body: completion(None, refusal="I cannot help with that.")
    alone(openai).run()
    (warning, *_) = openai.results()[0]["warnings"]
    assert "(refused): the model declined (I cannot help with that.)" in warning["message"]
    assert len(openai.batches.asked) == 3


def test_a_reply_that_is_no_answer_is_asked_for_again_in_the_next_round(world: World) -> None:
    """The repair has the wrong reply in it: it is another request."""
    world.batches.says = lambda body: None if "That was not" in json.dumps(body) else "Sure!"
    tally = alone(world).run()
    assert (tally.calls, tally.warned) == (6, 0)
    assert world.batches.log == "+-+-"
    assert world.results() == world.online()


def test_a_job_that_fails_for_want_of_room_is_handed_in_in_smaller_ones(openai: World) -> None:
    openai.batches.fails = ["token_limit_exceeded"] * 5
    tally = alone(openai).run()
    assert (tally.done, tally.warned) == (3, 0)
    sizes = [len(job.lines) for job in openai.batches.jobs]
    assert sizes[0] == 3 and set(sizes[1:]) == {1}
    assert openai.clock.waits


def test_a_job_that_fails_as_a_whole_is_handed_in_again(openai: World) -> None:
    openai.batches.fails = ["invalid_something"]
    tally = alone(openai).run()
    assert (tally.done, tally.warned) == (3, 0)
    assert [len(job.lines) for job in openai.batches.jobs] == [3, 3]


@pytest.mark.parametrize("status", [429, 500])
def test_a_provider_that_has_no_time_is_asked_later(world: World, status: int) -> None:
    world.batches.refuses = [status, status]
    tally = alone(world).run()
    assert (tally.done, tally.warned, tally.trouble) == (3, 0, "")
    assert len(world.batches.jobs) == 1
    assert world.clock.waits == [30, 60]


def test_a_provider_that_refuses_batches_ends_the_run_and_keeps_what_was_asked(
    world: World,
) -> None:
    world.batches.refuses = [403]
    with pytest.raises(InputError, match=r"its batches are refused: .*what was asked"):
        alone(world).run()
    tally = world.run()
    assert (tally.done, len(world.batches.jobs)) == (3, 1)


def test_a_job_that_was_made_as_the_line_broke_is_found_again(world: World) -> None:
    world.batches.refuses = [0]
    assert alone(world).run().done == 3
    assert len(world.batches.jobs) == 1


def test_a_job_whose_id_was_not_written_down_before_a_kill_is_found_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Mailbox, "posted", killed)
        with pytest.raises(KeyboardInterrupt):
            alone(world).run()
    assert len(world.batches.jobs) == 1
    assert world.run().done == 3
    assert len(world.batches.jobs) == 1


def test_requests_of_a_job_that_was_never_made_are_handed_in_after_a_kill(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Jobs, "_asked", killed)
        with pytest.raises(KeyboardInterrupt):
            alone(world).run()
    assert not world.batches.jobs
    assert world.run().done == 3
    assert len(world.batches.jobs) == 1


def test_a_kill_while_results_are_taken_in_takes_them_in_later(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Mailbox, "_put_back", killed)
        with pytest.raises(KeyboardInterrupt):
            alone(world).run()
    assert world.run().done == 3
    assert len(world.batches.jobs) == 1


def test_a_job_that_is_gone_is_asked_again(world: World) -> None:
    world.batches.looks = 1
    alone(world).run(wait=0.0)
    world.batches.deleted.append(world.batches.jobs[0].id)
    assert world.run().done == 3
    assert [len(job.lines) for job in world.batches.jobs] == [3, 3]


def test_what_was_answered_is_removed_at_the_provider(world: World) -> None:
    alone(world).run()
    assert world.batches.deleted


def test_rows_that_fail_are_run_once(openai: World) -> None:
    rows = [{"id": "a", "text": "Grace Hopper", "image": "none.png"}, {"id": "b", "text": "Grace"}]
    openai.source.write_text("".join(json.dumps(row) + "\n" for row in rows))
    tally = openai.run()
    assert (tally.done, tally.failed) == (1, 1)
    assert len((openai.folder / "out.failures.jsonl").read_text().splitlines()) == 1
    assert not (openai.folder / "out.batches").exists()
