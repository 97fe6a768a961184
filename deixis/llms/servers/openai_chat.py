"""OpenAI's protocol as servers really speak it; imports the wrapper of it."""

import json
from typing import Any, Literal

from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.outputs import ChatResult
from langchain_openai import ChatOpenAI
from pydantic import BaseModel

from deixis.errors import ModelCallError
from deixis.llms.servers.success import no_completion, status_in
from deixis.llms.servers.wording import words_in

_REASONING = ("reasoning_content", "reasoning")


class ErrorInReply(ValueError):
    """A choice is an error; ``status_code`` is what the server should have said."""

    def __init__(self, error: Any) -> None:
        self.status_code = status_in(error)
        message = words_in(error) or "an error without a word"
        super().__init__(f"{self.status_code}: {message}" if self.status_code else message)


class OpenAIChat(ChatOpenAI):
    """The wrapper with two options more, video, and words for replies that are no completions.

    Attributes:
        limit_name: the name by which the server knows the token limit; None to find out.
        response_format: how it is held to JSON; None to find out. With ``json_object`` and
            ``none`` the schema stands in the prompt.
    """

    limit_name: Literal["max_completion_tokens", "max_tokens"] | None = None
    response_format: Literal["json_schema", "json_object", "none"] | None = None

    def _get_request_payload(
        self, input_: Any, *, stop: list[str] | None = None, **kwargs: Any
    ) -> dict[str, Any]:
        messages = self._convert_input(input_).to_messages()
        kinds = {block.get("type") for message in messages for block in _blocks(message)}
        if kinds & {"audio", "video"} and self._use_responses_api(
            {**self._default_params, **kwargs}
        ):
            # The wrapper would leave them out without a word.
            raise ModelCallError(
                "failed",
                "OpenAI's Responses API takes neither sound nor video; use chat completions",
            )
        asked = [_with_video_urls(message) for message in messages]
        payload: dict[str, Any] = super()._get_request_payload(asked, stop=stop, **kwargs)
        if "messages" in payload and "response_format" not in payload:
            # The SDK would compare each message with each of its types, and change none: a third
            # of the processor's time of a request.
            said = {"messages": payload["messages"]}
            payload |= {"messages": [], "extra_body": {**said, **(payload.get("extra_body") or {})}}
        return payload

    def _create_chat_result(
        self, response: Any, generation_info: dict[str, Any] | None = None
    ) -> ChatResult:
        body = response.model_dump(warnings=False) if isinstance(response, BaseModel) else response
        messages = [_message(choice) for choice in _choices(body)]
        result = super()._create_chat_result(body, generation_info)
        for generation, message in zip(result.generations, messages, strict=True):
            reasoned = next(filter(None, map(message.get, _REASONING)), None)
            if isinstance(generation.message, AIMessage) and isinstance(reasoned, str):
                generation.message.additional_kwargs["reasoning_content"] = reasoned
        return result


def _blocks(message: BaseMessage) -> list[dict[str, Any]]:
    return [block for block in message.content if isinstance(block, dict)]


def _with_video_urls(message: BaseMessage) -> BaseMessage:
    """Return a message with video as servers of open models take it; OpenAI itself has none.

    vLLM and those who follow it read ``video_url`` (vLLM's documentation, multimodal inputs); the
    wrapper knows no block for it and refuses ours.
    """
    if not any(block.get("type") == "video" for block in _blocks(message)):
        return message
    content = [
        {"type": "video_url", "video_url": {"url": _data_url(block)}}
        if isinstance(block, dict) and block.get("type") == "video"
        else block
        for block in message.content
    ]
    return message.model_copy(update={"content": content})


def _data_url(block: dict[str, Any]) -> str:
    return f"data:{block['mime_type']};base64,{block['base64']}"


def _choices(body: Any) -> list[Any]:
    """Return the choices of a reply.

    Raises:
        ModelCallError: it has none.
    """
    choices = body.get("choices") if isinstance(body, dict) else None
    if not isinstance(choices, list) or not choices:
        raise _no_completion(body)
    return choices


def _message(choice: Any) -> dict[str, Any]:
    """Return the message of a choice, as said by the assistant if nobody is named."""
    if isinstance(choice, dict) and choice.get("error"):
        raise ErrorInReply(choice["error"])
    message = choice.get("message") if isinstance(choice, dict) else None
    if not isinstance(message, dict):
        raise _no_completion(choice)
    if message.get("role") is None:
        message["role"] = "assistant"
    return message


def _no_completion(body: Any) -> ModelCallError:
    if isinstance(body, dict):  # with what the SDK has filled in left out
        body = {name: value for name, value in body.items() if value is not None}
    return no_completion(json.dumps(body, default=str))
