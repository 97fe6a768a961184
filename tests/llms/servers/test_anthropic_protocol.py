"""Claude's protocol, against a server that keeps every request."""

import json
import socket
from collections.abc import Callable
from typing import Any

import pytest

pytestmark = pytest.mark.slow

Ask = Callable[..., Any]


@pytest.fixture
def spec(provider: Any, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "some-key")
    return f"anthropic:claude-test?base_url={provider.url}&temperature=0.25"


def message(*texts: str, reason: str = "end_turn") -> tuple[int, dict[str, Any]]:
    return 200, {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "claude-test",
        "content": [{"type": "text", "text": text} for text in texts],
        "stop_reason": reason,
        "stop_sequence": None,
        "usage": {"input_tokens": 11, "output_tokens": 5},
    }


def key_in(heard: Any) -> str:
    """The key of a request, in whichever of the two headers the SDK prefers."""
    key = heard.headers.get("x-api-key") or heard.headers["authorization"].removeprefix("Bearer ")
    return str(key)


def fault(status: int, **headers: str) -> tuple[int, Any, dict[str, str]]:
    error = {"type": "error", "error": {"type": "some_error", "message": "not like this"}}
    return status, error, {name.replace("_", "-"): value for name, value in headers.items()}


@pytest.fixture
def good(work: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    return message(json.dumps(work))


def test_a_request_has_the_schema_and_the_limit(
    asking: Ask, provider: Any, spec: str, good: Any, work: Any, keywords_of: Any
) -> None:
    reply = asking(spec, good)
    assert reply.status == "ok" and reply.value.model_dump() == work
    (heard,) = provider.requests
    assert heard.path == "/v1/messages" and key_in(heard) == "some-key"
    assert heard.body["model"] == "claude-test"
    assert heard.body["system"] == "Be brief."
    assert heard.body["messages"] == [{"role": "user", "content": "What colour is the sky?"}]
    assert heard.body["max_tokens"] == 50 and heard.body["temperature"] == 0.25
    assert set(heard.body["output_config"]) == {"format"}
    asked = heard.body["output_config"]["format"]
    assert asked["type"] == "json_schema"
    schema = asked["schema"]
    assert list(schema["properties"]) == schema["required"] == list(work)
    assert list(schema["$defs"]["Inner"]["properties"]) == ["pattern", "properties"]
    assert keywords_of(schema) & {"pattern", "minLength", "maxLength", "maxItems"} == set()
    assert schema["additionalProperties"] is False


def test_the_schema_leaves_other_settings_of_the_output_alone(
    asking: Ask, provider: Any, spec: str, good: Any
) -> None:
    assert asking(f"{spec}&reasoning_effort=low", good).status == "ok"
    config = provider.requests[0].body["output_config"]
    assert config["effort"] == "low" and config["format"]["type"] == "json_schema"


def test_tokens_are_those_the_server_counted(asking: Ask, spec: str, good: Any) -> None:
    (call,) = asking(spec, good).calls
    assert (call.status, call.input_tokens, call.output_tokens) == ("ok", 11, 5)


def test_an_answer_in_several_blocks_is_one(asking: Ask, spec: str, work: Any) -> None:
    text = json.dumps(work)
    assert asking(spec, message(text[:10], text[10:])).status == "ok"


@pytest.mark.parametrize("reason", ["max_tokens", "model_context_window_exceeded"])
def test_a_cut_reply_is_asked_for_again_with_twice_the_tokens(
    asking: Ask, provider: Any, spec: str, good: Any, reason: str
) -> None:
    cut = message('{"title": "co', reason=reason)
    reply = asking(spec, cut, good)
    assert reply.status == "ok"
    assert [heard.body["max_tokens"] for heard in provider.requests] == [50, 100]
    assert [call.status for call in reply.calls] == ["truncated", "ok"]
    assert asking(spec, cut, cut).status == "truncated"


@pytest.mark.parametrize("texts", [[], ["I would rather not"]])
def test_a_refusal_is_not_argued_with(asking: Ask, spec: str, texts: list[str]) -> None:
    reply = asking(spec, message(*texts, reason="refusal"))
    assert reply.value is None and reply.status == "refused"
    assert reply.detail == "the model declined (refusal)"
    assert reply.calls[0].input_tokens == 11


def test_an_answer_without_content_is_asked_for_once_again(
    asking: Ask, provider: Any, spec: str, good: Any
) -> None:
    reply = asking(spec, message(), good)
    assert [call.status for call in reply.calls] == ["empty", "ok"]
    turns = provider.requests[1].body["messages"]
    assert [turn["role"] for turn in turns] == ["user", "assistant", "user"]


@pytest.mark.parametrize("status", [408, 409, 429, 500, 503, 529])
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
@pytest.mark.parametrize("status", [429, 529])
def test_the_pause_is_the_one_the_server_asks_for(
    asking: Ask, waits: list[float], spec: str, good: Any, status: int, asked: str, waited: float
) -> None:
    assert asking(spec, fault(status, Retry_After=asked), good).status == "ok"
    assert waits == [waited]


@pytest.mark.parametrize("status", [400, 401, 403, 404, 413])
def test_a_permanent_status_is_not_retried(
    asking: Ask, provider: Any, waits: list[float], spec: str, status: int
) -> None:
    reply = asking(spec, fault(status))
    assert reply.status == "failed" and "not like this" in reply.detail
    assert len(provider.requests) == 1 and waits == []


# The SDK takes any JSON as it comes; pydantic remarks on it when the wrapper reads it out.
@pytest.mark.filterwarnings("ignore:Pydantic serializer warnings:UserWarning")
@pytest.mark.parametrize(
    "body", ["", "null", "[1]", "<html>", "{}", '{"content": null}', '{"content": [5]}']
)
def test_a_body_that_is_no_reply_is_a_failed_call(asking: Ask, spec: str, body: str) -> None:
    reply = asking(spec, (200, body))
    assert reply.value is None and reply.status == "failed"


def test_nobody_listening_is_a_failed_call(
    asking: Ask, provider: Any, waits: list[float], spec: str
) -> None:
    provider.server_close()
    reply = asking(spec)
    assert reply.status == "failed" and "Connection" in reply.detail
    assert len(reply.calls) == 3 and waits == [0.5, 2.0]


def test_a_server_of_ones_own_needs_no_key(
    asking: Ask, provider: Any, good: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ANTHROPIC_API_KEY", raising=False)
    assert asking(f"anthropic:no-key?base_url={provider.url}", good).status == "ok"
    assert key_in(provider.requests[0]) == "none"


def test_a_server_that_does_not_answer_is_a_failed_call(asking: Ask, waits: list[float]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        reply = asking(f"anthropic:m?base_url={url}&timeout=0.1")
    assert reply.status == "failed" and "timed out" in reply.detail
    assert len(reply.calls) == 3 and waits == [0.5, 2.0]


@pytest.mark.parametrize(("given", "seconds"), [("", 120.0), ("&timeout=7.5", 7.5)])
def test_every_request_has_a_timeout(
    asking: Ask, provider: Any, spec: str, good: Any, given: str, seconds: float
) -> None:
    """The SDK tells the server of it."""
    assert asking(f"{spec}{given}", good).status == "ok"
    assert float(provider.requests[0].headers["x-stainless-read-timeout"]) == seconds
