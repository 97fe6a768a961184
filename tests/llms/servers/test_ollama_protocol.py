"""What only Ollama's protocol has, against a server that keeps every request."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from deixis.llms import registry

from .protocols import ollama

pytestmark = [pytest.mark.slow, pytest.mark.extra]

Ask = Callable[..., Any]


@pytest.fixture
def spec(provider: Any) -> str:
    return f"ollama:llama-test?base_url={provider.url}&temperature=0.25&num_ctx=4096"


@pytest.fixture
def good(work: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    return 200, ollama(json.dumps(work))


def test_a_request_is_as_the_protocol_has_it(
    asking: Ask, provider: Any, spec: str, good: Any
) -> None:
    assert asking(spec, good).status == "ok"
    (heard,) = provider.requests
    assert heard.path == "/api/chat" and "authorization" not in heard.headers
    assert heard.body["model"] == "llama-test" and heard.body["stream"] is False
    assert heard.body["messages"] == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "What colour is the sky?"},
    ]
    assert heard.body["options"] == {"num_predict": 50, "temperature": 0.25, "num_ctx": 4096}
    inner = heard.body["format"]["properties"]["items"]["items"]
    assert inner["properties"]["pattern"]["maxLength"] == 40


def test_probabilities_of_tokens_are_asked_for_and_come_with_the_call(
    asking: Ask, provider: Any, spec: str, work: Any
) -> None:
    body = ollama(json.dumps(work))
    head, _, tail = json.dumps(work).partition("cover")
    pieces = [{"token": each, "logprob": 0.0, "top_logprobs": []} for each in (head, tail)]
    top = [{"token": "cover", "logprob": -1.0}, {"token": "poster", "logprob": -1.0}]
    body["logprobs"] = [pieces[0], {**top[0], "top_logprobs": top}, pieces[1]]
    (call,) = asking(f"{spec}&logprobs=true&top_logprobs=2", (200, body)).calls
    assert provider.requests[0].body["logprobs"] is True
    assert provider.requests[0].body["top_logprobs"] == 2
    assert call.chances == {"title": pytest.approx({"cover": 0.5, "poster": 0.5})}


def test_a_model_that_was_only_loaded_is_a_failed_call(asking: Ask, spec: str) -> None:
    reply = asking(spec, (200, ollama("", "load")))
    assert reply.value is None and reply.status == "failed"


def test_a_connection_that_breaks_is_asked_again(
    asking: Ask, waits: list[float], spec: str, good: Any
) -> None:
    """The SDK lets errors of the HTTP client through."""
    broken = (200, '{"model": "llama', {"Transfer-Encoding": "chunked"})
    assert asking(spec, broken, good).status == "ok"
    assert waits == [0.5]


@pytest.mark.parametrize(("given", "seconds"), [("", 120.0), ("&timeout=7.5", 7.5)])
def test_every_request_has_a_timeout(spec: str, given: str, seconds: float) -> None:
    model: Any = registry.load(f"{spec}{given}").model
    limits = model._client._client.timeout
    assert (limits.connect, limits.read, limits.write) == (seconds, seconds, seconds)
