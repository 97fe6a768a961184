"""What an exception out of a provider's SDK means, and whether asking again can help.

Wrappers map most faults of OpenAI and Anthropic to `langchain_core`'s errors; Gemini's and
Ollama's come as they are: with a status code, or as an error of the HTTP client below.
"""

import re
import traceback
from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from langchain_core.exceptions import ModelError
from pydantic import ValidationError

from deixis.base.problems import problem_line
from deixis.base.records import Status
from deixis.errors import ModelCallError
from deixis.llms.servers.redaction import redacted
from deixis.llms.servers.wording import words_of

LONGEST_WAIT = 60.0
"""Seconds of a server's Retry-After that are waited; of a longer one the call has failed."""
MOST_TOKENS = 100_000_000
"""Tokens of one call above which a count is none."""

_RETRIED = {408, 409, 429}  # with all from 500 on: what OpenAI's and Anthropic's SDKs retry
# By name, for an SDK may bring httpx, httpx2 or both.
_HTTP_CLIENTS, _NO_REPLY = {"httpx", "httpx2"}, "TransportError"
_WRAPPERS = re.compile(
    r"(?!langchain_core)langchain_|(?:openai|anthropic|google|ollama|httpx2?|httpcore2?)\b"
)
# The OpenAI SDK raises these instead of returning the reply.
_BY_ERROR_NAME: dict[str, Status] = {
    "LengthFinishReasonError": "truncated",
    "ContentFilterFinishReasonError": "refused",
    "OpenAIRefusalError": "refused",
}


def is_bug(error: Exception) -> bool:
    """Whether an exception is one of this program's own and no fault of a provider."""
    if isinstance(error, (ModelCallError, ValueError, TimeoutError, ConnectionError)):
        return False
    if isinstance(error, (RecursionError, MemoryError)):  # what a hostile reply comes to
        return False
    root = _root(type(error))
    return root == "deixis" or (root == "builtins" and not _in_wrapper(error))


def status_of(error: Exception) -> Status:
    """Return the status of a call that raised: ``failed``, ``truncated`` or ``refused``."""
    return _BY_ERROR_NAME.get(type(error).__name__, "failed")


def tokens_of(error: Exception) -> tuple[int, int]:
    """Return input and output tokens of a reply that the OpenAI SDK raised as an error."""
    usage = getattr(getattr(error, "completion", None), "usage", None)
    names = ("prompt_tokens", "completion_tokens")
    given, written = (tokens(getattr(usage, name, None)) for name in names)
    return given, written


def tokens(count: Any) -> int:
    """Return a number of tokens that a server has counted, 0 for what cannot be one."""
    return count if type(count) is int and 0 <= count <= MOST_TOKENS else 0


def is_transient(error: Exception) -> bool:
    """Whether the same request may succeed later."""
    if _own(error) is not None:
        return False
    if isinstance(error, ModelError) and error.is_retryable:
        return True
    if isinstance(error, (TimeoutError, ConnectionError)) or _silent(error):
        return True
    return passes(status_code(error))


def passes(code: int) -> bool:
    """Whether what a server refuses with this HTTP status it may take later."""
    return code in _RETRIED or code >= 500


def retry_after(error: Exception) -> float | None:
    """Return the seconds to wait that the server asked for, 0 or more, or None.

    They may be more than `LONGEST_WAIT`, or infinite.
    """
    for link in _chain(error):
        headers = getattr(getattr(link, "response", None), "headers", None)
        if headers is not None and (value := headers.get("Retry-After")):
            return _seconds(str(value))
    return None


def one_line(error: Exception) -> str:
    """Return the kind of an exception and the beginning of what it says, without keys."""
    own = _own(error)
    message = " ".join(str(own or error).split())
    if isinstance(error, ValidationError):  # its own words have parts of the reply, cut anywhere
        message = problem_line(error)
    words = "" if own else words_of(error) or _below(error)
    more = "; ".join(clause for clause in words.split("; ") if clause not in message)
    message = redacted(f"{message.rstrip('.')}: {more}" if more else message)[:300]
    if own is not None:
        return message
    return f"{type(error).__name__}: {message}" if message else type(error).__name__


def _below(error: Exception) -> str:
    """Return what the HTTP library said of a request without a reply: SDKs do not pass it on."""
    said = (str(link) for link in _chain(error) if isinstance(link, Exception) and _silent(link))
    return " ".join(next(said, "").split())


def _seconds(value: str) -> float | None:
    try:
        seconds = float(value)
    except ValueError:
        try:
            seconds = (parsedate_to_datetime(value) - datetime.now(UTC)).total_seconds()
        except (ValueError, TypeError, OverflowError):  # TypeError: a date without a time zone
            return None
    return max(0.0, seconds)  # in this order, not-a-number is 0


def status_code(error: Exception) -> int:
    """Return the HTTP status of a fault, 0 if it has none."""
    for link in _chain(error):
        for name in ("status_code", "code"):  # all others; Google
            code = getattr(link, name, None)
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


def _own(error: BaseException) -> ModelCallError | None:
    """Return what this program said of the call, which an SDK may have wrapped."""
    return next((link for link in _chain(error) if isinstance(link, ModelCallError)), None)


def _silent(error: Exception) -> bool:
    return any(
        _root(kind) in _HTTP_CLIENTS and kind.__name__ == _NO_REPLY for kind in type(error).__mro__
    )


def _in_wrapper(error: Exception) -> bool:
    """Whether it came out of a wrapper or an SDK: they choke on replies that are odd."""
    names = [str(at.f_globals.get("__name__")) for at, _ in traceback.walk_tb(error.__traceback__)]
    own = max((place for place, name in enumerate(names) if _is_ours(name)), default=-1)
    after = names[own + 1 :]
    # LangChain's core stands between this program and every model: it counts where it raises.
    return any(map(_WRAPPERS.match, after)) or any(map(_in_core, after[-1:]))


def _in_core(module: str) -> bool:
    return module.partition(".")[0] == "langchain_core"


def _is_ours(module: str) -> bool:
    return module.partition(".")[0] == "deixis"


def _root(kind: type) -> str:
    return kind.__module__.partition(".")[0]
