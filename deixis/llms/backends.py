"""The backends themselves: each function turns a parsed spec into a chat model.

Options of a spec reach the wrapper's constructor under their own names; pydantic there
turns the strings into numbers. Wrapper retries are off: `deixis.llms.structured` retries.
"""

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

    options: dict[str, Any] = dict(spec.options)
    if "base_url" in options:
        options.setdefault("api_key", "none")
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

    return ChatGoogleGenerativeAI(model=spec.name, **{**_NO_RETRIES, **spec.options}), None


def anthropic(spec: Spec) -> Made:
    """``anthropic:MODEL``: Claude."""
    from langchain_anthropic import ChatAnthropic

    return ChatAnthropic(model_name=spec.name, **{**_NO_RETRIES, **spec.options}), None


def ollama(spec: Spec) -> Made:
    """``ollama:MODEL``: a local Ollama server."""
    from langchain_ollama import ChatOllama

    return ChatOllama(model=spec.name, **dict[str, Any](spec.options)), None


def _llama(weights: str, options: dict[str, str]) -> Made:
    known = [name for name in LlamaCppChat.model_fields if name in LlamaCppChat.__annotations__]
    for name in options:
        if name not in known:
            raise SettingsError(
                f"there is no option {name!r}{nearest(name, known)}; known: {', '.join(known)}"
            )
    model = LlamaCppChat(weights=weights, **dict[str, Any](options))

    def constrain(schema: dict[str, Any], max_tokens: int) -> Runnable[Any, Any]:
        return model.bind(json_schema=schema, max_tokens=max_tokens)

    return model, constrain


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
