"""From a prompt and a schema to an object: every way in which a model can answer."""

import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from langchain_core.exceptions import (
    ModelAPIError,
    ModelAuthenticationError,
    ModelConnectionError,
    ModelInvalidRequestError,
    ModelRateLimitError,
    ModelTimeoutError,
)
from langchain_core.messages import AIMessage, BaseMessage
from pydantic import BaseModel, ConfigDict

from deixis.errors import ModelCallError, ModelFileError
from deixis.llms import registry, structured
from deixis.llms.schemas import for_words
from deixis.llms.structured import Reply, ask
from deixis.prompts import Prompt

PROMPT = Prompt("You name colours.", "What colour is the sky?", "colour", 1)
GOOD = '{"color": "blue", "sure": true}'
STATUSES = {"ok", "failed", "refused", "truncated", "empty", "invalid"}


class Colour(BaseModel):
    model_config = ConfigDict(extra="forbid")

    color: str
    sure: bool


class Asked:
    """A script that says its replies one after the other and keeps what it was asked."""

    def __init__(self, *replies: Any) -> None:
        self.replies = list(replies)
        self.messages: list[list[BaseMessage]] = []
        self.limits: list[int] = []

    def __call__(self, _name: str, messages: list[BaseMessage], options: dict[str, Any]) -> Any:
        self.messages.append(messages)
        self.limits.append(options["max_tokens"])
        return self.replies.pop(0)


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(structured, "_PAUSES", (0.0, 0.0))


@pytest.fixture
def asking(scripted: Any) -> Callable[..., tuple[Reply[Colour], Asked]]:
    def run(*replies: Any) -> tuple[Reply[Colour], Asked]:
        script = Asked(*replies)
        scripted(script)
        return ask(registry.load("scripted:any"), PROMPT, Colour, max_tokens=100), script

    return run


def said(text: str, reason: str = "stop", **extra: Any) -> AIMessage:
    usage = {"input_tokens": 7, "output_tokens": 3, "total_tokens": 10}
    return AIMessage(
        text,
        response_metadata={"finish_reason": reason},
        usage_metadata=usage,
        additional_kwargs=extra,
    )


@pytest.mark.parametrize(
    "text",
    [
        GOOD,
        f"  {GOOD}\n",
        f"```json\n{GOOD}\n```",
        f"```\n{GOOD}\n```",
        f"Of course!\n```json\n{GOOD}\n```\nAnything else?",
        f"Sure, here it is: {GOOD} Hope this helps.",
        f"\ufeff{GOOD}",
        '{"sure": true, "color": "blue"}',
        '{"color": "bl\\u0075e", "sure": true}',
    ],
)
def test_json_is_read_with_whatever_stands_around_it(asking: Any, text: str) -> None:
    reply, script = asking(text)
    assert reply.value == Colour(color="blue", sure=True)
    assert (reply.status, reply.detail) == ("ok", "")
    assert len(script.messages) == 1
    assert [(c.status, c.input_tokens, c.output_tokens) for c in reply.calls] == [("ok", 7, 3)]


def test_half_a_surrogate_pair_is_replaced(asking: Any) -> None:
    reply, _ = asking('{"color": "\ud800", "sure": true}')
    assert reply.value == Colour(color="?", sure=True)


def test_braces_inside_strings_are_text(asking: Any) -> None:
    reply, _ = asking('{"color": "}{ ```json", "sure": false}')
    assert reply.value == Colour(color="}{ ```json", sure=False)


@pytest.mark.parametrize("reason", ["length", "max_tokens", "MAX_TOKENS", "max_output_tokens"])
def test_a_cut_reply_is_asked_for_once_again_with_twice_the_tokens(
    asking: Any, reason: str
) -> None:
    reply, script = asking(said('{"color": "bl', reason), GOOD)
    assert reply.status == "ok"
    assert script.limits == [100, 200]
    assert [call.status for call in reply.calls] == ["truncated", "ok"]
    reply, script = asking(said('{"color": "bl', reason), said("{", reason))
    assert reply.value is None and reply.status == "truncated"
    assert script.limits == [100, 200]


def test_a_cut_reply_is_never_mended(asking: Any) -> None:
    """It may be valid JSON by chance and lack half of a list."""
    reply, _ = asking(said(GOOD, "length"), said(GOOD, "length"))
    assert reply.value is None


@pytest.mark.parametrize(
    "message",
    [
        said("", refusal="I cannot help\nwith faces. " * 500),
        said(GOOD, refusal="I cannot help with faces"),
        said("", "content_filter"),
        said("", "SAFETY"),
        said(GOOD, "refusal"),
        AIMessage("", response_metadata={"stop_reason": "refusal"}),
    ],
)
def test_a_refusal_is_not_argued_with(asking: Any, message: AIMessage) -> None:
    reply, script = asking(message)
    assert reply.value is None and reply.status == "refused"
    assert "declined" in reply.detail
    assert "\n" not in reply.detail and len(reply.detail) < 400
    assert len(script.messages) == 1


@pytest.mark.parametrize("text", ["", "  \n"])
def test_an_empty_reply_is_asked_for_once_again(asking: Any, text: str) -> None:
    reply, script = asking(text, GOOD)
    assert reply.status == "ok" and len(script.messages) == 2
    reply, script = asking(text, text)
    assert reply.status == "empty" and len(script.messages) == 2
    assert [call.status for call in reply.calls] == ["empty", "empty"]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("blue", "Invalid JSON"),
        ('{"color": "blue", "sure": tr}', "Invalid JSON"),
        ('{"color": "blue"}', "sure: Field required"),
        ('{"color": 5, "sure": true}', "color: Input should be a valid string"),
        ('{"color": "blue", "sure": true, "why": ""}', "why: Extra inputs"),
        ('["blue", true]', "Input should be an object"),
        ('"blue"', "Input should be an object"),
        ("null", "Input should be an object"),
        ("NaN", ""),
        ("{" * 500, "Invalid JSON"),
        ("[" * 50_000, "Invalid JSON"),
        ('{"color": "\\ud800", "sure": true}', "Invalid JSON"),
        ('{"color": "\0", "sure": true}', "Invalid JSON"),
        ("\u202e}{\u2028\x1b[31m", ""),
    ],
)
def test_a_wrong_reply_is_repaired_once_with_the_error_shown(
    asking: Any, text: str, problem: str
) -> None:
    reply, script = asking(text, GOOD)
    assert reply.status == "ok"
    assert [call.status for call in reply.calls] == ["invalid", "ok"]
    first, second = script.messages
    assert second[: len(first)] == first
    own, complaint = second[len(first) :]
    assert own.type == "ai" and own.text == text
    assert complaint.type == "human" and problem in complaint.text
    reply, script = asking(text, text)
    assert reply.value is None and reply.status == "invalid"
    assert problem in reply.detail and "\n" not in reply.detail
    assert len(script.messages) == 2


def test_each_kind_of_second_chance_is_given_once(asking: Any) -> None:
    reply, script = asking(said("{", "length"), "blue", GOOD)
    assert reply.status == "ok" and script.limits == [100, 200, 200]
    reply, script = asking("blue", said("{", "length"), "blue")
    assert reply.status == "invalid" and script.limits == [100, 100, 200]
    assert sum(call.input_tokens for call in reply.calls) == 21


@pytest.mark.parametrize(
    "fault",
    [
        ModelRateLimitError("slow down"),
        ModelAPIError("500"),
        ModelTimeoutError("late"),
        ModelConnectionError("gone"),
        httpx.ReadTimeout("late"),
        httpx.ConnectError("gone"),
        TimeoutError("late"),
        ConnectionResetError("gone"),
    ],
)
def test_a_transient_fault_is_retried_and_counted(asking: Any, fault: Exception) -> None:
    reply, script = asking(fault, fault, GOOD)
    assert reply.status == "ok"
    assert [call.status for call in reply.calls] == ["failed", "failed", "ok"]
    reply, script = asking(fault, fault, fault)
    assert reply.value is None and reply.status == "failed"
    assert type(fault).__name__ in reply.detail and str(fault) in reply.detail
    assert len(script.messages) == len(reply.calls) == 3
    assert sum(call.input_tokens for call in reply.calls) == 0


@pytest.mark.parametrize(
    "fault",
    [
        ModelInvalidRequestError("no such model\nreally"),
        ModelAuthenticationError("wrong key"),
        ModelCallError("failed", "context is full"),
        ValueError("the wrapper could not read the reply"),
        type("SdkError", (Exception,), {"__module__": "some_sdk.errors"})("odd"),
    ],
)
def test_a_permanent_fault_is_not_retried(asking: Any, fault: Exception) -> None:
    reply, script = asking(fault)
    assert reply.value is None and reply.status == "failed"
    assert str(fault).split()[0] in reply.detail and "\n" not in reply.detail
    assert len(script.messages) == len(reply.calls) == 1


@pytest.mark.parametrize(
    "fault",
    [TypeError("a bug"), KeyError("a bug"), AssertionError("a bug"), ModelFileError("no weights")],
)
def test_a_bug_propagates(asking: Any, fault: Exception) -> None:
    with pytest.raises(type(fault)):
        asking(fault)


def test_without_a_schema_mode_the_schema_is_in_the_prompt(scripted: Any) -> None:
    heard: list[BaseMessage] = []

    def script(_name: str, messages: list[BaseMessage], options: dict[str, Any]) -> str:
        assert options["json_schema"] is None
        heard.extend(messages)
        return GOOD

    scripted(script)
    backend = registry.load("scripted:any")._replace(constrain=None)
    assert ask(backend, PROMPT, Colour, max_tokens=100).status == "ok"
    schema = for_words(Colour.model_json_schema())
    assert json.loads(heard[0].text.rpartition("\n")[2]) == schema
    assert "with all its properties and no others:\n" in heard[0].text
    assert heard[0].text.startswith(PROMPT.system) and heard[1].text == PROMPT.user


JUNK = st.text(st.characters(), max_size=60)
LOOKALIKE = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["color", "sure", "x"]), inner, max_size=3)
    ),
    max_leaves=6,
).map(json.dumps)


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=150
)
@given(texts=st.lists(JUNK | LOOKALIKE, min_size=2, max_size=2))
@example(texts=["\ud800", "\udfff {"])
@example(texts=["```json\n```", "``````"])
def test_no_reply_whatsoever_makes_it_raise(asking: Any, texts: list[str]) -> None:
    reply, _ = asking(*texts)
    assert reply.status in STATUSES
    assert (reply.value is None) == (reply.status != "ok")
    assert len(reply.calls) <= 2
