"""Ollama's protocol, against a server that keeps every request."""

import json
import socket
from collections.abc import Callable
from typing import Any

import pytest

from deixis.errors import SettingsError
from deixis.llms import registry

pytestmark = pytest.mark.slow

Ask = Callable[..., Any]


@pytest.fixture
def spec(provider: Any) -> str:
    return f"ollama:llama-test?base_url={provider.url}&temperature=0.25&num_ctx=4096"


def answer(text: str, reason: str = "stop") -> tuple[int, dict[str, Any]]:
    return 200, {
        "model": "llama-test",
        "created_at": "2026-01-01T00:00:00Z",
        "message": {"role": "assistant", "content": text},
        "done": True,
        "done_reason": reason,
        "prompt_eval_count": 11,
        "eval_count": 5,
    }


def fault(status: int, **headers: str) -> tuple[int, Any, dict[str, str]]:
    return (
        status,
        {"error": "not like this"},
        {name.replace("_", "-"): value for name, value in headers.items()},
    )


@pytest.fixture
def good(work: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    return answer(json.dumps(work))


def test_a_request_has_the_schema_and_the_limit(
    asking: Ask, provider: Any, spec: str, good: Any, work: Any, keywords_of: Any
) -> None:
    reply = asking(spec, good)
    assert reply.status == "ok" and reply.value.model_dump() == work
    (heard,) = provider.requests
    assert heard.path == "/api/chat" and "authorization" not in heard.headers
    assert heard.body["model"] == "llama-test" and heard.body["stream"] is False
    assert heard.body["messages"] == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "What colour is the sky?"},
    ]
    assert heard.body["options"] == {"num_predict": 50, "temperature": 0.25, "num_ctx": 4096}
    schema = heard.body["format"]
    assert list(schema["properties"]) == schema["required"] == list(work)
    inner = schema["properties"]["items"]["items"]
    assert list(inner["properties"]) == inner["required"] == ["pattern", "properties"]
    assert inner["properties"]["pattern"]["maxLength"] == 40
    assert keywords_of(schema) & {"pattern", "$ref", "$defs"} == set()


def test_tokens_are_those_the_server_counted(asking: Ask, spec: str, good: Any) -> None:
    (call,) = asking(spec, good).calls
    assert (call.status, call.input_tokens, call.output_tokens) == ("ok", 11, 5)


def test_probabilities_of_tokens_are_asked_for_and_come_with_the_call(
    asking: Ask, provider: Any, spec: str, work: Any
) -> None:
    status, body = answer(json.dumps(work))
    head, _, tail = json.dumps(work).partition("cover")
    pieces = [{"token": each, "logprob": 0.0, "top_logprobs": []} for each in (head, tail)]
    top = [{"token": "cover", "logprob": -1.0}, {"token": "poster", "logprob": -1.0}]
    body["logprobs"] = [pieces[0], {**top[0], "top_logprobs": top}, pieces[1]]
    (call,) = asking(f"{spec}&logprobs=true&top_logprobs=2", (status, body)).calls
    assert provider.requests[0].body["logprobs"] is True
    assert provider.requests[0].body["top_logprobs"] == 2
    assert call.chances == {"title": pytest.approx({"cover": 0.5, "poster": 0.5})}


def test_a_cut_reply_is_asked_for_again_with_twice_the_tokens(
    asking: Ask, provider: Any, spec: str, good: Any
) -> None:
    cut = answer('{"title": "co', "length")
    reply = asking(spec, cut, good)
    assert reply.status == "ok"
    assert [heard.body["options"]["num_predict"] for heard in provider.requests] == [50, 100]
    assert [call.status for call in reply.calls] == ["truncated", "ok"]
    assert asking(spec, cut, cut).status == "truncated"


def test_words_instead_of_json_are_asked_for_once_again(
    asking: Ask, provider: Any, spec: str, good: Any
) -> None:
    """Ollama has no refusals of its own: a model that declines says so in words."""
    reply = asking(spec, answer("I would rather not"), good)
    assert [call.status for call in reply.calls] == ["invalid", "ok"]
    turns = provider.requests[1].body["messages"]
    assert [turn["role"] for turn in turns] == ["system", "user", "assistant", "user"]
    assert asking(spec, answer(""), answer("")).status == "empty"


@pytest.mark.parametrize("status", [429, 500, 503])
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


@pytest.mark.parametrize(
    "body", ["", "null", "[1]", "<html>", "{}", '{"message": null}', '{"message": {}}']
)
def test_a_body_that_is_no_reply_is_a_failed_call(asking: Ask, spec: str, body: str) -> None:
    reply = asking(spec, (200, body))
    assert reply.value is None and reply.status == "failed"


def test_a_model_that_was_only_loaded_is_a_failed_call(asking: Ask, spec: str) -> None:
    reply = asking(spec, answer("", "load"))
    assert reply.value is None and reply.status == "failed"


def test_nobody_listening_is_a_failed_call(
    asking: Ask, provider: Any, waits: list[float], spec: str
) -> None:
    provider.server_close()
    reply = asking(spec)
    assert reply.status == "failed" and "Failed to connect to Ollama" in reply.detail
    assert len(reply.calls) == 3 and waits == [0.5, 2.0]


def test_a_connection_that_breaks_is_asked_again(
    asking: Ask, waits: list[float], spec: str, good: Any
) -> None:
    """The SDK lets errors of the HTTP client through."""
    broken = (200, '{"model": "llama', {"Transfer-Encoding": "chunked"})
    assert asking(spec, broken, good).status == "ok"
    assert waits == [0.5]


def test_a_server_that_does_not_answer_is_a_failed_call(asking: Ask, waits: list[float]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        reply = asking(f"ollama:m?base_url=http://127.0.0.1:{silent.getsockname()[1]}&timeout=0.1")
    assert reply.status == "failed" and "timed out" in reply.detail
    assert len(reply.calls) == 3 and waits == [0.5, 2.0]


@pytest.mark.parametrize(("given", "seconds"), [("", 120.0), ("&timeout=7.5", 7.5)])
def test_every_request_has_a_timeout(spec: str, given: str, seconds: float) -> None:
    model: Any = registry.load(f"{spec}{given}").model
    limits = model._client._client.timeout
    assert (limits.connect, limits.read, limits.write) == (seconds, seconds, seconds)


@pytest.mark.parametrize("name", ["openai", "google_genai", "anthropic", "ollama"])
@pytest.mark.parametrize("given", ["soon", "", "0", "-1", "nan", "inf", "1e9", "0.0001"])
def test_a_timeout_that_is_no_time_is_refused(provider: Any, name: str, given: str) -> None:
    with pytest.raises(SettingsError, match=f"option timeout: '{given}' is no number of seconds"):
        registry.load(f"{name}:m?base_url={provider.url}&timeout={given}")


@pytest.mark.parametrize("name", ["openai", "google_genai", "anthropic", "ollama"])
@pytest.mark.parametrize("wrong", ["timout", "request_timeout"])
def test_the_timeout_has_one_name(provider: Any, name: str, wrong: str) -> None:
    with pytest.raises(SettingsError, match=r"did you mean 'timeout'\?"):
        registry.load(f"{name}:m?base_url={provider.url}&{wrong}=3")
