"""How each provider words what it is asked and what it answers."""

from collections.abc import Callable
from typing import Any, NamedTuple

from deixis.testing import Request, completion

Body = dict[str, Any]


def openai(text: str | None, reason: str = "stop", **message: Any) -> Body:
    usage = {"prompt_tokens": 11, "completion_tokens": 5, "total_tokens": 16}
    return {**completion(text, reason, **message), "usage": usage}


def google(text: str | None, reason: str = "STOP") -> Body:
    """Of the five tokens that are written, two are thoughts."""
    content = {"role": "model", "parts": [{"text": text}]} if text is not None else {}
    counts = {"promptTokenCount": 11, "candidatesTokenCount": 3, "thoughtsTokenCount": 2}
    return {
        "candidates": [{"content": content, "finishReason": reason, "index": 0}],
        "usageMetadata": {**counts, "totalTokenCount": 16},
        "modelVersion": "some-model",
    }


def anthropic(text: str | None, reason: str | None = "end_turn") -> Body:
    return {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "some-model",
        "content": [{"type": "text", "text": text}] if text is not None else [],
        "stop_reason": reason,
        "stop_sequence": None,
        "usage": {"input_tokens": 11, "output_tokens": 5},
    }


def ollama(text: str | None, reason: str = "stop") -> Body:
    return {
        "model": "some-model",
        "created_at": "2026-01-01T00:00:00Z",
        "message": {"role": "assistant", "content": text or ""},
        "done": True,
        "done_reason": reason,
        "prompt_eval_count": 11,
        "eval_count": 5,
    }


class Protocol(NamedTuple):
    """One provider.

    ``says`` is the body of an answer: of a text or None, and the reason for which it ended.
    Places are the keys that lead to something in the body of a request; ``forms`` are all that
    would hold a reply to JSON. ``left_out`` are keywords that the schema may not have.
    ``refusals`` are bodies of answers that decline, and in which words. ``no_answers`` are bodies
    that are none. ``error`` is how the body of a fault says something.
    """

    name: str
    path: str
    says: Callable[..., Body]
    error: Callable[[str], Any]
    limit: tuple[str, ...]
    temperature: tuple[str, ...]
    schema: tuple[str, ...]
    forms: tuple[tuple[str, ...], ...]
    left_out: set[str]
    turns: tuple[str, ...]
    roles: tuple[str, ...]
    cuts: tuple[str, ...]
    refusals: tuple[tuple[Body, str], ...]
    no_answers: tuple[str, ...]
    unreachable: str = "Connect"

    def spec(self, url: str, options: str = "") -> str:
        """Return the spec of a model behind a server."""
        return f"{self.name}:some-model?base_url={url}{self.path}{options}"

    def roles_in(self, request: Request) -> list[str]:
        """Return whose the turns of a request are; ``roles`` are those after a repair."""
        return [turn["role"] for turn in at(request.body, self.turns)]


def at(body: Any, place: tuple[str, ...]) -> Any:
    """Return what stands at a place, None if nothing does."""
    for key in place:
        body = body.get(key) if isinstance(body, dict) else None
    return body


_CONFIG = "generationConfig"
_GEMINI_REFUSES = ("SAFETY", "RECITATION", "LANGUAGE", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII")
_NEVER = ("", "null", "[1]", "<html>")

PROTOCOLS = (
    Protocol(
        "openai",
        "/v1",
        openai,
        lambda words: {"error": {"message": words, "type": "x", "code": None}},
        limit=("max_completion_tokens",),
        temperature=("temperature",),
        schema=("response_format", "json_schema", "schema"),
        forms=(("response_format",),),
        left_out={"maxLength", "minLength", "pattern", "title", "default"},
        turns=("messages",),
        roles=("system", "user", "assistant", "user"),
        cuts=("length",),
        refusals=(
            (openai(None, refusal="I cannot describe people"), "I cannot describe people"),
            (openai(None, "content_filter"), "content_filter"),
            (openai("half a", "content_filter"), "content_filter"),
        ),
        no_answers=(
            *_NEVER,
            "{}",
            '{"choices": null}',
            '{"choices": []}',
            '{"choices": [{"message": null}]}',
            '{"error": {"message": "overloaded"}}',
        ),
    ),
    Protocol(
        "google_genai",
        "",
        google,
        lambda words: {"error": {"code": 400, "message": words, "status": "SOME_STATUS"}},
        limit=(_CONFIG, "maxOutputTokens"),
        temperature=(_CONFIG, "temperature"),
        schema=(_CONFIG, "responseJsonSchema"),
        forms=((_CONFIG, "responseMimeType"), (_CONFIG, "responseJsonSchema")),
        left_out={"pattern", "minLength", "maxLength", "const"},
        turns=("contents",),
        roles=("user", "model", "user"),
        cuts=("MAX_TOKENS",),
        refusals=tuple(
            (google(text, reason), reason)
            for reason in _GEMINI_REFUSES
            for text in (None, "half a")
        ),
        no_answers=(*_NEVER, '{"candidates": 5}'),
    ),
    Protocol(
        "anthropic",
        "",
        anthropic,
        lambda words: {"type": "error", "error": {"type": "some_error", "message": words}},
        limit=("max_tokens",),
        temperature=("temperature",),
        schema=("output_config", "format", "schema"),
        forms=(("output_config",),),
        left_out={"pattern", "minLength", "maxLength", "maxItems"},
        turns=("messages",),
        roles=("user", "assistant", "user"),
        cuts=("max_tokens", "model_context_window_exceeded"),
        refusals=tuple(
            (anthropic(text, "refusal"), "refusal") for text in (None, "I would rather not")
        ),
        no_answers=(*_NEVER, "{}", '{"content": null}', '{"content": [5]}'),
    ),
    Protocol(
        "ollama",
        "",
        ollama,
        lambda words: {"error": words},
        limit=("options", "num_predict"),
        temperature=("options", "temperature"),
        schema=("format",),
        forms=(("format",),),
        left_out={"pattern", "$ref", "$defs"},
        turns=("messages",),
        roles=("system", "user", "assistant", "user"),
        cuts=("length",),
        refusals=(),  # it has none of its own: a model that declines says so in words
        no_answers=(*_NEVER, "{}", '{"message": null}', '{"message": {}}'),
        unreachable="Failed to connect to Ollama",
    ),
)
PROVIDERS = tuple(protocol.name for protocol in PROTOCOLS)
ANSWERS = {protocol.name: protocol.says("blue") for protocol in PROTOCOLS}
