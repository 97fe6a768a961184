"""What only Claude's protocol has, against a server that keeps every request."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from .protocols import anthropic

pytestmark = [pytest.mark.slow, pytest.mark.extra]

Ask = Callable[..., Any]


@pytest.fixture
def spec(provider: Any, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "some-key")
    return f"anthropic:claude-test?base_url={provider.url}&temperature=0.25"


def key_in(heard: Any) -> str:
    """The key of a request, in whichever of the two headers the SDK prefers."""
    key = heard.headers.get("x-api-key") or heard.headers["authorization"].removeprefix("Bearer ")
    return str(key)


@pytest.fixture
def good(work: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    return 200, anthropic(json.dumps(work))


def test_a_request_is_as_the_protocol_has_it(
    asking: Ask, provider: Any, spec: str, good: Any
) -> None:
    assert asking(spec, good).status == "ok"
    (heard,) = provider.requests
    assert heard.path == "/v1/messages" and key_in(heard) == "some-key"
    assert heard.body["model"] == "claude-test"
    assert heard.body["system"] == "Be brief."
    assert heard.body["messages"] == [{"role": "user", "content": "What colour is the sky?"}]
    assert set(heard.body["output_config"]) == {"format"}
    assert heard.body["output_config"]["format"]["type"] == "json_schema"


def test_the_schema_leaves_other_settings_of_the_output_alone(
    asking: Ask, provider: Any, spec: str, good: Any
) -> None:
    assert asking(f"{spec}&reasoning_effort=low", good).status == "ok"
    config = provider.requests[0].body["output_config"]
    assert config["effort"] == "low" and config["format"]["type"] == "json_schema"


def test_an_answer_in_several_blocks_is_one(asking: Ask, spec: str, work: Any) -> None:
    text = json.dumps(work)
    blocks = [{"type": "text", "text": half} for half in (text[:10], text[10:])]
    assert asking(spec, (200, {**anthropic(None), "content": blocks})).status == "ok"


def test_a_server_of_ones_own_needs_no_key(
    asking: Ask, provider: Any, good: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ANTHROPIC_API_KEY", raising=False)
    assert asking(f"anthropic:no-key?base_url={provider.url}", good).status == "ok"
    assert key_in(provider.requests[0]) == "none"


@pytest.mark.parametrize(("given", "seconds"), [("", 120.0), ("&timeout=7.5", 7.5)])
def test_every_request_has_a_timeout(
    asking: Ask, provider: Any, spec: str, good: Any, given: str, seconds: float
) -> None:
    """The SDK tells the server of it."""
    assert asking(f"{spec}{given}", good).status == "ok"
    assert float(provider.requests[0].headers["x-stainless-read-timeout"]) == seconds
