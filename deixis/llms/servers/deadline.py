"""One deadline over a whole request: the libraries for HTTP time its single steps alone."""

import threading
import time
from typing import Any

_PIECE = 16_384  # bytes sent at once, so that no piece alone can take long


class _Deadline(threading.local):
    """When the request of this thread has to be over; the libraries time single steps alone."""

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

    def connect_tcp(self, host: str, port: int, timeout: Any = None, **options: Any) -> "_Stream":
        """Connect within what is left of the time."""
        options["timeout"] = DEADLINE.left()
        return _Stream(self._network.connect_tcp(host, port, **options))

    def sleep(self, seconds: float) -> None:
        """Wait."""
        self._network.sleep(seconds)


class _Stream:
    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def read(self, max_bytes: int, timeout: Any = None) -> bytes:
        got: bytes = self._stream.read(max_bytes, DEADLINE.left())
        return got

    def write(self, buffer: bytes, timeout: Any = None) -> None:
        for start in range(0, len(buffer), _PIECE):
            self._stream.write(buffer[start : start + _PIECE], DEADLINE.left())

    def start_tls(self, ssl_context: Any, server_hostname: Any = None, timeout: Any = None) -> Any:
        return _Stream(self._stream.start_tls(ssl_context, server_hostname, DEADLINE.left()))

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)

    def close(self) -> None:
        self._stream.close()
