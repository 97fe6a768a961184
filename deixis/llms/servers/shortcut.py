"""Asking as an SDK does, without it, once it has shown how.

Where a request goes and all its headers are the same each time; only its body differs. An SDK puts
them together anew, and reads the reply with care, in ten times the time that sending takes. Plain
success needs neither. What else comes, an error or no reply at all, is given to the SDK as what
came of a request that it makes then, so that it says of it what it always says.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from deixis.llms.servers.replies import Came
from deixis.llms.servers.wire import Sent

Outcome = Came | Exception


class Shortcut:
    """Past the SDK of one client; may be shared by threads.

    Args:
        exchange: sends a request with a body, and returns the reply; given the HTTP library too.
    """

    def __init__(self, exchange: Callable[[Sent, bytes, Any], Came]) -> None:
        self._exchange = exchange
        self._shown: dict[str, tuple[Sent, Any]] = {}
        self._left = threading.local()

    def show(self, sent: Sent, http: Any, came: Came) -> None:
        """Keep how a request was made, if it had success."""
        if sent.method == "POST" and came.status == 200:
            self._shown[sent.path.rpartition("/")[2]] = sent, http

    def knows(self, end: str) -> bool:
        """Say whether it was shown how to ask where the path of the URL ends so."""
        return end in self._shown

    def ask(self, end: str, body: bytes) -> Outcome:
        """Ask where the path of the URL ends so; return what came of it."""
        sent, http = self._shown[end]
        try:
            came = self._exchange(sent, body, http)
        except Exception as error:
            return error
        if came.status != 200:  # a key may have been changed: the SDK knows
            self._shown.pop(end, None)
        return came

    @contextmanager
    def left(self, outcome: Outcome) -> Iterator[None]:
        """Give what came to the SDK, for the request that this thread makes in the block."""
        self._left.outcome = outcome
        try:
            yield
        finally:
            self._left.outcome = None

    def taken(self) -> Came | None:
        """Return what was left for this thread, once; None for nothing.

        Raises:
            Exception: what was raised instead.
        """
        outcome: Outcome | None = getattr(self._left, "outcome", None)
        self._left.outcome = None
        if isinstance(outcome, Exception):
            raise outcome
        return outcome
