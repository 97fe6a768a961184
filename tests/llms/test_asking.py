"""How a graph asks: a pause for all of a provider, a budget, the shares of a joint answer."""

import json
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from langchain_core.messages import AIMessage
from pydantic import BaseModel, ConfigDict, create_model

from deixis.errors import CacheMissError, SettingsError
from deixis.llms import limits, structured
from deixis.llms.asking import Asker, Joint
from deixis.llms.cache.llm_cache import LlmCache
from deixis.llms.structured import Reply
from deixis.llms.together import Together
from deixis.prompts import Prompt
from deixis.settings import Budget, Limit, Options

from .clock import Clock

PROMPT = Prompt("Be brief.", "What colour is the sky?", "colour", 1)


class Colour(BaseModel):
    model_config = ConfigDict(extra="forbid")

    colour: str


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(limits, "time", clock)
    monkeypatch.setattr(structured, "time", clock)
    limits._made.cache_clear()
    return clock


@pytest.fixture
def asker(tmp_path: Path) -> Callable[..., Asker]:
    def make(**options: Any) -> Asker:
        chosen = Options(**options)
        return Asker(chosen, LlmCache(tmp_path / "answers", chosen.cache))

    return make


BLUE = '{"colour": "blue"}'


@pytest.mark.extra
@pytest.mark.parametrize(
    ("given", "held"),
    [
        ({}, True),
        ({"ollama": Limit(concurrency=4)}, True),
        ({"ollama:one": Limit()}, False),
        ({"scripted": Limit()}, True),
    ],
)
def test_a_pause_that_a_provider_asks_for_holds_all_who_ask_it(
    asker: Any, clock: Clock, provider: Any, scripted: Any, given: dict[str, Limit], held: bool
) -> None:
    """While the one that was told to wait sleeps, others ask; of one limiter they wait, too."""
    scripted(lambda *_: BLUE)
    one, other = (f"ollama:{name}?base_url={provider.url}" for name in ("one", "other"))
    answer = {"message": {"role": "assistant", "content": BLUE}, "done": True, "model": "any"}
    said = [(429, {"error": "slow down"}, {"Retry-After": "7"}), *[(200, answer, {})] * 2]
    names = ("status", "body", "headers")
    provider.replies[:] = [SimpleNamespace(**dict(zip(names, each, strict=True))) for each in said]
    mine = asker(limits=given)
    began: dict[str, float] = {}

    def on_sleep() -> None:
        clock.on_sleep = lambda: None
        for spec in ("scripted:elsewhere", other):
            with ThreadPoolExecutor(1) as pool:
                assert pool.submit(mine.ask, spec, PROMPT, Colour).result(20).status == "ok"
            began[spec] = clock.now

    clock.on_sleep = on_sleep
    reply = mine.ask(one, PROMPT, Colour)
    assert [call.status for call in reply.calls] == ["failed", "ok"]
    assert began == {"scripted:elsewhere": 1000.0, other: 1007.0 if held else 1000.0}
    assert provider.replies == []


@pytest.mark.parametrize("option", ["limits", "prices"])
@pytest.mark.parametrize("name", ["opnai", "opnai:gpt-5-mini", "opnai:any?base_url=http://h/v1"])
def test_a_limit_or_a_price_of_nobody_is_told(asker: Any, option: str, name: str) -> None:
    value = {"limits": Limit(), "prices": {"input": 1, "output": 2}}[option]
    with pytest.raises(SettingsError) as caught:
        asker(**{option: {"openai": value, name: value}})
    said = str(caught.value)
    assert said.startswith(f"options.{option}: {name!r}: there is no language-model provider")
    assert "(did you mean 'openai'?)" in said and "\n" not in said


def test_when_the_budget_is_used_up_nobody_waits_to_be_told(
    asker: Any, clock: Clock, scripted: Any
) -> None:
    scripted(lambda *_: BLUE)
    mine = asker(
        budget=Budget(calls=1), limits={"scripted": Limit(requests_per_minute=1)}, cache="off"
    )
    first = mine.ask("scripted:any", PROMPT, Colour, 0)
    later = [mine.ask("scripted:any", PROMPT, Colour, number) for number in range(1, 4)]
    assert first.status == "ok" and clock.now == 1000.0
    assert later == [Reply(None, "budget", "the budget of 1 calls is used up", ())] * 3


def alone(thing: str) -> Prompt:
    return Prompt("Be brief.", json.dumps([thing]), "colour", 1)


def together(things: Sequence[str]) -> tuple[Prompt, type[BaseModel]]:
    fields: dict[str, Any] = {
        f"p{number}_colour": (str, ...) for number in range(1, len(things) + 1)
    }
    kind = create_model("Colours", __config__=ConfigDict(extra="forbid"), **fields)
    return Prompt("Be brief.", json.dumps(list(things)), "colour", 1), kind


def truth(things: list[str], schema: dict[str, Any]) -> str:
    return json.dumps(
        {key: f"{thing} blue" for key, thing in zip(schema["properties"], things, strict=True)}
    )


class Model:
    """Tells the truth to one; says `to_several` to several, or the truth when it is None."""

    def __init__(self, to_several: Any = None) -> None:
        self.to_several = to_several
        self.asked: list[tuple[list[str], int]] = []

    def __call__(self, _name: str, messages: list[Any], options: dict[str, Any]) -> Any:
        things = json.loads(messages[1].text)
        self.asked.append((things, options["max_tokens"]))
        several = "p1_colour" in options["json_schema"]["properties"]
        if several and self.to_several is not None:
            return self.to_several
        return truth(things, options["json_schema"])


@pytest.fixture
def model(scripted: Any, monkeypatch: pytest.MonkeyPatch) -> Model:
    monkeypatch.setattr(structured, "_PAUSES", (0.0, 0.0))
    # Whoever is first waits until the group is full: the tests always fill it.
    monkeypatch.setattr("deixis.llms.asking.Together", lambda most: Together(most, wait=20.0))
    made = Model()
    scripted(made)
    return made


THINGS = ["the sky", "the sea", "a jay"]


def ask_about(mine: Asker, things: list[str]) -> list[Reply[Colour]]:
    start = threading.Barrier(len(things))

    def work(thing: str) -> Reply[Colour]:
        start.wait(10)
        joint = Joint(thing, together)
        return mine.ask("scripted:any", alone(thing), Colour, joint=joint)

    with ThreadPoolExecutor(len(things)) as pool:
        return list(pool.map(work, things, timeout=60))


def colours(replies: list[Reply[Colour]]) -> list[str | None]:
    return [reply.value.colour if reply.value else None for reply in replies]


def requests_in(replies: list[Reply[Colour]]) -> int:
    return sum(call.status not in {"shared", "cached"} for reply in replies for call in reply.calls)


BLUES = [f"{thing} blue" for thing in THINGS]


def test_one_call_brings_every_one_its_own_answer(asker: Any, model: Model) -> None:
    replies = ask_about(asker(posts_per_call=3, max_tokens=100), THINGS)
    assert colours(replies) == BLUES
    ((asked, limit),) = model.asked
    assert sorted(asked) == sorted(THINGS) and limit == 300
    assert requests_in(replies) == 1
    assert sorted(len(reply.calls) for reply in replies) == [1, 1, 2]
    for reply, thing in zip(replies, THINGS, strict=True):
        last = reply.calls[-1]
        assert (last.status, last.finish_reason) == ("shared", "shared")
        assert json.loads(last.text) == {"colour": f"{thing} blue"}
        assert (last.input_tokens, last.output_tokens) == (0, 0)


@pytest.mark.parametrize("things", [THINGS, THINGS[:1], [*THINGS[1:], "another thing"]])
def test_an_answer_is_kept_whatever_it_was_asked_with(
    asker: Any, model: Model, things: list[str]
) -> None:
    ask_about(asker(posts_per_call=3), THINGS)
    model.asked.clear()
    mine = asker(posts_per_call=1)
    replies = ask_about(mine, things)
    assert colours(replies) == [f"{thing} blue" for thing in things]
    assert [asked for asked, _ in model.asked] == [[each] for each in things if each not in THINGS]
    for reply, thing in zip(replies, things, strict=True):
        assert (reply.calls[0].status == "cached") is (thing in THINGS)


CUT = AIMessage('{"p1_col', response_metadata={"finish_reason": "length"})
REFUSED = AIMessage("I would rather not", additional_kwargs={"refusal": "no"})


@pytest.mark.parametrize(
    ("to_several", "tried"),
    [("no JSON", 2), ('{"p1_colour": "red"}', 2), ("", 2), (CUT, 2), (REFUSED, 1)],
    ids=["invalid", "for one", "empty", "truncated", "refused"],
)
def test_what_one_may_have_brought_upon_all_is_asked_alone(
    asker: Any, model: Model, to_several: Any, tried: int
) -> None:
    model.to_several = to_several
    replies = ask_about(asker(posts_per_call=3, max_tokens=100), THINGS)
    assert colours(replies) == BLUES
    assert [len(asked) for asked, _ in model.asked] == [3] * tried + [1] * 3
    assert [limit for asked, limit in model.asked if len(asked) == 1] == [100] * 3
    assert requests_in(replies) == len(model.asked)
    assert all(reply.calls[-1].status == "ok" for reply in replies)
    assert requests_in(ask_about(asker(), THINGS)) == 0, "kept as if they had been asked alone"


def test_a_fault_of_the_provider_is_not_tried_again_for_each(asker: Any, model: Model) -> None:
    model.to_several = ConnectionError("gone")
    replies = ask_about(asker(posts_per_call=3), THINGS)
    assert [len(asked) for asked, _ in model.asked] == [3] * 3, "three tries of one call"
    assert [(reply.value, reply.status) for reply in replies] == [(None, "failed")] * 3
    assert all("gone" in reply.detail for reply in replies)
    assert requests_in(replies) == 3
    model.to_several = None
    assert colours(ask_about(asker(), THINGS)) == BLUES, "a failure is not kept"


def test_the_budget_may_end_in_the_middle_of_a_joint_call(asker: Any, model: Model) -> None:
    model.to_several = "no JSON"
    replies = ask_about(asker(posts_per_call=3, budget=Budget(calls=1)), THINGS)
    assert {reply.status for reply in replies} == {"budget"}
    assert len(model.asked) == requests_in(replies) == 1


def test_without_a_budget_left_nobody_waits_for_company(asker: Any, model: Model) -> None:
    (reply,) = ask_about(asker(posts_per_call=3, budget=Budget(tokens=0)), THINGS[:1])
    assert reply.status == "budget" and model.asked == []


def test_questions_of_different_kinds_are_asked_apart(
    asker: Any, model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("deixis.llms.asking.Together", lambda most: Together(most, wait=0.1))
    mine = asker(posts_per_call=8)
    one, other = "scripted:any", "scripted:other"
    kinds = [(one, 0, "colour"), (one, 1, "colour"), (other, 0, "colour"), (one, 0, "hue")] * 2

    def work(number: int) -> Reply[Colour]:
        spec, sample, name = kinds[number]
        prompt = alone(f"thing {number}")._replace(name=name)
        return mine.ask(spec, prompt, Colour, sample, Joint(f"thing {number}", together))

    with ThreadPoolExecutor(len(kinds)) as pool:
        replies = list(pool.map(work, range(len(kinds)), timeout=60))
    assert colours(replies) == [f"thing {number} blue" for number in range(len(kinds))]
    groups = [[int(thing.split()[1]) % 4 for thing in asked] for asked, _ in model.asked]
    assert all(len(set(group)) == 1 for group in groups)


def test_a_replay_waits_for_no_company(asker: Any, model: Model) -> None:
    ask_about(asker(posts_per_call=3), THINGS)
    mine = asker(posts_per_call=3, cache="replay")
    assert colours(ask_about(mine, THINGS[:1])) == BLUES[:1]
    with pytest.raises(CacheMissError, match="another"):
        ask_about(mine, ["another"])
