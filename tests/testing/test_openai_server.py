"""The server that speaks OpenAI's protocol, asked over HTTP: by hand, and as a model of a graph."""

import json
import time
import urllib.error
import urllib.request
from typing import Any, Literal

import numpy as np
import pytest
from pydantic import BaseModel, ConfigDict

from deixis import build_graph
from deixis.llms import registry, structured
from deixis.llms.answers.reading import Text
from deixis.llms.photos import photo
from deixis.llms.structured import ask
from deixis.prompts import Prompt
from deixis.settings import Spec
from deixis.testing import (
    INPUT_TOKENS,
    OUTPUT_TOKENS,
    After,
    Cut,
    OpenAIServer,
    Question,
    Refused,
    Request,
    Response,
    fault,
    openai_server,
    scripted,
    serving,
    with_scripted_models,
)

PROMPT = Prompt("Be brief.", "What colour is the sky?", "colour", 1)


class Colour(BaseModel):
    model_config = ConfigDict(extra="forbid")

    color: Literal["blue", "grey"]


def post(url: str, **body: Any) -> Any:
    data = json.dumps({"model": "m", "messages": [], **body}).encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request) as reply:
        return json.load(reply)


def put(server: OpenAIServer, kind: Any = Text, **options: Any) -> Any:
    backend = registry.load(server.spec("some-model", **options))
    return ask(backend, PROMPT, kind, max_tokens=50)


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(structured, "_PAUSES", (0.0, 0.0))


def test_it_answers_without_any_sdk() -> None:
    with openai_server("blue", models={"other": Refused("no")}) as server:
        url = f"{server.base_url}/chat/completions"
        (choice,) = post(url)["choices"]
        assert choice["message"]["content"] == "blue" and choice["finish_reason"] == "stop"
        assert post(url, model="other")["choices"][0]["message"]["refusal"] == "no"
        for wrong, body in ((f"{server.base_url}/models", {}), (url, {"stream": True})):
            with pytest.raises(urllib.error.HTTPError) as caught:
                post(wrong, **body)
            caught.value.close()
    assert [request.method for request in server.requests] == ["POST"] * 4
    assert [question.model for question in server.asked] == ["m", "other"]


@pytest.mark.extra
def test_a_question_is_kept_as_it_was_asked() -> None:
    picture = photo(np.zeros((4, 6, 3), np.uint8), 100)
    with openai_server({"color": "grey"}) as server:
        backend = registry.load(server.spec("some-model"))
        reply = ask(backend, PROMPT, Colour, max_tokens=50, images=[picture])
    assert reply.value == Colour(color="grey")
    (call,) = reply.calls
    assert (call.input_tokens, call.output_tokens) == (INPUT_TOKENS, OUTPUT_TOKENS)
    (question,) = server.asked
    assert (question.model, question.system) == ("some-model", PROMPT.system)
    assert question.user.endswith(PROMPT.user) and question.max_tokens == 50
    assert question.images == (picture.data,)
    assert question.schema is not None and list(question.schema["properties"]) == ["color"]
    assert server.requests[0].headers["content-type"] == "application/json"


@pytest.mark.extra
def test_what_fits_a_schema_is_the_answer_where_none_is_given() -> None:
    with openai_server() as server:
        assert put(server, Colour).value == Colour(color="blue")


@pytest.mark.extra
@pytest.mark.parametrize(
    ("replies", "status", "calls"),
    [
        ([Refused("I will not")], "refused", ["refused"]),
        ([Cut('{"color')], "truncated", ["truncated"] * 2),
        ([fault(401, "no key")], "failed", ["failed"]),
        ([fault(503), {"color": "blue"}], "ok", ["failed", "ok"]),
        ([ConnectionError(), {"color": "blue"}], "ok", ["failed", "ok"]),
        ([Response(200, "<html>Sign in</html>")], "failed", ["failed"]),
        ([lambda question: {"color": "grey"}], "ok", ["ok"]),
    ],
)
def test_every_ending_is_taken_for_what_it_is(
    replies: list[Any], status: str, calls: list[str]
) -> None:
    with openai_server(*replies) as server:
        reply = put(server, Colour)
    assert reply.status == status and [call.status for call in reply.calls] == calls


@pytest.mark.extra
def test_a_failed_assertion_of_a_reply_is_raised_when_the_block_ends() -> None:
    def answer(question: Question) -> str:
        assert question.model == "another", "it asks the wrong model"
        return "blue"

    with pytest.raises(AssertionError, match="the wrong model"), openai_server(answer) as server:
        assert put(server).status == "failed"


@pytest.mark.parametrize(
    "content",
    [b"{no JSON", b"[]", b"{}", b'{"model": "m", "messages": [], "response_format": null}'],
)
def test_a_malformed_request_is_answered(content: bytes) -> None:
    with openai_server("blue") as server:
        with pytest.raises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen(f"{server.base_url}/chat/completions", content)
        with caught.value as error:
            assert error.code == 400 and "malformed" in json.load(error)["error"]["message"]


@pytest.mark.parametrize("length", ["many", "-1"])
def test_a_length_that_is_no_number_is_answered(length: str) -> None:
    with openai_server("blue") as server:
        request = urllib.request.Request(
            f"{server.base_url}/chat/completions", b"{}", {"Content-Length": length}
        )
        with pytest.raises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen(request)
        with caught.value as error:
            assert error.code == 400


def test_options_of_a_spec_are_quoted() -> None:
    with openai_server() as server:
        spec = Spec.parse(server.spec("m", organization="a&b", user="1 2"))
    assert spec.options == {"base_url": server.base_url, "organization": "a&b", "user": "1 2"}


def test_what_is_no_reply_is_refused_where_the_block_is_made() -> None:
    with pytest.raises(TypeError, match="5 is no reply"):
        openai_server(5).__enter__()


@pytest.mark.extra
def test_the_pause_is_the_one_that_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    sleep, waited = time.sleep, []

    def noted(seconds: float) -> None:
        waited.append(seconds)
        sleep(seconds)

    monkeypatch.setattr(time, "sleep", noted)
    with openai_server(fault(429, "slow down", retry_after=0.05), "blue") as server:
        assert put(server).value == Text(text="blue")
    assert 0.05 in waited


@pytest.mark.extra
def test_a_server_that_hangs_is_given_up_and_can_be_closed() -> None:
    with openai_server(After(3600, "blue")) as server:
        reply = put(server, timeout=0.2)
    assert reply.status == "failed" and "timed out" in reply.detail


@pytest.mark.extra
def test_one_role_of_a_graph_is_played_by_it() -> None:
    with scripted(), openai_server("She wears dark blue.") as server:
        given = with_scripted_models().with_roles(
            {"expander": server.spec(), **dict.fromkeys(("detector", "reader", "segmenter"))}
        )
        build_graph(given).invoke({"text": "Grace Hopper spoke."})
    assert server.asked and "Grace Hopper" in server.asked[0].user


def test_any_http_can_be_served() -> None:
    def answer(request: Request) -> Response | None:
        return Response(200, request.content[::-1], {"X-Path": request.path})

    with serving(answer) as server:
        request = urllib.request.Request(f"{server.url}/a?b=c", b"abc", method="POST")
        with urllib.request.urlopen(request) as reply:
            assert reply.read() == b"cba" and reply.headers["X-Path"] == "/a?b=c"
        with urllib.request.urlopen(server.url) as reply:
            assert reply.read() == b""
    assert [(request.method, request.path) for request in server.requests] == [
        ("POST", "/a?b=c"),
        ("GET", "/"),
    ]
