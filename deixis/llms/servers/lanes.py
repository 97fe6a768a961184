"""Connections to a server, one for each request that is on its way.

The pool of httpcore looks through all its connections at each request, and through all of them
again for each that is idle: with a thousand that takes longer than all else that a request does.
Here each request has a transport of its own, with one connection, and leaves it to the next.
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

MOST = 1000
"""Connections at once; whoever comes then waits for one."""
_KEPT = 5.0  # seconds that a connection is kept for the next request, as httpcore does


class Lanes:
    """Transports of an HTTP library, of one connection each; may be shared by threads.

    Args:
        make: makes one.
    """

    def __init__(self, make: Callable[[], Any]) -> None:
        self._make = make
        self._places = threading.BoundedSemaphore(MOST)
        self._guard = threading.Lock()
        self._free: deque[tuple[float, Any]] = deque()  # since when, the latest at the right

    @contextmanager
    def lane(self, seconds: float, http: Any) -> Iterator[Any]:
        """Have a transport for one request, until its reply is read.

        Args:
            seconds: to wait for one.
            http: the library, for its error when there is none in time.
        """
        if not self._places.acquire(timeout=seconds):
            raise http.PoolTimeout(f"timed out: {MOST} requests are on their way for {seconds:g} s")
        try:
            lane = self._take() or self._make()
            try:
                yield lane
            finally:
                with self._guard:
                    self._free.append((time.monotonic(), lane))
        finally:
            self._places.release()

    def _take(self) -> Any:
        """Return the transport that was used last, None if none is free; close old ones."""
        before, old = time.monotonic() - _KEPT, []
        with self._guard:
            while self._free and self._free[0][0] < before:
                old.append(self._free.popleft()[1])
            lane = self._free.pop()[1] if self._free else None
        for each in old:
            each.close()
        return lane

    def close(self) -> None:
        """Close what is free."""
        with self._guard:
            free, self._free = self._free, deque()
        for _, lane in free:
            lane.close()
