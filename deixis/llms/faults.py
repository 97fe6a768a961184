"""What an exception out of a provider's SDK means, and whether asking again can help.

Wrappers map most faults of OpenAI and Anthropic to `langchain_core`'s errors; Gemini's and
Ollama's come as they are: with a status code, or as an error of the HTTP client below.
"""

import traceback
from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from langchain_core.exceptions import ModelError

from deixis.errors import ModelCallError

LONGEST_WAIT = 60.0
"""Seconds that a server's Retry-After is followed; a longer one is not waited out."""

_RETRIED = {408, 409, 429}  # with all from 500 on: what OpenAI's and Anthropic's SDKs retry
# By name, for an SDK may bring httpx, httpx2 or both.
_HTTP_CLIENTS, _NO_REPLY = {"httpx", "httpx2"}, "TransportError"
_WRAPPERS = ("langchain_", "openai.", "anthropic.", "google.", "ollama.")
# The OpenAI SDK raises these instead of returning the reply.
_BY_ERROR_NAME = {
    "LengthFinishReasonError": "truncated",
    "ContentFilterFinishReasonError": "refused",
    "OpenAIRefusalError": "refused",
}


def is_bug(error: Exception) -> bool:
    """Whether an exception is one of this program's own and no fault of a provider."""
    if isinstance(error, (ModelCallError, ValueError, TimeoutError, ConnectionError)):
        return False
    root = _root(type(error))
    return root == "deixis" or (root == "builtins" and not _in_wrapper(error))


def status_of(error: Exception) -> str:
    """Return the status of a call that raised: ``failed``, ``truncated`` or ``refused``."""
    return _BY_ERROR_NAME.get(type(error).__name__, "failed")


def tokens_of(error: Exception) -> tuple[int, int]:
    """Return input and output tokens of a reply that the OpenAI SDK raised as an error."""
    usage = getattr(getattr(error, "completion", None), "usage", None)
    return getattr(usage, "prompt_tokens", 0), getattr(usage, "completion_tokens", 0)


def is_transient(error: Exception) -> bool:
    """Whether the same request may succeed later."""
    if isinstance(error, ModelError) and error.is_retryable:
        return True
    if isinstance(error, (TimeoutError, ConnectionError)) or _without_reply(error):
        return True
    code = _status_code(error)
    return code in _RETRIED or code >= 500


def retry_after(error: Exception) -> float | None:
    """Return the seconds to wait that the server asked for (0 to `LONGEST_WAIT`), or None."""
    for each in _chain(error):
        headers = getattr(getattr(each, "response", None), "headers", None)
        if headers is not None and (value := headers.get("Retry-After")):
            return _seconds(str(value))
    return None


def one_line(error: Exception) -> str:
    """Return the kind of an exception and the beginning of what it says."""
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text[:300]}" if text else type(error).__name__


def _seconds(value: str) -> float | None:
    try:
        seconds = float(value)
    except ValueError:
        try:
            seconds = (parsedate_to_datetime(value) - datetime.now(UTC)).total_seconds()
        except (ValueError, TypeError):  # TypeError: a date without a time zone
            return None
    return min(max(0.0, seconds), LONGEST_WAIT)  # in this order, not-a-number is 0


def _status_code(error: Exception) -> int:
    """Return the HTTP status of a fault, 0 if it has none."""
    for each in _chain(error):
        for name in ("status_code", "code"):  # all others; Google
            code = getattr(each, name, None)
            if isinstance(code, int):
                return code
    return 0


def _chain(error: BaseException) -> Iterator[BaseException]:
    """Yield an exception and those it was made of; Ollama hides the one with the response."""
    at: BaseException | None = error
    seen: set[int] = set()
    while at is not None and id(at) not in seen:
        seen.add(id(at))
        yield at
        at = at.__cause__ or at.__context__


def _without_reply(error: Exception) -> bool:
    return any(
        _root(kind) in _HTTP_CLIENTS and kind.__name__ == _NO_REPLY for kind in type(error).__mro__
    )


def _in_wrapper(error: Exception) -> bool:
    """Whether a wrapper or an SDK raised the error: they choke on a reply without its parts."""
    *_, (frame, _line) = traceback.walk_tb(error.__traceback__)
    return str(frame.f_globals.get("__name__")).startswith(_WRAPPERS)


def _root(kind: type) -> str:
    return kind.__module__.partition(".")[0]
