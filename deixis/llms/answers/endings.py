"""How a reply ended: whole, cut off, refused, malformed, empty or thought away."""

from typing import Any

from langchain_core.messages import AIMessage

from deixis.base.records import Status
from deixis.llms.answers.reading import parts

# Finish reasons in small letters: of OpenAI, Anthropic, Gemini, Ollama, and of servers that speak
# OpenAI's protocol. One that is not here ends a reply that is judged by what it says.
_BY_REASON: dict[str, Status] = {
    "length": "truncated",  # OpenAI, Ollama
    "max_tokens": "truncated",  # Anthropic, Gemini
    "max_output_tokens": "truncated",
    "model_context_window_exceeded": "truncated",  # Anthropic
    "pause_turn": "truncated",
    "continuation": "truncated",  # Gemini
    "model_length": "truncated",  # Mistral
    "insufficient_system_resource": "truncated",  # DeepSeek
    "abort": "truncated",  # vLLM, SGLang
    "error": "truncated",  # Mistral, OpenRouter: it broke off
    "error_limit": "truncated",  # Cohere
    "network_error": "truncated",  # Zhipu
    "content_filter": "refused",  # OpenAI
    "refusal": "refused",  # Anthropic
    "error_toxic": "refused",  # Cohere
    "sensitive": "refused",  # Zhipu
    # Gemini, all that follow
    "safety": "refused",
    "image_safety": "refused",
    "recitation": "refused",
    "language": "refused",
    "blocklist": "refused",
    "prohibited_content": "refused",
    "spii": "refused",
    "malformed_function_call": "invalid",
    "unexpected_tool_call": "invalid",
    "too_many_tool_calls": "invalid",
}
_BROKEN = {"insufficient_system_resource", "abort", "error", "network_error", "pause_turn"}
# Their protocols give a reason with every reply that is whole; wrappers of others may not.
_ALWAYS_SAY = {"openai", "google_genai", "anthropic", "ollama"}
_THOUGHTS = ("reasoning_content", "reasoning", "thinking")  # where servers put them
_SHOWN = 80  # characters of thoughts
_MORE = "raise its token limit (options.max_tokens), or switch its thinking off"


def finish_reason(message: AIMessage) -> str:
    """Return why a reply ended, in the provider's word; "" if it does not say."""
    meta = message.response_metadata
    named = (meta.get(key) for key in ("finish_reason", "stop_reason", "done_reason"))
    # OpenAI's second interface, which its wrapper takes for some models.
    details = meta.get("incomplete_details")
    incomplete = details.get("reason") if isinstance(details, dict) else None
    return str(next(filter(None, named), None) or incomplete or "")


def judge(message: AIMessage, provider: str, *, free: bool) -> tuple[Status, str]:
    """Tell a usable reply from a truncated, refused, malformed or empty one.

    Args:
        message: what came.
        provider: the name under which it is registered.
        free: any text will do, so nothing in it tells whether it is whole.

    Returns:
        The status, ``ok`` for a usable one, and what is wrong.
    """
    reason = finish_reason(message)
    status = _BY_REASON.get(reason.lower(), "ok")
    if refusal := _refusal(message) or (status == "refused" and reason):
        return "refused", f"the model declined ({' '.join(str(refusal).split())[:300]})"
    reply = parts(message.text)
    thoughts = " ".join((reply.thoughts or _thoughts(message)).split())[:_SHOWN]
    if status == "truncated":
        limit = f"(finish reason {reason})" if reason.lower() in _BROKEN else "at its token limit"
        limit += ", while the model still thought" if thoughts and not reply.answer else ""
        return "truncated", f"the reply was cut off {limit}"
    reason = reason or "none given"
    if status == "invalid":
        return "invalid", f"the reply is no text (finish reason {reason})"
    if reply.unfinished and (free or not reply.answer):
        return "truncated", f"the model did not end its thoughts ({thoughts!r}); {_MORE}"
    if not reply.answer:
        return "empty", _nothing(message, thoughts, reason)
    if free and provider in _ALWAYS_SAY and not _whole(message):
        return "truncated", "the reply has no finish reason, so it may have been cut off"
    return "ok", ""


def _refusal(message: AIMessage) -> Any:
    # Gemini answers a prompt that it blocks with no candidate, so without a finish reason.
    feedback = message.response_metadata.get("prompt_feedback")
    blocked = feedback.get("block_reason") if isinstance(feedback, dict) else feedback
    refusal = message.additional_kwargs.get("refusal") or getattr(blocked, "name", blocked)
    for block in message.content if isinstance(message.content, list) else []:
        if isinstance(block, dict) and block.get("type") == "refusal":
            refusal = block.get("refusal") or "refusal"
    return refusal


def _thoughts(message: AIMessage) -> str:
    """Return what the model thought, as far as it stands beside the text."""
    blocks = message.content if isinstance(message.content, list) else []
    beside = [message.additional_kwargs, *(block for block in blocks if isinstance(block, dict))]
    thoughts = (holder.get(name) for holder in beside for name in _THOUGHTS)
    return " ".join(thought for thought in thoughts if isinstance(thought, str))


def _nothing(message: AIMessage, thoughts: str, reason: str) -> str:
    if thoughts:
        return f"the model only thought ({thoughts!r}); {_MORE}"
    usage: Any = message.usage_metadata or {}
    if (written := usage.get("output_tokens", 0)) and not message.tool_calls:
        why = f"finish reason {reason}, {written} tokens written"
        return f"the reply is empty ({why}); if the model thinks: {_MORE}"
    return f"the reply is empty (finish reason {reason})"


def _whole(message: AIMessage) -> bool:
    """Whether a reply says in any way that it is whole."""
    meta = message.response_metadata
    ended = meta.get("status") == "completed" or meta.get("done") is True  # OpenAI; old Ollama
    return ended or finish_reason(message).lower() not in {"", "finish_reason_unspecified"}
