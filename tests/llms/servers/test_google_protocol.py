"""Gemini's protocol, against a server that keeps every request."""

import json
import socket
from collections.abc import Callable
from typing import Any

import pytest

from deixis.errors import MissingKeyError
from deixis.llms import registry

pytestmark = pytest.mark.slow

Ask = Callable[..., Any]


@pytest.fixture
def spec(provider: Any, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("GOOGLE_API_KEY", "some-key")
    return f"google_genai:gemini-test?base_url={provider.url}&temperature=0.25"


def candidate(text: str | None, reason: str = "STOP") -> tuple[int, dict[str, Any]]:
    content = {"role": "model", "parts": [{"text": text}]} if text is not None else {}
    return 200, {
        "candidates": [{"content": content, "finishReason": reason, "index": 0}],
        "usageMetadata": {
            "promptTokenCount": 11,
            "candidatesTokenCount": 5,
            "thoughtsTokenCount": 2,
            "totalTokenCount": 18,
        },
        "modelVersion": "gemini-test",
    }


def fault(status: int, **headers: str) -> tuple[int, Any, dict[str, str]]:
    error = {"code": status, "message": "not like this", "status": "SOME_STATUS"}
    return status, {"error": error}, {name.replace("_", "-"): v for name, v in headers.items()}


@pytest.fixture
def good(work: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    return candidate(json.dumps(work))


def test_a_request_has_the_schema_and_the_limit(
    asking: Ask, provider: Any, spec: str, good: Any, work: Any, keywords_of: Any
) -> None:
    reply = asking(spec, good)
    assert reply.status == "ok" and reply.value.model_dump() == work
    (heard,) = provider.requests
    assert heard.path.endswith("/models/gemini-test:generateContent")
    assert heard.headers["x-goog-api-key"] == "some-key"
    assert heard.body["systemInstruction"]["parts"] == [{"text": "Be brief."}]
    assert heard.body["contents"] == [
        {"role": "user", "parts": [{"text": "What colour is the sky?"}]}
    ]
    config = heard.body["generationConfig"]
    assert config["temperature"] == 0.25 and config["maxOutputTokens"] == 50
    assert config["responseMimeType"] == "application/json"
    schema = config["responseJsonSchema"]
    assert list(schema["properties"]) == schema["required"] == list(work)
    assert schema["properties"]["const"]["enum"] == ["one"]
    assert list(schema["$defs"]["Inner"]["properties"]) == ["pattern", "properties"]
    assert keywords_of(schema) & {"pattern", "minLength", "maxLength", "const"} == set()
    assert schema["properties"]["items"]["maxItems"] == 3


def test_tokens_are_those_the_server_counted(asking: Ask, spec: str, good: Any) -> None:
    (call,) = asking(spec, good).calls
    assert (call.status, call.input_tokens, call.output_tokens) == ("ok", 11, 5 + 2)


@pytest.mark.parametrize("text", ['{"title": "co', None])
def test_a_cut_reply_is_asked_for_again_with_twice_the_tokens(
    asking: Ask, provider: Any, spec: str, good: Any, text: str | None
) -> None:
    """Without text when the model has thought all its tokens away."""
    cut = candidate(text, "MAX_TOKENS")
    reply = asking(spec, cut, good)
    assert reply.status == "ok"
    limits = [heard.body["generationConfig"]["maxOutputTokens"] for heard in provider.requests]
    assert limits == [50, 100]
    assert [call.status for call in reply.calls] == ["truncated", "ok"]
    assert asking(spec, cut, cut).status == "truncated"


@pytest.mark.parametrize(
    "reason",
    ["SAFETY", "RECITATION", "LANGUAGE", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII"],
)
@pytest.mark.parametrize("text", [None, "half a"])
def test_a_refusal_is_not_argued_with(
    asking: Ask, spec: str, reason: str, text: str | None
) -> None:
    reply = asking(spec, candidate(text, reason))
    assert reply.value is None and reply.status == "refused"
    assert reply.detail == f"the model declined ({reason})"


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
    reply = asking(spec, candidate(None, reason), good)
    assert reply.status == "ok"
    assert [call.status for call in reply.calls] == ["invalid", "ok"]
    assert reason in json.dumps(provider.requests[1].body["contents"])
    assert [turn["role"] for turn in provider.requests[1].body["contents"]] == [
        "user",
        "model",
        "user",
    ]


def test_a_reply_that_ended_for_another_reason_is_judged_by_what_it_says(
    asking: Ask, spec: str, work: Any, good: Any
) -> None:
    assert asking(spec, candidate(json.dumps(work), "OTHER")).status == "ok"
    assert [c.status for c in asking(spec, candidate(None, "OTHER"), good).calls] == ["empty", "ok"]


@pytest.mark.parametrize("status", [408, 429, 500, 503])
def test_a_transient_status_is_retried_by_one_layer_only(
    asking: Ask, provider: Any, waits: list[float], spec: str, good: Any, status: int
) -> None:
    assert asking(spec, fault(status), good).status == "ok"
    assert waits == [0.5]
    reply = asking(spec, *[fault(status)] * 3)
    assert reply.status == "failed" and len(provider.requests) == 3
    assert [call.status for call in reply.calls] == ["failed"] * 3
    assert waits == [0.5, 2.0]


@pytest.mark.parametrize(("asked", "waited"), [("0", 0.0), ("7", 7.0), ("59", 59.0)])
@pytest.mark.parametrize("status", [429, 503])
def test_the_pause_is_the_one_the_server_asks_for(
    asking: Ask, waits: list[float], spec: str, good: Any, status: int, asked: str, waited: float
) -> None:
    assert asking(spec, fault(status, Retry_After=asked), good).status == "ok"
    assert waits == [waited]


@pytest.mark.parametrize("status", [400, 401, 403, 404])
def test_a_permanent_status_is_not_retried(
    asking: Ask, provider: Any, waits: list[float], spec: str, status: int
) -> None:
    reply = asking(spec, fault(status))
    assert reply.status == "failed" and "not like this" in reply.detail
    assert len(provider.requests) == 1 and waits == []


@pytest.mark.parametrize("body", ["", "null", "[1]", "<html>", '{"candidates": 5}'])
def test_a_body_that_is_no_reply_is_a_failed_call(asking: Ask, spec: str, body: str) -> None:
    reply = asking(spec, (200, body))
    assert reply.value is None and reply.status == "failed"


@pytest.mark.parametrize("body", [{}, {"candidates": []}, {"candidates": [{}]}])
def test_a_reply_without_its_parts_is_empty(asking: Ask, spec: str, body: Any) -> None:
    assert asking(spec, (200, body), (200, body)).status == "empty"


def test_nobody_listening_is_a_failed_call(
    asking: Ask, provider: Any, waits: list[float], spec: str
) -> None:
    provider.server_close()
    reply = asking(spec)
    assert reply.status == "failed" and "Connect" in reply.detail
    assert len(reply.calls) == 3 and waits == [0.5, 2.0]


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


def test_a_server_that_does_not_answer_is_a_failed_call(asking: Ask, waits: list[float]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        reply = asking(f"google_genai:m?base_url={url}&timeout=0.1")
    assert reply.status == "failed" and "timed out" in reply.detail
    assert len(reply.calls) == 3 and waits == [0.5, 2.0]


@pytest.mark.parametrize(("given", "told"), [("", "120"), ("&timeout=7.5", "8")])
def test_every_request_has_a_timeout(
    asking: Ask, provider: Any, spec: str, good: Any, given: str, told: str
) -> None:
    """The server is told as well, in whole seconds."""
    assert asking(f"{spec}{given}", good).status == "ok"
    assert provider.requests[0].headers["x-server-timeout"] == told
