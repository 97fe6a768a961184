"""Replies made to break their reader: that call has failed, or its count is none; all goes on."""

import json
from pathlib import Path
from typing import Any

import pytest

from deixis.llms import registry, structured
from deixis.llms.answers.reading import Text
from deixis.llms.asking import Asker
from deixis.llms.cache import llm_cache as cache
from deixis.llms.cache.llm_cache import LlmCache
from deixis.llms.limits import Spending, charged
from deixis.llms.structured import Reply, ask
from deixis.prompts import Prompt
from deixis.settings import Budget, Options

from .protocols import ANSWERS, PROVIDERS
from .wire import reply, serving

pytestmark = pytest.mark.slow

PROMPT = Prompt("Be brief.", "What colour is the sky? " * 20, "colour", 1)
BRACKETS = "[" * 100_000 + "]" * 100_000
ODD: list[Any] = ["12", 1.5, -1_000_000_000, 10**30, True, None, [], {}, "NaN", float("nan")]


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(structured, "_PAUSES", ())


@pytest.fixture(params=PROVIDERS)
def provider(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def answered(provider: str, body: str, budget: Spending | None = None) -> Reply[Text]:
    with serving(lambda connection: connection.sendall(reply(body.encode()))) as wire:
        backend = registry.load(wire.spec(provider))
        return ask(backend, PROMPT, Text, max_tokens=50, spending=budget)


def counted(provider: str, given: Any, written: Any) -> str:
    """Return an answer that says it took so many tokens."""
    names = {
        "openai": ("usage", "prompt_tokens", "completion_tokens"),
        "anthropic": ("usage", "input_tokens", "output_tokens"),
        "google_genai": ("usageMetadata", "promptTokenCount", "candidatesTokenCount"),
        "ollama": ("", "prompt_eval_count", "eval_count"),
    }
    place, *two = names[provider]
    counts = dict(zip(two, (given, written), strict=True))
    return json.dumps({**ANSWERS[provider], **({place: counts} if place else counts)})


@pytest.mark.extra
@pytest.mark.parametrize(
    "body",
    [BRACKETS, '{"a":' * 50_000 + "1" + "}" * 50_000, "NaN", '"text"', "0", "true", "\ud83d"[:0]],
    ids=["brackets", "braces", "nan", "text", "zero", "true", "nothing"],
)
def test_a_body_that_is_no_reply_fails_the_call(provider: str, body: str) -> None:
    got = answered(provider, body)
    assert got.status in {"failed", "empty"} and len(got.calls) <= 2 and "\n" not in got.detail


@pytest.mark.extra
@pytest.mark.parametrize("role", ["system", "user", "tool", "function", "", None, 7])
def test_a_message_of_somebody_else_fails_the_call(role: Any) -> None:
    body = json.loads(json.dumps(ANSWERS["openai"]))
    body["choices"][0]["message"]["role"] = role
    wanted = {"failed"} if role in {"system", "user", "tool", "function"} else {"failed", "ok"}
    assert answered("openai", json.dumps(body)).status in wanted


@pytest.mark.extra
@pytest.mark.parametrize("content", [[], {}, 7, True, [[]], [{"type": "text"}], [None]])
@pytest.mark.parametrize("field", ["content", "refusal", "tool_calls", "function_call"])
def test_fields_of_other_types_fail_the_call(field: str, content: Any) -> None:
    body = json.loads(json.dumps(ANSWERS["openai"]))
    body["choices"][0]["message"][field] = content
    assert isinstance(answered("openai", json.dumps(body)), Reply)


@pytest.mark.extra
def test_a_refusal_of_brackets_is_no_bug() -> None:
    body = json.dumps(ANSWERS["openai"]).replace('"blue"', f'"blue", "refusal": {BRACKETS}')
    assert answered("openai", body).status in {"failed", "refused"}


@pytest.mark.extra
@pytest.mark.parametrize("count", ODD, ids=str)
def test_a_count_that_is_none_costs_no_more_than_the_call(provider: str, count: Any) -> None:
    spending = Spending(Budget(tokens=10))
    got = answered(provider, counted(provider, count, count), spending)
    assert got.status in {"ok", "failed"}
    assert all(call.input_tokens >= 0 and call.output_tokens >= 0 for call in got.calls)
    if got.status == "ok":
        assert spending.used_up(), "it is charged what it is estimated to have taken"


@pytest.mark.extra
@pytest.mark.parametrize("count", [0, 1, -5])
def test_a_count_that_lies_does_not_stretch_the_budget(provider: str, count: int) -> None:
    spending = Spending(Budget(tokens=50))
    got = answered(provider, counted(provider, count, count), spending)
    assert got.status in {"ok", "failed"} and (got.status == "failed" or spending.used_up())


def test_an_honest_count_is_what_is_charged() -> None:
    assert charged((100, 7), (400, 30), 0) == 107
    assert charged((0, 0), (400, 40), 2000) == 2110
    assert charged((19, 1), (400, 40), 0) == 110
    assert charged((20, 2), (400, 40), 0) == 22


def test_what_is_counted_is_never_taken_back() -> None:
    spending = Spending(Budget(tokens=10))
    spending.add(10)
    spending.add(-1_000_000)
    assert spending.used_up()


@pytest.mark.extra
def test_a_giant_is_not_stored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache, "LARGEST", 5_000)
    stored = LlmCache(tmp_path)
    asker = Asker(Options(), stored)
    for size, entries in ((10_000, 0), (100, 1)):
        body = json.dumps(ANSWERS["openai"]).replace("blue", "b" * size)
        with serving(
            lambda connection, sent=body: connection.sendall(reply(sent.encode()))
        ) as wire:
            got = asker.ask(wire.spec("openai"), PROMPT, Text)
        assert got.value is not None and len(got.value.text) == size
        assert stored.stats().entries == entries
