"""The backends themselves: each function turns a parsed spec into a chat model.

Options of a spec reach the wrapper's constructor under their own names; pydantic there
turns the strings into numbers. Wrapper retries are off: `deixis.llms.structured` retries.
"""

import os
from collections.abc import Callable, Set
from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_core.runnables import Runnable

from deixis.errors import SettingsError
from deixis.llms.llama_cpp import EMBEDDED, LlamaCppChat
from deixis.llms.schemas import Schema, for_anthropic, for_google, for_ollama, for_openai
from deixis.settings import Spec
from deixis.type_schema import nearest

Constrain = Callable[[Schema | None, int], Runnable[Any, Any]]
Made = tuple[BaseChatModel, Constrain | None]

TIMEOUT = 120.0
"""Seconds without a byte from a server after which a request has failed (``?timeout=`` in a
spec is another number). The SDKs wait for ten minutes, or for ever."""
SHORTEST, LONGEST = 0.001, 86_400.0  # seconds: Gemini counts in thousandths, and takes 0 for ever

_NO_RETRIES: dict[str, Any] = {"max_retries": 0}
_ALWAYS_TIMEOUT = {"request_timeout", "default_request_timeout"}  # SDKs' names for `timeout`
_NOT_OPTIONS = {"model", "model_name", "weights", "max_retries", "retries"} | _ALWAYS_TIMEOUT
# A server of one's own often wants no key; the SDKs always do.
_NO_KEY = "none"


def embedded(spec: Spec) -> Made:
    """``embedded:smollm2-135m``: a model that arrives by pip."""
    if spec.name not in EMBEDDED:
        raise SettingsError(
            f"there is no embedded model {spec.name!r}{nearest(spec.name, EMBEDDED)}; "
            f"known: {', '.join(EMBEDDED)}"
        )
    return _llama(EMBEDDED[spec.name], spec.options)


def gguf(spec: Spec) -> Made:
    """``gguf:/path/model.gguf``, or any model-file spec."""
    return _llama(spec.name, spec.options)


def openai(spec: Spec) -> Made:
    """``openai:MODEL``; with ``base_url=`` any OpenAI-compatible server."""
    from langchain_openai import ChatOpenAI

    options = _over_http(spec.options, ChatOpenAI)
    if "base_url" in options:
        options["api_key"] = os.environ.get("OPENAI_API_KEY") or _NO_KEY
    model = ChatOpenAI(model=spec.name, **_NO_RETRIES, **options)

    def constrain(schema: Schema | None, max_tokens: int) -> Runnable[Any, Any]:
        if schema is None:
            return model.bind(max_tokens=max_tokens)
        answer = {"name": "answer", "strict": True, "schema": for_openai(schema)}
        return model.bind(
            response_format={"type": "json_schema", "json_schema": answer}, max_tokens=max_tokens
        )

    return model, constrain


def google_genai(spec: Spec) -> Made:
    """``google_genai:MODEL``: Gemini; what it thinks counts towards the token limit."""
    from langchain_google_genai import ChatGoogleGenerativeAI

    options = _over_http(spec.options, ChatGoogleGenerativeAI)
    keys = ("GOOGLE_API_KEY", "GEMINI_API_KEY")
    if "base_url" in options and not any(os.environ.get(key) for key in keys):
        options["api_key"] = _NO_KEY
    # Here it is the number of tries; 0 means the SDK's default of five.
    model: BaseChatModel = ChatGoogleGenerativeAI(model=spec.name, max_retries=1, **options)

    def constrain(schema: Schema | None, max_tokens: int) -> Runnable[Any, Any]:
        if schema is None:
            return model.bind(max_output_tokens=max_tokens)
        return model.bind(
            response_mime_type="application/json",
            response_json_schema=for_google(schema),
            max_output_tokens=max_tokens,
        )

    return model, constrain


def anthropic(spec: Spec) -> Made:
    """``anthropic:MODEL``: Claude, from 4.5 on (older ones have no schema mode)."""
    from langchain_anthropic import ChatAnthropic

    options = _over_http(spec.options, ChatAnthropic)
    if "base_url" in options:
        options["api_key"] = os.environ.get("ANTHROPIC_API_KEY") or _NO_KEY
    model: BaseChatModel = ChatAnthropic(model_name=spec.name, **_NO_RETRIES, **options)

    def constrain(schema: Schema | None, max_tokens: int) -> Runnable[Any, Any]:
        if schema is None:
            return model.bind(max_tokens=max_tokens)
        answer = {"type": "json_schema", "schema": for_anthropic(schema)}
        return model.bind(output_config={"format": answer}, max_tokens=max_tokens)

    return model, constrain


def ollama(spec: Spec) -> Made:
    """``ollama:MODEL``: an Ollama server, which has no retries to switch off."""
    from langchain_ollama import ChatOllama

    options = _over_http(spec.options, ChatOllama)
    client = {"timeout": options.pop("timeout")}
    model: BaseChatModel = ChatOllama(model=spec.name, client_kwargs=client, **options)

    def constrain(schema: Schema | None, max_tokens: int) -> Runnable[Any, Any]:
        # A limit bound to a call would replace all other options of the model. Of a reply in
        # pieces nothing tells that the last are missing; a whole one is there or is not.
        limited = model.model_copy(update={"num_predict": max_tokens})
        if schema is None:
            return limited.bind(stream=False)
        return limited.bind(format=for_ollama(schema), stream=False)

    return model, constrain


def _llama(weights: str, options: dict[str, str]) -> Made:
    model = LlamaCppChat(weights=weights, **_checked(options, LlamaCppChat))

    def constrain(schema: Schema | None, max_tokens: int) -> Runnable[Any, Any]:
        return model.bind(json_schema=schema, max_tokens=max_tokens)

    return model, constrain


def _over_http(options: dict[str, str], model: type[BaseChatModel]) -> dict[str, Any]:
    """Return the checked options of a model behind a server, always with a timeout.

    Raises:
        SettingsError: an unknown option, or a timeout that is no time.
    """
    checked = _checked(options, model, {"timeout"})
    given = checked.get("timeout", TIMEOUT)
    try:  # here and not in the wrapper: OpenAI's takes any string, and fails when it is used
        seconds = float(given)
    except ValueError:
        seconds = 0.0
    if not SHORTEST <= seconds <= LONGEST:
        raise SettingsError(
            f"option timeout: {given!r} is no number of seconds from {SHORTEST} to {LONGEST:g}"
        )
    return {**checked, "timeout": seconds}


def _checked(
    options: dict[str, str], model: type[BaseChatModel], ours: Set[str] = frozenset()
) -> dict[str, Any]:
    """Return the options if the model has them all; wrappers warn of others, or send them.

    Args:
        options: as a spec gives them.
        model: the wrapper.
        ours: options that it has besides those of the wrapper.

    Raises:
        SettingsError: an unknown option, with the nearest right name.
    """
    own = set(model.model_fields) - set(BaseChatModel.model_fields)
    aliases = {field.alias for field in model.model_fields.values() if field.alias}
    known = sorted((own | aliases | ours) - _NOT_OPTIONS)
    for name in options:
        if name not in known:
            raise SettingsError(
                f"there is no option {name!r}{nearest(name, known)}; known: {', '.join(known)}"
            )
    return dict(options)
