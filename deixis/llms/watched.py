"""What LangChain's callbacks and LangSmith are told of a model: everything but its media.

LangChain would hand every tracer the messages as they are sent, pictures and all. Here the model
runs unheard, and the same handlers are told of the same messages with stand-ins in the place of
pictures, sound and video: kind, digest and size.
"""

import base64
import hashlib
from collections.abc import Callable, Mapping
from contextvars import copy_context
from typing import Any, TypeVar

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.outputs import ChatGeneration, LLMResult
from langchain_core.runnables import Runnable
from langchain_core.runnables.base import RunnableBinding
from langchain_core.runnables.config import (
    ensure_config,
    get_callback_manager_for_config,
    var_child_runnable_config,
)
from langchain_core.tracers.context import _configure_hooks, tracing_v2_callback_var
from langsmith import tracing_context

from deixis.errors import ModelCallError
from deixis.llms.servers import faults
from deixis.llms.servers.awaited import Awaited
from deixis.llms.servers.redaction import without_keys

T = TypeVar("T")
_AROUND = ("invoke", "generate_prompt", "generate", "_generate_with_cache", "_convert_input")
"""The methods of LangChain's chat models through which a question goes to a wrapper."""
_TOLD = {"stop", "structured_output_format", "ls_structured_output_format"}
"""Options that one of those takes for itself."""
Message = TypeVar("Message", bound=BaseMessage)


def invoke(
    model: Runnable[Any, Any], base: BaseChatModel, provider: str, messages: list[BaseMessage]
) -> Any:
    """Ask a model; whoever watches is told of it without its media, and once.

    Args:
        model: what is asked.
        base: the model that `model` binds.
        provider: whose it is.
        messages: what it is sent.

    Raises:
        Exception: whatever the model raises.
    """
    manager = get_callback_manager_for_config(ensure_config())
    if not manager.handlers:
        at_once = _at_once(model, messages)
        return _unheard(lambda: model.invoke(messages)) if at_once is None else at_once()
    named = getattr(base, "model_name", None) or getattr(base, "model", None)
    manager.add_metadata(
        {
            "ls_provider": provider,
            "ls_model_type": "chat",
            **({"ls_model_name": named} if isinstance(named, str) else {}),
        },
        inherit=False,
    )
    (run,) = manager.on_chat_model_start({}, [[*map(as_told, messages)]], name=type(base).__name__)
    try:
        reply = _unheard(lambda: model.invoke(messages))
    except Awaited as error:
        run.on_llm_error(ModelCallError("failed", str(error)))
        raise
    except Exception as error:
        # An SDK's own error may hold the request, and its traceback the messages.
        run.on_llm_error(ModelCallError("failed", faults.one_line(error)))
        raise
    if isinstance(reply, AIMessage):
        run.on_llm_end(LLMResult(generations=[[ChatGeneration(message=as_told(reply))]]))
    else:
        run.on_llm_error(ModelCallError("failed", "the reply is no message of an assistant"))
    return reply


def _at_once(model: Runnable[Any, Any], messages: list[BaseMessage]) -> Callable[[], Any] | None:
    """Return the core of LangChain's ``invoke``, for a question in words that nobody watches.

    What is around it prepares what handlers and tracers are told, and takes three times as long.
    None where there is more to it: a wrapper that does it in its own way, or has handlers of its
    own; media, which LangChain may put in another form.
    """
    bound: Runnable[Any, Any] = model
    options: Mapping[str, Any] = {}
    if isinstance(model, RunnableBinding) and type(model).invoke is RunnableBinding.invoke:
        plain = not model.config and not model.config_factories
        bound, options = (model.bound, model.kwargs) if plain else (model, {})
    if not isinstance(bound, BaseChatModel) or bound.callbacks or bound.verbose:
        return None
    own = any(getattr(type(bound), name) is not getattr(BaseChatModel, name) for name in _AROUND)
    spoken = all(isinstance(message.content, str) for message in messages)
    if own or not spoken or not _TOLD.isdisjoint(options):
        return None

    def call() -> Any:
        var_child_runnable_config.set(None)  # for what the model itself may call
        ask = getattr(bound, "at_once", None)
        if ask is not None and (message := ask(messages, **options)) is not None:
            return message
        return bound._generate_with_cache(messages, **options).generations[0].message

    return lambda: copy_context().run(call)


def _unheard(call: Callable[[], T]) -> T:
    """Call where no callback of the caller and no tracer of the environment hears it."""

    def alone() -> T:
        var_child_runnable_config.set(None)
        tracing_v2_callback_var.set(None)
        for variable, *_ in _configure_hooks:  # they would hear it a second time
            variable.set(None)
        with tracing_context(enabled=False):
            return call()

    return copy_context().run(alone)


def as_told(message: Message) -> Message:
    """Return a message without keys, and with what stands for its pictures, sound and video."""
    content = message.content
    told = without_keys(content) if isinstance(content, str) else [*map(_block, content)]
    return message.model_copy(update={"content": told})


def _block(block: Any) -> Any:
    if isinstance(block, str):
        return without_keys(block)
    if "base64" in block:
        return {"type": "text", "text": stand_in(block["type"], base64.b64decode(block["base64"]))}
    text = block.get("text")
    return {**block, "text": without_keys(text)} if isinstance(text, str) else block


def stand_in(kind: str, data: bytes) -> str:
    """Return what stands for a medium: its kind, digest and size."""
    return f"[{kind}, sha256 {hashlib.sha256(data).hexdigest()}, {len(data)} bytes]"
