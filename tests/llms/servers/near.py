"""A server that looks at each request before it answers, in OpenAI's protocol."""

from collections.abc import Callable
from typing import Any, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict

from deixis.prompts import Prompt

PROMPT = Prompt("Be brief.", "What colour is the sky?", "colour", 1)
USAGE = {"prompt_tokens": 11, "completion_tokens": 5, "total_tokens": 16}


class Colour(BaseModel):
    model_config = ConfigDict(extra="forbid")

    color: Literal["blue", "grey"]


class Answer(NamedTuple):
    """What the server says."""

    body: Any
    status: int = 200
    headers: dict[str, str] = {}  # noqa: RUF012 - a NamedTuple's default, never changed


BLUE = Colour(color="blue")
GOOD = '{"color": "blue"}'


def said(content: Any = GOOD, reason: Any = "stop", **more: Any) -> Answer:
    message = {"role": "assistant", "content": content, **more}
    return Answer(
        {"choices": [{"index": 0, "message": message, "finish_reason": reason}], "usage": USAGE}
    )


Rule = Callable[[dict[str, Any]], Answer | None]
"""Refuses a request, or returns None."""


class Replies(list[Any]):
    """Answers of a server that looks at each request before it says anything."""

    def __init__(self, server: Any, rule: Rule) -> None:
        super().__init__()
        self._server, self._rule = server, rule

    def pop(self, _: Any = 0) -> Answer:
        return self._rule(self._server.requests[-1].body) or said()
