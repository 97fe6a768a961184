"""One deadline over a whole request: the libraries for HTTP time its single steps alone."""

import threading
import time
from typing import Any

from deixis.base.connections import TimedStream


class _Deadline(threading.local):
    """When the request of this thread has to be over."""

    at = 0.0
    seconds = 0.0
    http: Any = None

    def begin(self, seconds: float, http: Any) -> None:
        self.at, self.seconds, self.http = time.monotonic() + seconds, seconds, http

    def left(self) -> float:
        """Return the seconds that are left, more than 0."""
        left = self.at - time.monotonic()
        if left <= 0:
            raise self.http.ReadTimeout(f"timed out: no whole reply within {self.seconds:g} s")
        return left


DEADLINE = _Deadline()
"""That of the request that this thread makes."""


class Network:
    """The network as httpcore sees it, where no step takes longer than its request may."""

    def __init__(self, network: Any) -> None:
        self._network = network

    def connect_tcp(self, host: str, port: int, timeout: Any = None, **options: Any) -> TimedStream:
        """Connect within what is left of the time."""
        options["timeout"] = DEADLINE.left()
        return TimedStream(self._network.connect_tcp(host, port, **options), DEADLINE.left)

    def sleep(self, seconds: float) -> None:
        """Wait."""
        self._network.sleep(seconds)
