"""How replies end and what is kept of them, beyond the plain cases."""

from collections.abc import Callable
from typing import Any

import pytest
from langchain_core.messages import AIMessage
from pydantic import BaseModel, ConfigDict

from deixis.llms import registry
from deixis.llms.structured import Reply, ask
from deixis.prompts import Prompt

GOOD = '{"color": "blue"}'


class Colour(BaseModel):
    model_config = ConfigDict(extra="forbid")

    color: str


@pytest.fixture
def asking(scripted: Any) -> Callable[..., Reply[Colour]]:
    def run(*replies: Any) -> Reply[Colour]:
        left = list(replies)
        scripted(lambda *_: left.pop(0))
        prompt = Prompt("Be brief.", "What colour?", "colour", 1)
        return ask(registry.load("scripted:any"), prompt, Colour, max_tokens=100)

    return run


def said(text: str, reason: str = "stop") -> AIMessage:
    return AIMessage(text, response_metadata={"finish_reason": reason})


def test_a_string_may_hold_a_fence_and_a_fence_may_never_close(asking: Any) -> None:
    reply = asking('{"color": "```red```"}')
    assert reply.value == Colour(color="```red```")
    reply = asking("```json" + 1_000_000 * " ", GOOD)
    assert reply.value == Colour(color="blue")


def test_what_a_model_made_up_is_shown_on_one_short_line(asking: Any) -> None:
    key = "\\u001b[31m\\n" + 10_000 * "x"
    reply = asking(*2 * [f'{{"color": "red", "{key}": 1}}'])
    assert reply.status == "invalid" and reply.detail.isprintable() and len(reply.detail) <= 300


@pytest.mark.parametrize(
    ("meta", "content", "status"),
    [
        ({"incomplete_details": {"reason": "max_output_tokens"}}, '{"col', "truncated"),
        ({"incomplete_details": {"reason": "content_filter"}}, "", "refused"),
        ({"status": "completed"}, [{"type": "refusal", "refusal": "No."}], "refused"),
        ({"finish_reason": "IMAGE_SAFETY"}, "", "refused"),
        ({"prompt_feedback": "BLOCKED"}, "", "refused"),
    ],
)
def test_other_ways_to_end_are_known(asking: Any, meta: Any, content: Any, status: str) -> None:
    message = AIMessage(content, response_metadata=meta)
    reply = asking(message, message)
    assert (reply.status, reply.value) == (status, None)


def test_every_call_keeps_its_text_and_finish_reason(asking: Any) -> None:
    reply = asking(said("nonsense"), said(GOOD, "length"), said(GOOD))
    assert [(call.text, call.finish_reason) for call in reply.calls] == [
        ("nonsense", "stop"),
        (GOOD, "length"),
        (GOOD, "stop"),
    ]
