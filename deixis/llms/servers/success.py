"""Replies that come with success and are none: pages, pieces of a stream, errors."""

import json
from typing import Any

from deixis.errors import ModelCallError
from deixis.llms.servers.redaction import redacted
from deixis.llms.servers.wording import words_in

_ANSWERS = ("choices", "output", "content", "candidates", "promptFeedback", "usageMetadata")
_TRANSCRIPTIONS = "/audio/transcriptions"
_OF_OPENAI = ("/chat/completions", "/responses")
_SHOWN = 60  # characters of what is no completion


def success(body: bytes, path: str) -> int:
    """Return the status that an error sent with success should have had, 0 for an answer.

    Args:
        body: of the reply.
        path: what was asked for.

    Raises:
        ModelCallError: it is neither.
    """
    try:
        reply = json.loads(body)
    except (ValueError, RecursionError):
        reply = None
    if isinstance(reply, dict):
        if words_in(error := reply.get("error")):
            return status_in(error) or 400
        if any(reply.get(name) is not None for name in _ANSWERS):
            return 0
        if isinstance(reply.get("message"), dict):  # Ollama's
            return 0
        if path.endswith(_TRANSCRIPTIONS) and isinstance(reply.get("text"), str):
            return 0
        if not reply and path.endswith(":generateContent"):  # Gemini leaves out what is empty
            return 0
    raise no_completion(body.decode("utf-8", "replace"), path.endswith(_OF_OPENAI))


def status_in(error: Any) -> int:
    """Return the HTTP status that an error names, 0 for none."""
    code = error.get("code") if isinstance(error, dict) else None
    number = str(code) if isinstance(code, str | int) else ""
    return int(number) if number.isdecimal() and 400 <= int(number[:9]) < 600 else 0


def no_completion(text: str, openai: bool = True) -> ModelCallError:
    """Return the error that says how what a server answers begins."""
    begins = redacted(" ".join(text[: 100 * _SHOWN].split()))[:_SHOWN]
    body = f"it begins with {begins!r}" if begins else "it is empty"
    advice = "check base_url" + openai * " (it usually ends in /v1)"
    return ModelCallError("failed", f"the server's answer is no chat completion: {body}; {advice}")
