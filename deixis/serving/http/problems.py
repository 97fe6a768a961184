"""What goes wrong, as problem details (RFC 9457): what, where, what to do, and no more."""

from typing import Any, NamedTuple

from pydantic import ValidationError
from starlette.responses import JSONResponse

from deixis.base.printable import one_line
from deixis.base.problems import first_problem
from deixis.errors import (
    CacheMissError,
    DeixisError,
    MissingExtraError,
    MissingKeyError,
    ModelFileError,
)
from deixis.serving.clients import for_clients
from deixis.serving.jobs import BusyError, ClosingError, OutOfTimeError, StoppedError

_LONGEST = 500
_OF_THE_SERVER = (MissingExtraError, MissingKeyError, ModelFileError, CacheMissError)
"""What its clients cannot mend."""


class Problem(Exception):
    """A request that is not answered as it wished.

    Args:
        status: of HTTP.
        title: what kind of problem it is.
        detail: what is wrong, and what to do.
        headers: of the answer.
    """

    def __init__(
        self, status: int, title: str, detail: str, headers: dict[str, str] | None = None
    ) -> None:
        super().__init__(detail)
        self.status, self.title = status, title
        self.detail = one_line(detail, _LONGEST)
        self.headers = headers or {}

    def document(self, request_id: str) -> dict[str, Any]:
        """Return it as JSON-ready data."""
        return {
            "type": "about:blank",
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
            "request_id": request_id,
        }

    def response(self, request_id: str) -> JSONResponse:
        """Return it as an answer."""
        document = self.document(request_id)
        return JSONResponse(
            document, self.status, self.headers, media_type="application/problem+json"
        )


class _Kind(NamedTuple):
    status: int
    title: str


_KINDS: dict[type[Exception], _Kind] = {
    ClosingError: _Kind(503, "The server is about to end"),
    OutOfTimeError: _Kind(504, "Out of time"),
    StoppedError: _Kind(503, "Stopped"),
    DeixisError: _Kind(422, "Cannot be used"),
}


KNOWN: tuple[type[Exception], ...] = (
    *(Problem, BusyError, ValidationError),
    *(ClosingError, OutOfTimeError, StoppedError, DeixisError),
)
"""What `problem_of` words."""


def a_bug() -> Problem:
    """Return what is said of our own faults."""
    return Problem(
        500, "A bug", "a bug in Deixis; please report it with what the server's log says"
    )


def problem_of(error: BaseException) -> Problem | None:
    """Return what a client is told of an error; None of one that is our fault."""
    if isinstance(error, Problem):
        return error
    if isinstance(error, BusyError):
        return Problem(429, "Busy", str(error), {"Retry-After": str(error.retry_after)})
    if isinstance(error, ValidationError):
        place, what = first_problem(error)
        return Problem(422, "Cannot be used", f"{place}: {what}" if place else what)
    if isinstance(error, _OF_THE_SERVER):
        lack = "what this stack needs is not set up on the server; choose another one, or tell "
        return Problem(503, "Not set up", f"{lack}those who run it (deixis doctor says more)")
    for kind, (status, title) in _KINDS.items():
        if isinstance(error, kind):
            return Problem(status, title, for_clients(error))
    return None
