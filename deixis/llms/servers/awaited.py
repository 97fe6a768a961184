"""Requests that a provider's batch answers later: what the transport asks before it sends one."""

from contextvars import ContextVar
from typing import NamedTuple, Protocol


class Awaited(BaseException):
    """The answer to a request is not there yet; whoever asked is run again when it is.

    No SDK, no agent and no graph may take it for an error of its own: like
    `asyncio.CancelledError` it is no `Exception`.
    """


class Asked(NamedTuple):
    """A request as an SDK sends it: path of the URL, betas that its headers name, and body."""

    path: str
    betas: str
    body: bytes


class Kept(NamedTuple):
    """An answer that has come: the HTTP status, and the body."""

    status: int
    body: bytes


class Slip(Protocol):
    """What stands between a model and its server while one question is asked."""

    def reply(self, asked: Asked) -> Kept | None:
        """Return the answer that has come; None if the server is to be asked now.

        Raises:
            Awaited: it is still to come.
            ModelCallError: none will come.
        """


SLIP: ContextVar[Slip | None] = ContextVar("slip", default=None)
"""That of the question that is being asked; None is for what is asked at once."""
