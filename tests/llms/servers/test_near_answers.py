"""Servers that nearly speak OpenAI's protocol: what they answer, and in which words they fail."""

from collections.abc import Callable
from typing import Any

import pytest
from pydantic import BaseModel

from deixis.llms import registry
from deixis.llms.answers.reading import Text
from deixis.llms.structured import Reply, ask
from deixis.testing import Response

from .near import BLUE, GOOD, PROMPT, Colour, answer, refusing, said

pytestmark = pytest.mark.extra


@pytest.fixture
def told(provider: Any, waits: Any) -> Callable[..., Reply[Any]]:
    """Return ``told(answer, kind)``: the reply when the server always says the same."""

    def ask_once(response: Response, kind: type[BaseModel] = Colour) -> Reply[Any]:
        provider.rule = refusing(lambda _: response)
        spec = f"openai:said?base_url={provider.url}/v1"
        return ask(registry.load(spec), PROMPT, kind, max_tokens=50)

    return ask_once


HTML = "<!DOCTYPE html><html><head><title>Sign in</title></head></html>"


@pytest.mark.parametrize(
    ("body", "begins"),
    [
        (HTML, "it begins with '<!DOCTYPE html><html>"),
        ("", "it is empty"),
        ("{}", "it begins with '{}'"),
        ("null", "it begins with 'null'"),
        ('"Bad"', "it begins with "),
        ("[1, 2]", "it begins with '[1, 2]'"),
        ('{"choices": []}', """it begins with '{"choices": []}'"""),
        ('{"choices": null}', "it begins with "),
        ('{"choices": [{"message": null}]}', "it begins with "),
        ('{"choices": [null]}', "it begins with 'null'"),
        ('{"choices": 5}', "it begins with "),
        ('{"status": "ok"}', """it begins with '{"status": "ok"}'"""),
        ("data: {}", "it begins with 'data: {}'"),
    ],
)
@pytest.mark.parametrize("content", ["application/json", "text/html"])
@pytest.mark.parametrize("kind", [Colour, Text])
def test_what_is_no_completion_is_said_so(
    told: Any, body: str, begins: str, content: str, kind: type[BaseModel]
) -> None:
    reply = told(answer(body, headers={"Content-Type": content}), kind)
    assert (reply.value, reply.status, len(reply.calls)) == (None, "failed", 1)
    assert reply.detail.startswith(f"the server's answer is no chat completion: {begins}")
    assert "check base_url (it usually ends in /v1)" in reply.detail and "Error" not in reply.detail


@pytest.mark.parametrize(
    ("status", "body", "words"),
    [
        (422, {"detail": [{"loc": ["body", "seed"], "msg": "too big", "input": "x"}]}, "seed: too"),
        (400, {"error": {"message": "no such model"}}, "no such model"),
        (400, {"error": "no such model"}, "no such model"),
        (400, {"detail": "no such model"}, "no such model"),
        (400, {"message": "no such model"}, "no such model"),
        (400, {"error": {"message": "bad", "param": "seed"}}, "bad (parameter seed)"),
        (400, {"errors": [{"message": "one"}, {"message": "two"}]}, "one; two"),
        (400, "no such\nmodel", "no such model"),
        (400, "<html><style>x</style><h1>400 Bad Request</h1></html>", "400 Bad Request"),
        (
            400,
            {
                "error": {
                    "message": "Provider returned error",
                    "code": 400,
                    "metadata": {"raw": '{"error": {"message": "prompt is odd"}}'},
                }
            },
            "Provider returned error: prompt is odd",
        ),
        (200, {"error": {"message": "No credits", "code": 402}}, "402 - No credits"),
        (200, {"error": "out of memory"}, "out of memory"),
    ],
)
def test_a_server_s_own_words_are_told(told: Any, status: int, body: Any, words: str) -> None:
    reply = told(answer(body, status))
    assert reply.status == "failed" and words in reply.detail
    assert "\n" not in reply.detail and "<" not in reply.detail and len(reply.detail) < 400


@pytest.mark.parametrize("code", [429, 502, "503"])
@pytest.mark.parametrize("in_choice", [True, False])
def test_an_error_within_a_success_is_tried_again(told: Any, code: Any, in_choice: bool) -> None:
    error = {"error": {"message": "overloaded", "code": code}}
    body = {"choices": [{**error, "message": {"content": "Bl"}}]} if in_choice else error
    reply = told(answer(body))
    assert [call.status for call in reply.calls] == ["failed"] * 3
    assert "overloaded" in reply.detail


@pytest.mark.parametrize("name", ["reasoning_content", "reasoning"])
def test_thoughts_without_an_answer_are_told(told: Any, name: str) -> None:
    thought = f"The sky is {GOOD} I think " + 200 * "x"
    reply = told(said("", **{name: thought}))
    assert reply.status == "empty" and len(reply.calls) == 2
    assert "the model only thought ('The sky is" in reply.detail and len(reply.detail) < 250
    assert "raise its token limit (options.max_tokens), or switch its thinking off" in reply.detail
    cut = told(said(None, "length", **{name: thought}))
    assert cut.status == "truncated" and "while the model still thought" in cut.detail
    both = told(said(GOOD, **{name: 'It is {"color": "grey"}'}))
    assert both.value == BLUE


@pytest.mark.parametrize("reason", [None, "", "length", "model_length", "error", "abort"])
def test_a_text_is_whole_only_if_the_server_says_so(told: Any, reason: Any) -> None:
    assert told(said("The sky is bl", reason), Text).status == "truncated"
    reply = told(said(GOOD, reason))
    assert (reply.value == BLUE) == (not reason), "JSON that is whole shows it by itself"


def test_thoughts_in_blocks_are_set_aside(told: Any) -> None:
    """As Magistral sends them."""
    thought = {"type": "thinking", "thinking": [{"type": "text", "text": '{"color": "grey"}'}]}
    assert told(said([thought, {"type": "text", "text": GOOD}])).value == BLUE
    assert told(said([thought])).status == "empty"


def test_a_message_without_a_role_is_the_model_s(told: Any) -> None:
    body = said().body
    del body["choices"][0]["message"]["role"]
    assert told(answer(body)).value == BLUE
