"""How much may be asked at once, in a minute, and in all.

Limits are those of a provider and hold for this process: all graphs and all threads that ask
it wait at one limiter. A budget is that of one graph, for everything it is invoked with.
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from contextvars import ContextVar
from functools import lru_cache

from deixis.base.forks import Lock, in_child
from deixis.settings import Budget, Limit

MINUTE = 60.0
CHARACTERS_PER_TOKEN = 4  # what a token of English has, about
_MOST_PER_TOKEN = 20  # characters that tokens of a whole text have at most, in any vocabulary
_LOOK = 1.0  # seconds after which one who waits looks again: what was corrected makes room


def estimated(characters: int, media: int) -> int:
    """Return about how many tokens a prompt has; `media` are those of what it shows."""
    return characters // CHARACTERS_PER_TOKEN + media


def charged(counted: tuple[int, int], characters: tuple[int, int], media: int) -> int:
    """Return the tokens of an answered call that count: those the server has counted.

    Where its count is less than any tokenizer could come to, they are estimated instead.

    Args:
        counted: tokens of prompt and reply; 0 is none given.
        characters: of prompt and reply.
        media: tokens, about, of the pictures, the sound and the video of the prompt.
    """
    given, written = (
        estimated(long, more) if tokens <= 0 or tokens < long // _MOST_PER_TOKEN else tokens
        for tokens, long, more in zip(counted, characters, (media, 0), strict=True)
    )
    return given + written


class Limiter:
    """Lets requests to one provider through as its limits allow.

    In no 60 seconds do more requests or tokens begin than a minute may have. Tokens are
    estimated before a request and corrected after it; one that alone is larger than a
    minute's tokens is let through when nothing else was in the minute before.
    """

    def __init__(self, limit: Limit) -> None:
        self._concurrency = limit.concurrency
        self._free_slots()
        in_child(self, Limiter._free_slots)
        self._most = (limit.requests_per_minute, limit.tokens_per_minute)
        self._guard = Lock()
        self._line = Lock()
        self._begun: deque[list[float]] = deque()  # time, tokens
        self._tokens = 0.0
        self._not_before = 0.0

    def _free_slots(self) -> None:
        most = self._concurrency
        self._slots = threading.BoundedSemaphore(most) if most else None

    @contextmanager
    def turn(self, tokens: int) -> Iterator[list[float]]:
        """Wait until a request of about `tokens` may begin; it ends with the block.

        Yields:
            The entry to give to `correct` when the tokens are known.
        """
        with self._slots or nullcontext():
            if any(self._most):
                with self._line:  # or small requests would for ever overtake a large one
                    entry = self._begin(tokens)
            else:  # nothing to count: a thousand threads need not stand in line
                entry = self._unlimited(tokens)
            yield entry

    def correct(self, entry: list[float], tokens: int) -> None:
        """Count what a request really took in place of what was estimated."""
        if not any(self._most):
            return
        with self._guard:
            if self._begun and entry[0] >= self._begun[0][0]:  # else it has left the minute
                self._tokens += tokens - entry[1]
                entry[1] = float(tokens)

    def forget(self, entry: list[float]) -> None:
        """Count a request no more that was not made after all."""
        if not any(self._most):
            return
        with self._guard:
            if any(begun is entry for begun in self._begun):
                self._begun = deque(begun for begun in self._begun if begun is not entry)
                self._tokens -= entry[1]

    def pause(self, seconds: float) -> None:
        """Begin nothing for so long: the provider has asked for a pause."""
        with self._guard:
            self._not_before = max(self._not_before, time.monotonic() + seconds)

    def _unlimited(self, tokens: int) -> list[float]:
        while (wait := self._not_before - (now := time.monotonic())) > 0:
            time.sleep(min(wait, _LOOK))
        return [now, float(tokens)]

    def _begin(self, tokens: int) -> list[float]:
        while True:
            with self._guard:
                now = time.monotonic()
                wait = self._wait(now, tokens)
                if wait <= 0:
                    entry = [now, float(tokens)]
                    self._begun.append(entry)
                    self._tokens += tokens
                    return entry
            time.sleep(min(wait, _LOOK))

    def _wait(self, now: float, tokens: int) -> float:
        """Return the seconds until a request may begin, 0 or less for at once."""
        while self._begun and self._begun[0][0] <= now - MINUTE:
            self._tokens -= self._begun.popleft()[1]
        most_requests, most_tokens = self._most
        wait = self._not_before - now
        full = most_requests is not None and len(self._begun) >= most_requests
        heavy = most_tokens is not None and self._begun and self._tokens + tokens > most_tokens
        if full or heavy:
            wait = max(wait, self._begun[0][0] + MINUTE - now)
        return wait


_making = Lock()  # a cache alone gives each of two who come first its own limiter


@lru_cache(maxsize=256)
def _made(name: str, limit: Limit) -> Limiter:
    return Limiter(limit)


def limiter_of(name: str, limit: Limit) -> Limiter:
    """Return the limiter of a provider: the same for all who ask with the same limits."""
    with _making:
        return _made(name, limit)


_RUN: ContextVar["Spending | None"] = ContextVar("run", default=None)


@contextmanager
def spent_by(run: "Spending") -> Iterator[None]:
    """Count what graphs ask within a block against a budget of this run as well.

    LangGraph hands the context on to the threads of its nodes.
    """
    token = _RUN.set(run)
    try:
        yield
    finally:
        _RUN.reset(token)


class Spending:
    """What one graph has asked so far, against its budget; or one run of it, see `spent_by`.

    A request that is begun is finished, so the tokens of those in flight may pass the budget;
    the calls never do.

    Args:
        budget: the most that may be asked.
        ended: says why nothing more is to be asked at all; "" as long as something is.
    """

    def __init__(self, budget: Budget, ended: Callable[[], str] = str) -> None:
        self._budget = budget
        self._ended = ended
        self._guard = Lock()
        self._calls = 0
        self._tokens = 0

    def begin(self) -> str:
        """Count one call; return why it may not be made, "" if it may."""
        run = self._of_run()
        if run and (reason := run.begin()):
            return reason
        with self._guard:
            reason = self._reason()
            self._calls += not reason
        return reason

    def used_up(self) -> str:
        """Return why no call may be made any more, "" if one may."""
        run = self._of_run()
        if run and (reason := run.used_up()):
            return reason
        with self._guard:
            return self._reason()

    def add(self, tokens: int) -> None:
        """Count the tokens of a call; what is counted is never taken back."""
        if run := self._of_run():
            run.add(tokens)
        with self._guard:
            self._tokens += max(0, tokens)

    def left(self) -> Budget:
        """Return what may still be asked."""
        calls, tokens = self._budget.calls, self._budget.tokens
        with self._guard:
            return Budget(
                calls=None if calls is None else max(0, calls - self._calls),
                tokens=None if tokens is None else max(0, tokens - self._tokens),
            )

    def _of_run(self) -> "Spending | None":
        run = _RUN.get()
        return None if run is self else run

    def _reason(self) -> str:
        if ended := self._ended():
            return ended
        calls, tokens = self._budget.calls, self._budget.tokens
        if calls is not None and self._calls >= calls:
            return f"the budget of {calls} calls is used up"
        if tokens is not None and self._tokens >= tokens:
            return f"the budget of {tokens} tokens is used up"
        return ""
