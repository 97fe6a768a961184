"""What only Gemini's protocol has, against a server that keeps every request."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from deixis.errors import MissingKeyError
from deixis.llms import registry

from .protocols import google

pytestmark = [pytest.mark.slow, pytest.mark.extra]

Ask = Callable[..., Any]


@pytest.fixture
def spec(provider: Any, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("GOOGLE_API_KEY", "some-key")
    return f"google_genai:gemini-test?base_url={provider.url}&temperature=0.25"


@pytest.fixture
def good(work: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    return 200, google(json.dumps(work))


def test_a_request_is_as_the_protocol_has_it(
    asking: Ask, provider: Any, spec: str, good: Any
) -> None:
    assert asking(spec, good).status == "ok"
    (heard,) = provider.requests
    assert heard.path.endswith("/models/gemini-test:generateContent")
    assert heard.headers["x-goog-api-key"] == "some-key"
    assert heard.body["systemInstruction"]["parts"] == [{"text": "Be brief."}]
    assert heard.body["contents"] == [
        {"role": "user", "parts": [{"text": "What colour is the sky?"}]}
    ]
    config = heard.body["generationConfig"]
    assert config["responseMimeType"] == "application/json"
    schema = config["responseJsonSchema"]
    assert schema["properties"]["const"]["enum"] == ["one"]
    assert schema["properties"]["items"]["maxItems"] == 3


def test_a_reply_cut_while_it_thought_is_asked_for_again_with_twice_the_tokens(
    asking: Ask, provider: Any, spec: str, good: Any
) -> None:
    cut = (200, google(None, "MAX_TOKENS"))
    reply = asking(spec, cut, good)
    assert reply.status == "ok"
    limits = [heard.body["generationConfig"]["maxOutputTokens"] for heard in provider.requests]
    assert limits == [50, 100]
    assert [call.status for call in reply.calls] == ["truncated", "ok"]
    assert asking(spec, cut, cut).status == "truncated"


@pytest.mark.parametrize("reason", ["SAFETY", "OTHER", "PROHIBITED_CONTENT"])
def test_a_blocked_prompt_is_a_refusal(asking: Ask, spec: str, reason: str) -> None:
    usage = {"promptTokenCount": 11, "totalTokenCount": 11}
    body = {"promptFeedback": {"blockReason": reason}, "usageMetadata": usage}
    reply = asking(spec, (200, body))
    assert reply.status == "refused" and reason in reply.detail


@pytest.mark.parametrize("reason", ["MALFORMED_FUNCTION_CALL", "UNEXPECTED_TOOL_CALL"])
def test_a_malformed_reply_is_asked_for_once_again(
    asking: Ask, provider: Any, spec: str, good: Any, reason: str
) -> None:
    reply = asking(spec, (200, google(None, reason)), good)
    assert reply.status == "ok"
    assert [call.status for call in reply.calls] == ["invalid", "ok"]
    assert reason in json.dumps(provider.requests[1].body["contents"])
    roles = [turn["role"] for turn in provider.requests[1].body["contents"]]
    assert roles == ["user", "model", "user"]


def test_a_reply_that_ended_for_another_reason_is_judged_by_what_it_says(
    asking: Ask, spec: str, work: Any, good: Any
) -> None:
    assert asking(spec, (200, google(json.dumps(work), "OTHER"))).status == "ok"
    reply = asking(spec, (200, google(None, "OTHER")), good)
    assert [call.status for call in reply.calls] == ["empty", "ok"]


@pytest.mark.parametrize("body", [{}, {"candidates": []}, {"candidates": [{}]}])
def test_a_reply_without_its_parts_is_empty(asking: Ask, spec: str, body: Any) -> None:
    assert asking(spec, (200, body), (200, body)).status == "empty"


def test_either_variable_holds_the_key(
    asking: Ask, provider: Any, good: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GOOGLE_API_KEY", raising=False)
    monkeypatch.delenv("GEMINI_API_KEY", raising=False)
    for function in (registry.check, registry.load):
        with pytest.raises(MissingKeyError, match="variable GOOGLE_API_KEY or GEMINI_API_KEY"):
            function("google_genai:gemini-test")
    assert asking(f"google_genai:no-key?base_url={provider.url}", good).status == "ok"
    assert provider.requests[0].headers["x-goog-api-key"] == "none"
    monkeypatch.setenv("GEMINI_API_KEY", "other-key")
    registry.check("google_genai:gemini-test")
    assert registry.provider_of("google_genai:gemini-test").key == "GEMINI_API_KEY"
    assert asking(f"google_genai:with-key?base_url={provider.url}", good).status == "ok"
    assert provider.requests[0].headers["x-goog-api-key"] == "other-key"


@pytest.mark.parametrize(("given", "told"), [("", "120"), ("&timeout=7.5", "8")])
def test_every_request_has_a_timeout(
    asking: Ask, provider: Any, spec: str, good: Any, given: str, told: str
) -> None:
    """The server is told as well, in whole seconds."""
    assert asking(f"{spec}{given}", good).status == "ok"
    assert provider.requests[0].headers["x-server-timeout"] == told
