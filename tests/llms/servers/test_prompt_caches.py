"""A provider's own cache of prompts: what it had is counted, and believed within reason."""

import copy
import json
import time
from collections.abc import Callable
from typing import Any

import pytest
from pydantic import BaseModel, ConfigDict

from deixis.llms import registry
from deixis.llms.servers import anthropic_chat
from deixis.llms.structured import Reply, ask
from deixis.prompts import Prompt
from deixis.testing import Response

from .protocols import PROTOCOLS, PROVIDERS, Protocol, anthropic

pytestmark = [pytest.mark.slow, pytest.mark.extra]

Told = tuple[tuple[str, ...], dict[str, Any]]
# Where each counts 400 tokens that it had; Gemini does not count those that it has put there.
TOLD: dict[str, Told] = {
    "openai": (
        ("usage",),
        {
            "prompt_tokens": 1000,
            "prompt_tokens_details": {"cached_tokens": 400, "cache_write_tokens": 500},
        },
    ),
    "google_genai": (
        ("usageMetadata",),
        {"promptTokenCount": 1000, "cachedContentTokenCount": 400},
    ),
    "anthropic": (
        ("usage",),
        {
            "input_tokens": 100,
            "cache_read_input_tokens": 400,
            "cache_creation_input_tokens": 500,
            "cache_creation": {"ephemeral_5m_input_tokens": 500, "ephemeral_1h_input_tokens": 0},
        },
    ),
}
TELLING = [
    pytest.param(protocol, id=name)
    for protocol, name in zip(PROTOCOLS, PROVIDERS, strict=True)
    if name in TOLD
]


def with_usage(protocol: Protocol, text: str, **changes: Any) -> dict[str, Any]:
    body = copy.deepcopy(protocol.says(text))
    (place,), told = TOLD[protocol.name]
    body[place] |= told | changes
    return body


@pytest.mark.parametrize("protocol", TELLING, indirect=True)
def test_what_a_provider_had_is_counted(
    asking: Callable[..., Reply[Any]], provider: Any, protocol: Protocol, work: dict[str, Any]
) -> None:
    body = with_usage(protocol, json.dumps(work))
    (call,) = asking(protocol.spec(provider.url), (200, body)).calls
    assert (call.status, call.input_tokens, call.cached_input_tokens) == ("ok", 1000, 400)
    assert call.cache_write_tokens == (0 if protocol.name == "google_genai" else 500)


def test_a_service_tier_hides_nothing(
    asking: Callable[..., Reply[Any]], provider: Any, work: dict[str, Any]
) -> None:
    (openai,) = (each for each in PROTOCOLS if each.name == "openai")
    body = {**with_usage(openai, json.dumps(work)), "service_tier": "flex"}
    (call,) = asking(openai.spec(provider.url), (200, body)).calls
    assert (call.cached_input_tokens, call.cache_write_tokens) == (400, 500)


@pytest.mark.parametrize("claim", [5000, -1, 10**30])
def test_no_more_than_was_sent_is_believed(
    asking: Callable[..., Reply[Any]], provider: Any, work: dict[str, Any], claim: int
) -> None:
    (openai,) = (each for each in PROTOCOLS if each.name == "openai")
    details = {"cached_tokens": claim}
    body = with_usage(openai, json.dumps(work), prompt_tokens_details=details)
    (call,) = asking(openai.spec(provider.url), (200, body)).calls
    assert call.status == "ok" and call.cached_input_tokens == (1000 if claim == 5000 else 0)


class Colour(BaseModel):
    model_config = ConfigDict(extra="forbid")

    color: str


class Shade(Colour):
    shade: str


@pytest.fixture
def sent(provider: Any, waits: list[float], monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """Return ``sent(system, answer)``: asks Claude, and returns the instructions as they went."""
    monkeypatch.setenv("ANTHROPIC_API_KEY", "some-key")
    monkeypatch.setattr(anthropic_chat, "_beginnings", anthropic_chat.Beginnings())

    def send(system: str, answer: type[BaseModel] = Colour) -> Any:
        fields = json.dumps(dict.fromkeys(answer.model_fields, "blue"))
        provider.replies[:] = [Response(200, anthropic(fields))]
        backend = registry.load(f"anthropic:claude-test?base_url={provider.url}")
        user = f"What colour is post {len(provider.requests)}?"
        reply = ask(backend, Prompt(system, user, "colour", 1), answer, max_tokens=50)
        assert reply.status == "ok" and provider.replies == []
        return provider.requests[-1].body["system"]

    return send


def marked(text: str) -> list[dict[str, Any]]:
    return [{"type": "text", "text": text, "cache_control": {"type": "ephemeral"}}]


def test_claudes_instructions_are_marked_when_they_come_again(sent: Callable[..., Any]) -> None:
    assert sent("Be brief.") == "Be brief.", "what comes once is not put into the cache"
    assert sent("Be brief.") == sent("Be brief.") == marked("Be brief.")
    assert sent("Be long.") == "Be long."
    assert sent("Be brief.", Shade) == "Be brief.", "another schema is another beginning"
    assert sent("Be brief.", Shade) == marked("Be brief.")


def test_instructions_that_the_cache_has_forgotten_are_not_put_there_anew(
    sent: Callable[..., Any],
) -> None:
    sent("Be brief.")
    time.sleep(anthropic_chat.KEPT)  # kept by `waits`, not made
    assert sent("Be brief.") == "Be brief."
    time.sleep(anthropic_chat.KEPT - 1.0)
    assert sent("Be brief.") == marked("Be brief.")


def test_few_beginnings_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(anthropic_chat, "_MOST", 2)
    beginnings = anthropic_chat.Beginnings()
    assert [beginnings.again(each) for each in "aabca"] == [False, True, False, False, False]
