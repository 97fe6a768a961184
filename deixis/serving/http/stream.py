"""Answers while the work goes on: events as they come, and work that ends when a client leaves."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from contextlib import aclosing, suppress
from typing import Any, TypeVar, cast

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from deixis.serving.http import logs
from deixis.serving.http.problems import Problem, a_bug, problem_of
from deixis.serving.jobs import Event, Job

T = TypeVar("T")
_SSE = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"x-accel-buffering", b"no"),  # nginx would hold events back
]


async def gone(receive: Receive) -> None:
    """Wait until the client has left."""
    while (await receive())["type"] != "http.disconnect":
        pass


async def result_of(job: Job, request: Request) -> dict[str, Any]:
    """Wait for the result of a job, which is stopped if the client leaves.

    Raises:
        Problem: the client has left, and nobody reads this.
        DeixisError, OutOfTimeError, StoppedError: as for `Job.events`.
    """
    working = asyncio.ensure_future(job.result())
    leaving = asyncio.ensure_future(gone(request.receive))
    try:
        await asyncio.wait({working, leaving}, return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            raise Problem(499, "The client has left", "nobody reads this")
        return working.result()
    finally:
        for task in (working, leaving):
            task.cancel()
        with suppress(asyncio.CancelledError, Exception):
            await working


class EventStream(Response):
    """What happens to a job, as server-sent events.

    Attributes:
        alive: seconds of silence after which a comment is sent: proxies drop what is silent.

    Args:
        job: what is told of.
    """

    alive = 15.0

    def __init__(self, job: Job) -> None:
        self.status_code, self.background = 200, None
        self._job = job
        self.raw_headers = [*_SSE]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the events until the last one, or until the client leaves."""
        await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
        sending = asyncio.ensure_future(self._send(send, scope["state"]["request_id"]))
        leaving = asyncio.ensure_future(gone(receive))
        try:
            await asyncio.wait({sending, leaving}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            leaving.cancel()
            sending.cancel()
            with suppress(asyncio.CancelledError, OSError):
                await sending

    async def _send(self, send: Send, request_id: str) -> None:
        async def write(text: str, more: bool = True) -> None:
            body = text.encode("utf-8")
            await send({"type": "http.response.body", "body": body, "more_body": more})

        await write(": work begins\n\n")
        try:
            async with aclosing(cast("Any", self._job.events())) as events:
                while event := await self._next(events, write):
                    await write(_told(event.name, event.data))
        except Exception as error:
            problem = problem_of(error)
            if problem is None:
                logs.tell("bug", error, request_id=request_id)
                problem = a_bug()
            await write(_told("error", problem.document(request_id)))
        await write("", more=False)

    async def _next(self, events: Any, write: Callable[[str], Awaitable[None]]) -> Event | None:
        """Return the next event, None after the last; say meanwhile that the server is there."""
        coming = asyncio.ensure_future(anext(events, None))
        try:
            while not (await asyncio.wait({coming}, timeout=self.alive))[0]:
                await write(": still at work\n\n")
            return cast("Event | None", coming.result())
        finally:
            if not coming.done():
                coming.cancel()
                with suppress(asyncio.CancelledError):
                    await coming


def _told(name: str, data: dict[str, Any]) -> str:
    return f"event: {name}\ndata: {json.dumps(data)}\n\n"
