"""What holds of every provider, each in its own protocol, against a server that keeps requests."""

import json
import socket
from collections.abc import Callable
from typing import Any

import pytest

from deixis.errors import SettingsError
from deixis.llms import registry
from deixis.llms.structured import Reply

from .protocols import PROTOCOLS, PROVIDERS, Protocol, at

pytestmark = [pytest.mark.slow, pytest.mark.extra]

Ask = Callable[..., Reply[Any]]
"""``ask(*replies, options="")``; each reply is ``(status, body[, headers])``."""


def each_of(field: str) -> pytest.MarkDecorator:
    """Run a test with every value that each protocol has in a field."""
    values = [
        pytest.param(protocol, value, id=f"{protocol.name}-{number}")
        for protocol in PROTOCOLS
        for number, value in enumerate(getattr(protocol, field))
    ]
    return pytest.mark.parametrize(("protocol", field), values, indirect=["protocol"])


@pytest.fixture
def ask(asking: Callable[..., Reply[Any]], provider: Any, protocol: Protocol) -> Ask:
    def run(*replies: tuple[Any, ...], options: str = "") -> Reply[Any]:
        return asking(protocol.spec(provider.url, f"&temperature=0.25{options}"), *replies)

    return run


@pytest.fixture
def good(protocol: Protocol, work: dict[str, Any]) -> tuple[int, Any]:
    return 200, protocol.says(json.dumps(work))


@pytest.fixture
def fault(protocol: Protocol) -> Callable[..., tuple[int, Any, dict[str, str]]]:
    return lambda status, headers=None: (status, protocol.error("not like this"), headers or {})


def statuses(reply: Reply[Any]) -> list[str]:
    return [call.status for call in reply.calls]


def test_a_request_has_the_schema_and_the_limit(
    ask: Ask,
    provider: Any,
    protocol: Protocol,
    good: Any,
    work: Any,
    work_type: Any,
    keywords_of: Any,
) -> None:
    reply = ask(good)
    assert reply.status == "ok" and reply.value.model_dump() == work
    (heard,) = provider.requests
    assert at(heard.body, protocol.limit) == 50
    assert at(heard.body, protocol.temperature) == 0.25
    assert all(at(heard.body, place) for place in protocol.forms)
    sent = json.dumps(heard.body)
    assert "Be brief." in sent and "What colour is the sky?" in sent
    assert keywords_of(work_type.model_json_schema()) >= {"maxLength", "minLength", "pattern"}
    schema = at(heard.body, protocol.schema)
    assert keywords_of(schema) & protocol.left_out == set()
    assert list(schema["properties"]) == schema["required"] == list(work)
    inner = (
        schema["$defs"]["Inner"] if "$defs" in schema else schema["properties"]["items"]["items"]
    )
    assert list(inner["properties"]) == inner["required"] == ["pattern", "properties"]
    assert schema["additionalProperties"] is inner["additionalProperties"] is False


def test_tokens_are_those_the_server_counted(ask: Ask, good: Any) -> None:
    (call,) = ask(good).calls
    assert (call.status, call.input_tokens, call.output_tokens) == ("ok", 11, 5)


@each_of("cuts")
def test_a_cut_reply_is_asked_for_again_with_twice_the_tokens(
    ask: Ask, provider: Any, protocol: Protocol, good: Any, cuts: str
) -> None:
    cut = (200, protocol.says('{"title": "co', cuts))
    reply = ask(cut, good)
    assert reply.status == "ok"
    assert [at(heard.body, protocol.limit) for heard in provider.requests] == [50, 100]
    assert [(call.status, call.input_tokens, call.output_tokens) for call in reply.calls] == [
        ("truncated", 11, 5),
        ("ok", 11, 5),
    ]
    assert ask(cut, cut).status == "truncated"


@each_of("refusals")
def test_a_refusal_is_not_argued_with(ask: Ask, provider: Any, refusals: tuple[Any, str]) -> None:
    body, words = refusals
    reply = ask((200, body))
    assert reply.value is None and reply.status == "refused"
    assert reply.detail == f"the model declined ({words})"
    assert reply.calls[0].input_tokens == 11 and len(provider.requests) == 1


def test_an_answer_without_content_is_asked_for_once_again(
    ask: Ask, provider: Any, protocol: Protocol, good: Any
) -> None:
    nothing = (200, protocol.says(None))
    assert statuses(ask(nothing, good)) == ["empty", "ok"]
    assert protocol.roles_in(provider.requests[1]) == list(protocol.roles)
    assert ask(nothing, nothing).status == "empty"


@pytest.mark.parametrize("text", ["I would rather not", '{"title": "song"}'])
def test_what_is_not_the_json_asked_for_is_asked_for_once_again(
    ask: Ask, provider: Any, protocol: Protocol, good: Any, text: str
) -> None:
    reply = ask((200, protocol.says(text)), good)
    assert reply.status == "ok" and statuses(reply) == ["invalid", "ok"]
    assert protocol.roles_in(provider.requests[1]) == list(protocol.roles)


@pytest.mark.parametrize("status", [408, 409, 429, 500, 503, 529])
def test_a_transient_status_is_retried_by_one_layer_only(
    ask: Ask, provider: Any, waits: list[float], fault: Any, good: Any, status: int
) -> None:
    assert ask(fault(status), good).status == "ok"
    assert len(provider.requests) == 2 and waits == [0.5]
    reply = ask(*[fault(status)] * 3)
    assert reply.status == "failed" and len(provider.requests) == 3
    assert statuses(reply) == ["failed"] * 3
    assert waits == [0.5, 2.0]


@pytest.mark.parametrize(("asked", "waited"), [("0", 0.0), ("7", 7.0), ("59", 59.0)])
@pytest.mark.parametrize("status", [429, 503, 529])
def test_the_pause_is_the_one_the_server_asks_for(
    ask: Ask, waits: list[float], fault: Any, good: Any, status: int, asked: str, waited: float
) -> None:
    assert ask(fault(status, {"Retry-After": asked}), good).status == "ok"
    assert waits == [waited]


@pytest.mark.parametrize("status", [400, 401, 403, 404, 413])
def test_a_permanent_status_is_not_retried(
    ask: Ask, provider: Any, waits: list[float], fault: Any, status: int
) -> None:
    reply = ask(fault(status))
    assert reply.status == "failed" and "not like this" in reply.detail
    assert len(provider.requests) == 1 and waits == []


# Anthropic's SDK takes any JSON as it comes; pydantic remarks on it when the wrapper reads it out.
@pytest.mark.filterwarnings("ignore:Pydantic serializer warnings:UserWarning")
@each_of("no_answers")
def test_a_body_that_is_no_answer_is_a_failed_call(ask: Ask, no_answers: str) -> None:
    reply = ask((200, no_answers))
    assert reply.value is None and reply.status == "failed"


def test_nobody_listening_is_a_failed_call(
    ask: Ask, provider: Any, protocol: Protocol, waits: list[float]
) -> None:
    provider.server.server_close()
    reply = ask()
    assert reply.status == "failed" and protocol.unreachable in reply.detail
    assert len(reply.calls) == 3 and waits == [0.5, 2.0]


def test_a_server_that_does_not_answer_is_a_failed_call(
    asking: Callable[..., Reply[Any]], protocol: Protocol, waits: list[float]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        reply = asking(protocol.spec(url, "&timeout=0.1"))
    assert reply.status == "failed" and "timed out" in reply.detail
    assert len(reply.calls) == 3 and waits == [0.5, 2.0]


@pytest.mark.parametrize("name", PROVIDERS)
@pytest.mark.parametrize("given", ["soon", "", "0", "-1", "nan", "inf", "1e9", "0.0001"])
def test_a_timeout_that_is_no_time_is_refused(name: str, given: str) -> None:
    with pytest.raises(SettingsError, match=f"option timeout: '{given}' is no number of seconds"):
        registry.load(f"{name}:m?base_url=http://127.0.0.1:9&timeout={given}")


@pytest.mark.parametrize("name", PROVIDERS)
@pytest.mark.parametrize("wrong", ["timout", "request_timeout"])
def test_the_timeout_has_one_name(name: str, wrong: str) -> None:
    with pytest.raises(SettingsError, match=r"did you mean 'timeout'\?"):
        registry.load(f"{name}:m?base_url=http://127.0.0.1:9&{wrong}=3")
