"""A provider's own cache of prompts: what it had is counted, and believed within reason."""

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest

from deixis.llms.structured import Reply

from .protocols import PROTOCOLS, PROVIDERS, Protocol

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
