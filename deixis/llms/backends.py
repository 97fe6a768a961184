"""The backends themselves: each function turns a parsed spec into a chat model.

Options of a spec reach the wrapper's constructor under their own names; pydantic there
turns the strings into numbers. Wrapper retries are off: `deixis.llms.structured` retries.
"""

import os
from collections.abc import Callable
from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_core.runnables import Runnable

from deixis.base.problems import nearest
from deixis.base.proxies import ProxyError, certificates, unproxied
from deixis.errors import SettingsError
from deixis.llms.local.llama_cpp import EMBEDDED, LlamaCppChat
from deixis.llms.options import checked
from deixis.llms.providers import URL_NAMES
from deixis.llms.registry import PROVIDERS, url_of
from deixis.llms.schemas import Schema, for_anthropic, for_google, for_ollama, for_openai
from deixis.llms.servers.address import server_at
from deixis.llms.servers.http import client_arguments
from deixis.llms.servers.manners import Manners, manners_of
from deixis.settings import Spec
from deixis.weights.model_files import file_of

Constrain = Callable[[Schema | None, int], Runnable[Any, Any]]
Made = tuple[BaseChatModel, Constrain | None] | tuple[BaseChatModel, Constrain, Manners]

TIMEOUT = 120.0
"""Seconds that one request to a server may take, from connecting to the last byte of the reply
(``?timeout=`` in a spec is another number). The SDKs wait for ten minutes, or for ever."""
SHORTEST, LONGEST = 0.001, 86_400.0  # seconds: Gemini counts in thousandths, and takes 0 for ever

_NO_RETRIES: dict[str, Any] = {"max_retries": 0}
_LIMITS = {
    *("max_tokens", "max_completion_tokens", "max_output_tokens", "max_tokens_to_sample"),
    "num_predict",
}
_PROXIES = ("openai_proxy", "anthropic_proxy")
# A server of one's own often wants no key; the SDKs always do.
_NO_KEY = "none"


def embedded(spec: Spec) -> Made:
    """``embedded:smollm2-135m``: a model that arrives by pip."""
    return _llama(embedded_files(spec)[0], spec.options)


def embedded_files(spec: Spec) -> list[str]:
    """Return where the weights of an embedded model are, as `gguf_files`.

    Raises:
        SettingsError: there is no such model.
    """
    if spec.name not in EMBEDDED:
        raise SettingsError(
            f"there is no embedded model {spec.name!r}{nearest(spec.name, EMBEDDED)}; "
            f"known: {', '.join(EMBEDDED)}"
        )
    return gguf_files(spec._replace(name=EMBEDDED[spec.name]))


def gguf(spec: Spec) -> Made:
    """``gguf:/path/model.gguf``, or any model-file spec; it takes pictures with ``?mmproj=``."""
    return _llama(gguf_files(spec)[0], spec.options)


def gguf_files(spec: Spec) -> list[str]:
    """Return where the weights of a GGUF model are, and of its eyes if it has some.

    Raises:
        ModelFileError: that is no file.
    """
    eyes = spec.options.get("mmproj")
    return [file_of(spec.name), *([file_of(eyes)] if eyes is not None else [])]


def openai(spec: Spec) -> Made:
    """``openai:MODEL``; with ``base_url=`` any OpenAI-compatible server."""
    from openai import DefaultAsyncHttpxClient, DefaultHttpxClient

    from deixis.llms.servers.openai_chat import OpenAIChat

    options, client = _over_http(spec, OpenAIChat)
    if "base_url" in options:
        options["api_key"] = os.environ.get("OPENAI_API_KEY") or _NO_KEY
    options["http_client"] = DefaultHttpxClient(**client)
    options["http_async_client"] = DefaultAsyncHttpxClient(**client)
    options["http_socket_options"] = ()  # or the wrapper warns that it goes through no proxy
    model = OpenAIChat(model=spec.name, **_NO_RETRIES, **options)
    model.goes_by(client["transport"].shortcut)
    manners = manners_of(
        str(model.openai_api_base), spec.name, model.limit_name, model.response_format
    )

    def constrain(schema: Schema | None, max_tokens: int) -> Runnable[Any, Any]:
        ways = manners.now()
        wanted: dict[str, Any] = {}
        if schema is not None and ways.form == "json_schema":
            answer = {"name": "answer", "strict": True, "schema": for_openai(schema)}
            wanted = {"response_format": {"type": "json_schema", "json_schema": answer}}
        elif schema is not None and ways.form == "json_object":
            wanted = {"response_format": {"type": "json_object"}}
        if model.use_responses_api:  # OpenAI's second interface has other names for both
            return model.bind(max_tokens=max_tokens, **wanted)
        # Said past the SDK, which would read the reply by itself and raise what it is cut off.
        return model.bind(extra_body={ways.limit: max_tokens, **wanted, **(model.extra_body or {})})

    return model, constrain, manners


def google_genai(spec: Spec) -> Made:
    """``google_genai:MODEL``: Gemini; what it thinks counts towards the token limit."""
    from langchain_google_genai import ChatGoogleGenerativeAI

    options, client = _over_http(spec, ChatGoogleGenerativeAI)
    options["client_args"] = {**(options.get("client_args") or {}), **client}
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
    from anthropic import Anthropic, DefaultHttpxClient

    from deixis.llms.servers.anthropic_chat import ClaudeChat

    options, client = _over_http(spec, ClaudeChat)
    if "base_url" in options:
        options["api_key"] = os.environ.get("ANTHROPIC_API_KEY") or _NO_KEY
    made: Any = ClaudeChat(model_name=spec.name, **_NO_RETRIES, **options)
    # The wrapper makes the SDK's client when it first uses it, and takes none.
    http_client = DefaultHttpxClient(**client)
    made.__dict__["_client"] = Anthropic(**made._client_params, http_client=http_client)
    model: BaseChatModel = made

    def constrain(schema: Schema | None, max_tokens: int) -> Runnable[Any, Any]:
        if schema is None:
            return model.bind(max_tokens=max_tokens)
        answer = {"type": "json_schema", "schema": for_anthropic(schema)}
        return model.bind(output_config={"format": answer}, max_tokens=max_tokens)

    return model, constrain


def ollama(spec: Spec) -> Made:
    """``ollama:MODEL``: an Ollama server, which has no retries to switch off."""
    try:
        certificates()
    except ProxyError as error:
        raise SettingsError(str(error)) from None
    with unproxied():  # the SDK makes a client of its own as it is imported
        from langchain_ollama import ChatOllama

    options, client = _over_http(spec, ChatOllama)
    client["timeout"] = options.pop("timeout")
    options["client_kwargs"] = {**(options.get("client_kwargs") or {}), **client}
    model: BaseChatModel = ChatOllama(model=spec.name, **options)

    def constrain(schema: Schema | None, max_tokens: int) -> Runnable[Any, Any]:
        # A limit bound to a call would replace all other options of the model. Of a reply in
        # pieces nothing tells that the last are missing; a whole one is there or is not.
        limited = model.model_copy(update={"num_predict": max_tokens})
        if schema is None:
            return limited.bind(stream=False)
        return limited.bind(format=for_ollama(schema), stream=False)

    return model, constrain


def _llama(weights: str, options: dict[str, str]) -> Made:
    model = LlamaCppChat(weights=weights, **checked(options, LlamaCppChat))

    def constrain(schema: Schema | None, max_tokens: int) -> Runnable[Any, Any]:
        return model.bind(json_schema=schema, max_tokens=max_tokens)

    return model, constrain


def _over_http(spec: Spec, model: type[BaseChatModel]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the checked options of a model behind a server, and the arguments of its client.

    The options have a timeout always, and a URL without credentials, which the client adds.

    Raises:
        SettingsError: an unknown option, a timeout that is no time, or a URL or a proxy that
            cannot be used.
    """
    known = checked(spec.options, model, {"timeout"})
    if limit := next(filter(_LIMITS.__contains__, known), None):
        raise SettingsError(
            f"option {limit} would have no effect; options.max_tokens limits all replies"
        )
    given = known.get("timeout", TIMEOUT)
    try:  # here and not in the wrapper: OpenAI's takes any string, and fails when it is used
        seconds = float(given)
    except ValueError:
        seconds = 0.0
    if not SHORTEST <= seconds <= LONGEST:
        raise SettingsError(
            f"option timeout: {given!r} is no number of seconds from {SHORTEST} to {LONGEST:g}"
        )
    for name in URL_NAMES:
        if name in known:
            known["base_url"] = known.pop(name)
    server = server_at(known.get("base_url") or url_of(PROVIDERS[spec.provider]) or "")
    if "base_url" in known or server.parameters or server.authorization:
        known["base_url"] = server.url
    proxy = next(((name, known.pop(name)) for name in _PROXIES if name in known), None)
    return {**known, "timeout": seconds}, client_arguments(server, seconds, proxy)
