"""The backends themselves: each function turns a parsed spec into a chat model.

Options of a spec reach the wrapper's constructor under their own names; pydantic there
turns the strings into numbers. Wrapper retries are off: `deixis.llms.structured` retries.
"""

import os
from collections.abc import Callable
from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_core.runnables import Runnable

from deixis.errors import SettingsError
from deixis.llms.llama_cpp import EMBEDDED, LlamaCppChat
from deixis.settings import Spec
from deixis.type_schema import nearest

Constrain = Callable[[dict[str, Any], int], Runnable[Any, Any]]
Made = tuple[BaseChatModel, Constrain | None]

_NO_RETRIES: dict[str, Any] = {"max_retries": 0}
_NOT_OPTIONS = {"model", "model_name", "weights", "max_retries"}
_UNSUPPORTED_BY_STRICT = {"maxLength", "minLength", "pattern", "title", "default"}


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

    options = _checked(spec.options, ChatOpenAI)
    if "base_url" in options:
        # A server of one's own often wants no key; the SDK always does.
        options["api_key"] = os.environ.get("OPENAI_API_KEY") or "none"
    model = ChatOpenAI(model=spec.name, **_NO_RETRIES, **options)

    def constrain(schema: dict[str, Any], max_tokens: int) -> Runnable[Any, Any]:
        answer = {"name": "answer", "strict": True, "schema": _strict(schema)}
        return model.bind(
            response_format={"type": "json_schema", "json_schema": answer}, max_tokens=max_tokens
        )

    return model, constrain


def google_genai(spec: Spec) -> Made:
    """``google_genai:MODEL``: Gemini."""
    from langchain_google_genai import ChatGoogleGenerativeAI

    options = _checked(spec.options, ChatGoogleGenerativeAI)
    return ChatGoogleGenerativeAI(model=spec.name, **_NO_RETRIES, **options), None


def anthropic(spec: Spec) -> Made:
    """``anthropic:MODEL``: Claude."""
    from langchain_anthropic import ChatAnthropic

    options = _checked(spec.options, ChatAnthropic)
    return ChatAnthropic(model_name=spec.name, **_NO_RETRIES, **options), None


def ollama(spec: Spec) -> Made:
    """``ollama:MODEL``: a local Ollama server."""
    from langchain_ollama import ChatOllama

    return ChatOllama(model=spec.name, **_checked(spec.options, ChatOllama)), None


def _llama(weights: str, options: dict[str, str]) -> Made:
    model = LlamaCppChat(weights=weights, **_checked(options, LlamaCppChat))

    def constrain(schema: dict[str, Any], max_tokens: int) -> Runnable[Any, Any]:
        return model.bind(json_schema=schema, max_tokens=max_tokens)

    return model, constrain


def _checked(options: dict[str, str], model: type[BaseChatModel]) -> dict[str, Any]:
    """Return the options if the model has them all; wrappers warn of others, or send them.

    Raises:
        SettingsError: an unknown option, with the nearest right name.
    """
    own = set(model.model_fields) - set(BaseChatModel.model_fields)
    aliases = {field.alias for field in model.model_fields.values() if field.alias}
    known = sorted((own | aliases) - _NOT_OPTIONS)
    for name in options:
        if name not in known:
            raise SettingsError(
                f"there is no option {name!r}{nearest(name, known)}; known: {', '.join(known)}"
            )
    return dict(options)


def _strict(node: Any) -> Any:
    """Drop the keywords that OpenAI's strict mode refuses; the answer is checked by us."""
    if isinstance(node, list):
        return [_strict(each) for each in node]
    if not isinstance(node, dict):
        return node
    return {
        key: {name: _strict(each) for name, each in value.items()}
        if key in {"properties", "$defs"}
        else _strict(value)
        for key, value in node.items()
        if key not in _UNSUPPORTED_BY_STRICT
    }
