"""OpenAI's protocol as servers really speak it; imports the wrapper of it."""

import json
from typing import Any, Literal, cast

from langchain_core.globals import get_llm_cache
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.outputs import ChatResult
from langchain_openai import ChatOpenAI
from pydantic import BaseModel, PrivateAttr

from deixis.errors import ModelCallError
from deixis.llms.servers.awaited import SLIP
from deixis.llms.servers.replies import Came
from deixis.llms.servers.shortcut import Outcome, Shortcut
from deixis.llms.servers.success import no_completion, status_in
from deixis.llms.servers.wording import words_in

_END = "completions"  # of the path
_FOR_THE_SDK = {"extra_headers", "extra_query", "timeout", "response_format", "input"}
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
    _shortcut: Shortcut | None = PrivateAttr(default=None)

    def goes_by(self, shortcut: Shortcut) -> "OpenAIChat":
        """Have questions in words go past the SDK where it need not see them; return the model."""
        self._shortcut = shortcut
        return self

    def at_once(self, messages: list[BaseMessage], **options: Any) -> AIMessage | None:
        """Return the answer to a question in words that nobody watches.

        Past LangChain's ``invoke`` and the SDK, which take most of the time that asking takes here.
        What is no plain completion they are given, as what came. None: they have to ask.
        """
        shortcut = self._shortcut
        if shortcut is None or not shortcut.knows(_END) or SLIP.get() is not None:
            return None
        body = self._body(self._get_request_payload(messages, **options))
        if body is None or self.streaming or self.cache or self.rate_limiter or get_llm_cache():
            return None
        outcome = shortcut.ask(_END, body)
        if (completion := _plain(outcome)) is not None:
            (generation,) = self._create_chat_result(completion, {}).generations
            answer = cast(AIMessage, generation.message)
            told = {**(generation.generation_info or {}), **answer.response_metadata}
            answer.response_metadata = told
            return answer
        with shortcut.left(outcome):
            message = self._generate_with_cache(messages, **options).generations[0].message
            return cast(AIMessage, message)

    def _body(self, payload: dict[str, Any]) -> bytes | None:
        """Return the body of a request as the SDK writes it; None for what it has to see."""
        if not _FOR_THE_SDK.isdisjoint(payload) or self.include_response_headers:
            return None
        more = payload.pop("extra_body", None) or {}
        said = {**payload, **more}
        try:
            written = json.dumps(said, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
            return written.encode()
        except (TypeError, ValueError):
            return None

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


def _plain(outcome: Outcome) -> dict[str, Any] | None:
    """Return a completion that has nothing odd about it."""
    if not isinstance(outcome, Came) or outcome.status != 200:
        return None
    if not any(
        name.lower() == "content-type" and value.startswith("application/json")
        for name, value in outcome.headers
    ):
        return None
    try:
        body = json.loads(outcome.body)
    except (ValueError, RecursionError):
        return None
    match body:
        case {"choices": [{"message": {"role": "assistant", "content": str()}}], "usage": dict()}:
            return dict(body)
    return None


def _blocks(message: BaseMessage) -> list[dict[str, Any]]:
    content = message.content
    return [] if isinstance(content, str) else [each for each in content if isinstance(each, dict)]


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
