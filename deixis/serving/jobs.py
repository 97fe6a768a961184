"""One order that was taken on: what happens to it, how long it may take, and who stops it."""

import asyncio
import math
import time
from collections.abc import AsyncIterator
from concurrent.futures import Future
from contextlib import aclosing, suppress
from typing import Any, Literal, NamedTuple, cast

from deixis.base.allowances import Budget
from deixis.llms.limits import Spending
from deixis.serving.orders import Order


class Limits(NamedTuple):
    """What a server takes on.

    ``concurrency`` orders run at once, ``queue`` more may wait. One may take ``seconds`` in all,
    and ask language models as ``budget`` says; at the end running ones have ``grace`` seconds.
    """

    concurrency: int = 4
    queue: int = 32
    seconds: float = 300.0
    budget: Budget = Budget()
    grace: float = 20.0


class BusyError(Exception):
    """The queue is full; ``retry_after`` is in how many seconds it may have room."""

    def __init__(self, retry_after: int) -> None:
        self.retry_after = retry_after
        super().__init__(f"the server has as much to do as it takes; ask again in {retry_after} s")


class ClosingError(Exception):
    """The server is about to end, and takes nothing on."""

    def __init__(self) -> None:
        super().__init__("the server is about to end; ask again when it is back")


class OutOfTimeError(Exception):
    """An order was not done in its time."""


class StoppedError(Exception):
    """An order was stopped."""


class Event(NamedTuple):
    """What happens to a job, as plain data.

    ``start``: its ``id`` and the ``nodes`` of its graph; ``node``: a node, as the graph tells of
    it; ``result``: the fields of an extraction, the last event.
    """

    name: Literal["start", "node", "result"]
    data: dict[str, Any]


class Job:
    """One order that was taken on.

    Attributes:
        id: as it is called in logs.
        order: what is wanted.
        why: why it was stopped; "" as long as it was not.
        is_late: whether that is because its time was over.
    """

    def __init__(self, order: Order, id_: str, limits: Limits) -> None:
        self.id = id_
        self.order = order
        self.why = ""
        self.is_late = False
        self.seconds = min(order.seconds or math.inf, limits.seconds)
        budget = Budget(
            calls=_least(order.calls, limits.budget.calls),
            tokens=_least(order.tokens, limits.budget.tokens),
        )
        self.spending = Spending(budget, lambda: self.why)
        self.begun = time.monotonic()
        self.future: Future[None] | None = None
        self._loop = asyncio.get_running_loop()
        self._events: asyncio.Queue[Event | BaseException] = asyncio.Queue()

    def stop(self, why: str) -> None:
        """Let its graph end after the nodes that run now, and ask no language model any more."""
        self.why = self.why or why
        if self.future is not None:
            self.future.cancel()  # if it waits for its turn

    def tell(self, event: Event | BaseException) -> None:
        """Hand on what happens, from any thread; an exception is the last."""
        with suppress(RuntimeError):  # the loop has ended, and nobody waits
            self._loop.call_soon_threadsafe(self._events.put_nowait, event)

    async def events(self) -> AsyncIterator[Event]:
        """Yield what happens; whoever leaves off stops the job.

        Raises:
            DeixisError: as for `invoke`.
            OutOfTimeError: its time is over.
            StoppedError: it was stopped.
        """
        try:
            while True:
                left = self.begun + self.seconds - time.monotonic()
                try:
                    event = await asyncio.wait_for(self._events.get(), max(left, 0.0))
                except TimeoutError:
                    self.is_late = not self.why
                    self.stop(f"the time limit of {self.seconds:g} s is over")
                    raise OutOfTimeError(
                        f"not done in {self.seconds:g} s; give less, or allow more time"
                    ) from None
                if isinstance(event, BaseException):
                    raise event
                yield event
                if event.name == "result":
                    return
        finally:
            self.stop("nobody waits for it any more")

    async def result(self) -> dict[str, Any]:
        """Return the fields of the extraction; raises as `events` does."""
        async with aclosing(cast("Any", self.events())) as events:
            async for event in events:
                if event.name == "result":
                    return cast("dict[str, Any]", event.data)
        raise StoppedError(self.why)


def _least(*given: int | None) -> int | None:
    return min((each for each in given if each is not None), default=None)
