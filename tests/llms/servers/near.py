"""A server that looks at each request before it answers, in OpenAI's protocol."""

from collections.abc import Callable
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from deixis.prompts import Prompt
from deixis.testing import Response

PROMPT = Prompt("Be brief.", "What colour is the sky?", "colour", 1)
USAGE = {"prompt_tokens": 11, "completion_tokens": 5, "total_tokens": 16}


class Colour(BaseModel):
    model_config = ConfigDict(extra="forbid")

    color: Literal["blue", "grey"]


BLUE = Colour(color="blue")
GOOD = '{"color": "blue"}'


def answer(body: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    return Response(status, body, headers or {})


def said(content: Any = GOOD, reason: Any = "stop", **more: Any) -> Response:
    message = {"role": "assistant", "content": content, **more}
    return answer(
        {"choices": [{"index": 0, "message": message, "finish_reason": reason}], "usage": USAGE}
    )


Rule = Callable[[dict[str, Any]], Response | None]
"""Refuses a request, or returns None."""


def refusing(rule: Rule) -> Callable[[dict[str, Any]], Response]:
    """Return what a server does that answers all that it does not refuse."""
    return lambda body: rule(body) or said()
