"""The service: a bounded queue of orders, threads that run them, and what comes of each.

It knows neither HTTP nor MCP. Jobs belong to the event loop in which the service was entered;
graphs run in threads, for their nodes are synchronous.
"""

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from typing import Any, Protocol, Self

from deixis.llms.limits import spent_by
from deixis.schema import Extraction
from deixis.serving.jobs import (
    BusyError,
    ClosingError,
    Event,
    Job,
    Limits,
    OutOfTimeError,
    StoppedError,
)
from deixis.serving.offers import Offered, Offers
from deixis.serving.orders import Order

__all__ = [
    "BusyError",
    "ClosingError",
    "Event",
    "Job",
    "Limits",
    "OutOfTimeError",
    "Service",
    "StoppedError",
    "Unwatched",
    "Watch",
]
_AT_LEAST, _AT_MOST = 1, 60  # seconds after which a client is asked to come again


class Watch(Protocol):
    """Is told what goes on; from several threads."""

    def waits(self, queued: int, running: int) -> None:
        """So many orders wait, and so many run."""

    def node(self, name: str, seconds: float) -> None:
        """A node has run for so long."""

    def ended(
        self, job: "Job", outcome: str, seconds: float, result: dict[str, Any] | None
    ) -> None:
        """A job has ended: ``done``, ``failed``, ``stopped`` or ``late``."""


class Unwatched:
    """Nobody who is told."""

    def waits(self, queued: int, running: int) -> None:
        """Do nothing."""

    def node(self, name: str, seconds: float) -> None:
        """Do nothing."""

    def ended(
        self, job: "Job", outcome: str, seconds: float, result: dict[str, Any] | None
    ) -> None:
        """Do nothing."""


class Service:
    """Takes orders on and runs them; to be entered in the event loop that serves.

    Args:
        offers: what may be ordered.
        limits: what it takes on.
        watch: is told what goes on.
    """

    def __init__(
        self, offers: Offers, limits: Limits | None = None, watch: Watch | None = None
    ) -> None:
        self.offers = offers
        self.limits = limits or Limits()
        self._watch: Watch = watch or Unwatched()
        self._jobs: set[Job] = set()
        self._running = 0
        self._mean = 1.0  # seconds that an order takes, about
        self._closing = False
        self._idle = asyncio.Event()
        self._pool = ThreadPoolExecutor(self.limits.concurrency, thread_name_prefix="order")

    async def __aenter__(self) -> Self:
        """Begin to take orders."""
        self._loop = asyncio.get_running_loop()
        self._idle.set()
        return self

    async def __aexit__(self, *_: object) -> None:
        """Take nothing on any more, wait a while for what runs, then stop it."""
        self._closing = True
        try:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._idle.wait(), self.limits.grace)
        finally:
            for job in list(self._jobs):
                job.stop("the server ends")
            await asyncio.to_thread(self._pool.shutdown)

    @property
    def is_closing(self) -> bool:
        """Whether it takes nothing on any more."""
        return self._closing

    def close(self) -> None:
        """Take nothing on any more; what runs goes on."""
        self._closing = True

    def start(self, order: Order, id_: str) -> Job:
        """Take an order on.

        Raises:
            BusyError: the queue is full.
            ClosingError: the server ends.
            SettingsError: something is wanted that is not offered.
        """
        if self._closing:
            raise ClosingError
        if len(self._jobs) >= self.limits.concurrency + self.limits.queue:
            raise BusyError(self._retry_after())
        settings = self.offers.settings_of(order)
        job = Job(order, id_, self.limits)
        self._jobs.add(job)
        self._idle.clear()
        job.future = self._pool.submit(self._run, job, lambda: self.offers.made(settings))
        job.future.add_done_callback(lambda future: self._end(job, future.cancelled()))
        self._tell_of_queue()
        return job

    def _retry_after(self) -> int:
        rounds = len(self._jobs) / self.limits.concurrency
        return round(min(max(self._mean * rounds, _AT_LEAST), _AT_MOST))

    def _end(self, job: Job, cancelled: bool) -> None:
        """Forget a job, in whatever thread it has ended."""
        if cancelled:
            job.tell(StoppedError(job.why))
            outcome = "late" if job.is_late else "stopped"
            self._watch.ended(job, outcome, time.monotonic() - job.begun, None)
        with suppress(RuntimeError):  # the loop has ended
            self._loop.call_soon_threadsafe(self._forget, job)

    def _forget(self, job: Job) -> None:
        self._jobs.discard(job)
        self._tell_of_queue()
        if not self._jobs:
            self._idle.set()

    def _tell_of_queue(self) -> None:
        self._watch.waits(max(0, len(self._jobs) - self._running), self._running)

    def _count(self, more: int) -> None:
        self._running += more
        self._tell_of_queue()

    def _run(self, job: Job, made: Callable[[], Offered]) -> None:
        """Run a job in a thread; whatever happens is told to who waits."""
        started = time.monotonic()
        self._loop.call_soon_threadsafe(self._count, 1)
        outcome, result = "stopped", None
        try:
            result = self._result(job, made())
            outcome = "stopped" if result is None else "done"
            job.tell(StoppedError(job.why) if result is None else Event("result", result))
        except BaseException as error:  # told to who waits for it
            outcome = "failed"
            job.tell(error)
        finally:
            seconds = time.monotonic() - started
            self._mean += 0.2 * (seconds - self._mean)
            with suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._count, -1)
            late = job.is_late and outcome == "stopped"
            self._watch.ended(job, "late" if late else outcome, seconds, result)

    def _result(self, job: Job, offered: Offered) -> dict[str, Any] | None:
        """Run the graph and tell of its nodes; None if it was stopped."""
        job.tell(Event("start", {"id": job.id, "nodes": offered.nodes}))
        committee = offered.toolbox.settings.roles.committee
        config: Any = {"max_concurrency": max(2, len(committee))}
        given: Any = job.order.given()
        result: dict[str, Any] | None = None
        with spent_by(job.spending):
            events: Any = offered.graph.stream(given, config, stream_mode=["custom", "updates"])
            with closing(events):
                for mode, chunk in events:
                    if job.why:
                        return None
                    if mode == "updates":
                        result = chunk.get("structure") or result
                        continue
                    job.tell(Event("node", chunk))
                    if chunk["event"] == "end":
                        self._watch.node(chunk["node"], chunk["seconds"])
        return Extraction.model_validate(result).model_dump(mode="json")
