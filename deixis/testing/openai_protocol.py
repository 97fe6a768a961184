"""A server on 127.0.0.1 that speaks OpenAI's chat completions, as far as Deixis uses them."""

import base64
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlencode

from deixis.testing.loopback import Request, Response, Server, serving
from deixis.testing.replies import (
    INPUT_TOKENS,
    OUTPUT_TOKENS,
    Cut,
    Question,
    Refused,
    Replies,
    Reply,
)


class OpenAIServer:
    """Where the server is, and what it was asked.

    ``asked`` are the questions, ``requests`` the same as they came over HTTP.
    """

    def __init__(self, server: Server, asked: list[Question]) -> None:
        self.base_url = f"{server.url}/v1"
        self.requests = server.requests
        self.asked = asked

    def spec(self, model: str = "scripted", **options: Any) -> str:
        """Return the spec of a model behind this server, for a role of a stack."""
        return f"openai:{model}?{urlencode({'base_url': self.base_url, **options}, safe='/:')}"


@contextmanager
def openai_server(
    *replies: Reply,
    models: Mapping[str, Reply] | None = None,
    prompts: Mapping[str, Reply] | None = None,
) -> Iterator[OpenAIServer]:
    """Serve OpenAI's ``/v1/chat/completions`` on a free port within a block; nothing is streamed.

    Args:
        replies: answers in the order in which requests come, the last of them to all further
            requests; without any, each is answered by what fits its schema. What answers a
            scripted model answers here too; an exception closes the connection without a word.
            Besides, a `Response` is sent as it is (see `fault`). The first error that a function
            raises, such as a failed assertion, is raised when the block ends.
        models: answers by the name of the model; a list of them is given in order.
        prompts: answers by a piece of the prompt, where the model is not one of `models`.

    Raises:
        TypeError: a reply is of a kind that cannot be one.
    """
    script: Replies

    def answer(request: Request) -> Response | None:
        if not request.path.startswith("/v1/chat/completions"):
            return fault(404, f"there is no {request.path}")
        try:
            question = _question(request.body)
            streamed = request.body.get("stream")
        except (ValueError, TypeError, LookupError, AttributeError) as error:
            return fault(400, f"the request is malformed: {error!r}")
        if streamed:
            return fault(400, "this server does not stream")
        reply = script.answer(question)
        if isinstance(reply, Exception):
            return None
        if isinstance(reply, Response):
            return reply
        return Response(200, _completion_of(reply, question.model))

    with serving(answer) as server:
        script = Replies(replies, models, prompts, server.closing.wait, Response)
        yield OpenAIServer(server, script.asked)


def fault(status: int, message: str = "not now", retry_after: float | None = None) -> Response:
    """Return an error as OpenAI words it.

    Args:
        status: of HTTP, such as 429.
        message: what the server says.
        retry_after: seconds after which it wants to be asked again.
    """
    headers = {} if retry_after is None else {"Retry-After": f"{retry_after:g}"}
    error = {"message": message, "type": "scripted", "param": None, "code": None}
    return Response(status, {"error": error}, headers)


def completion(
    content: Any, reason: Any = "stop", model: str = "scripted", **message: Any
) -> dict[str, Any]:
    """Return a chat completion as OpenAI words it.

    Args:
        content: what the model says.
        reason: the finish reason.
        model: its name.
        message: further fields of the message, such as ``refusal``.
    """
    whole = {"role": "assistant", "content": content, "refusal": None, **message}
    return {
        "id": "chatcmpl-scripted",
        "object": "chat.completion",
        "created": 1,
        "model": model,
        "choices": [{"index": 0, "message": whole, "finish_reason": reason, "logprobs": None}],
        "usage": {
            "prompt_tokens": INPUT_TOKENS,
            "completion_tokens": OUTPUT_TOKENS,
            "total_tokens": INPUT_TOKENS + OUTPUT_TOKENS,
        },
    }


def _completion_of(reply: Any, model: str) -> dict[str, Any]:
    if isinstance(reply, Refused):
        return completion(None, model=model, refusal=reply.text)
    if isinstance(reply, Cut):
        return completion(reply.text, "length", model)
    return completion(reply, model=model)


def _question(body: dict[str, Any]) -> Question:
    messages = body["messages"]
    user = next((turn for turn in messages if turn["role"] == "user"), {"content": ""})
    blocks = user["content"] if isinstance(user["content"], list) else []
    asked = body.get("response_format", {}).get("json_schema", {})
    return Question(
        model=body["model"],
        system="".join(str(turn["content"]) for turn in messages if turn["role"] == "system"),
        user=_text(user["content"]),
        schema=asked.get("schema"),
        max_tokens=body.get("max_completion_tokens") or body.get("max_tokens", 0),
        images=_in_urls(blocks, "image_url"),
        messages=tuple(messages),
        sounds=tuple(
            base64.b64decode(block["input_audio"]["data"], validate=True)
            for block in blocks
            if block["type"] == "input_audio" and block["input_audio"]["format"] == "wav"
        ),
        clips=_in_urls(blocks, "video_url"),
    )


def _in_urls(blocks: list[Any], kind: str) -> tuple[bytes, ...]:
    return tuple(
        base64.b64decode(block[kind]["url"].partition(",")[2])
        for block in blocks
        if block["type"] == kind
    )


def _text(content: Any) -> str:
    if isinstance(content, str):
        return content
    return "".join(block["text"] for block in content if block["type"] == "text")
