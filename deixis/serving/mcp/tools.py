"""What the tools do: extract, overlay, explain."""

import asyncio
import io
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from mcp.server.mcpserver import Context, Image
from mcp.server.mcpserver.exceptions import ToolError
from mcp_types import CallToolResult, TextContent
from pydantic import BaseModel

from deixis.errors import DeixisError, InputError
from deixis.schema import Extraction
from deixis.serving.clients import for_clients
from deixis.serving.jobs import Job
from deixis.serving.mcp.arguments import Extracted, order_of
from deixis.serving.mcp.explaining import entity_named, explained, without
from deixis.serving.mcp.kept import Found, Kept
from deixis.serving.orders import Order
from deixis.serving.service import (
    BusyError,
    ClosingError,
    OutOfTimeError,
    Service,
    StoppedError,
)

_LOOK = 1.0
"""Seconds between looks whether a client is still connected."""
_EXPECTED = (DeixisError, BusyError, ClosingError, OutOfTimeError, StoppedError)


class Tools:
    """Runs orders of clients, keeps what was found, and shows it.

    Args:
        service: what runs the orders.
    """

    def __init__(self, service: Service) -> None:
        self._service = service
        self._kept = Kept()
        self._drawing = asyncio.Semaphore(service.limits.concurrency)

    async def extract(
        self, context: Context[Any, Any], include: list[str], **sample: Any
    ) -> CallToolResult:
        """Find the entities of a sample."""
        with _told():
            found = await self._find(order_of(sample), context)
            made = Extracted(id=found.id, extraction=without(found.extraction, include))
        return _structured(made, made.model_dump_json(exclude_defaults=False))

    async def overlay(
        self,
        context: Context[Any, Any],
        extraction: str,
        picture: int,
        max_side: int,
        **sample: Any,
    ) -> CallToolResult:
        """Draw what was found; a picture alone, for beside structured content clients drop it."""
        with _told():
            found = await self._found(extraction, order_of(sample), context)
            async with self._drawing:
                png = await asyncio.to_thread(_drawn, found, picture, max_side)
        return CallToolResult(content=[Image(data=png, format="png").to_image_content()])

    async def explain(
        self, context: Context[Any, Any], extraction: str, entity: str, **sample: Any
    ) -> CallToolResult:
        """Say who decided what about one entity, and on what evidence."""
        with _told():
            found = await self._found(extraction, order_of(sample), context)
            made, lines = explained(found, entity_named(found.extraction, entity))
        return _structured(made, lines)

    async def _found(self, id_: str, order: Order, context: Context[Any, Any]) -> Found:
        """Return an earlier result, or that of a sample given again."""
        if bool(id_) == (order != Order()):
            raise InputError("give either a sample or, as extraction, the id of an earlier result")
        return self._kept.find(id_) if id_ else await self._find(order, context)

    async def _find(self, order: Order, context: Context[Any, Any]) -> Found:
        settings = self._service.offers.settings_of(order)
        job = self._service.start(order, f"mcp-{secrets.token_hex(4)}")
        watcher = asyncio.create_task(_stop_without_client(job, context))
        try:
            result = await _result(job, context)
        finally:
            watcher.cancel()
        return self._kept.add(Extraction.model_validate(result), order, settings.options)


async def _result(job: Job, context: Context[Any, Any]) -> dict[str, Any]:
    """Return what a job finds, and tell the client how far it is.

    Progress has to grow with every message; so a node that runs several times is told of once.
    """
    nodes: list[str] = []
    told: set[tuple[str, str]] = set()
    events = job.events()
    try:
        async for event in events:
            if event.name == "result":
                return event.data
            if event.name == "start":
                nodes = event.data["nodes"]
                continue
            step = event.data["node"], event.data["event"]
            if step not in told:
                told.add(step)
                message = f"{step[0]}: {'done' if step[1] == 'end' else 'begun'}"
                await context.report_progress(len(told), 2 * len(nodes), message)
    finally:
        await events.aclose()  # type: ignore[attr-defined]
    raise StoppedError(job.why)


async def _stop_without_client(job: Job, context: Context[Any, Any]) -> None:
    """Stop a job over HTTP when its connection ends: nothing can be sent there any more."""
    request = context.request_context.request
    if request is None:
        return
    while not await request.is_disconnected():
        await asyncio.sleep(_LOOK)
    job.stop("the client has gone")


@contextmanager
def _told() -> Iterator[None]:
    """Tell what went wrong in one line, as the tool's answer."""
    try:
        yield
    except _EXPECTED as error:
        raise ToolError(for_clients(error)[:500]) from None


def _structured(made: BaseModel, text: str) -> CallToolResult:
    content = made.model_dump(mode="json")
    return CallToolResult(content=[TextContent(text=text)], structured_content=content)


def _drawn(found: Found, number: int, max_side: int) -> bytes:
    """Return the overlay, or frames of the video where there is no picture, as PNG."""
    if not found.extraction.pictures and found.extraction.video is not None:
        drawn = found.extraction.film_strip(found.video())
    else:
        drawn = found.extraction.overlay(found.picture(number), picture=number)
    with suppress(ValueError):
        drawn.thumbnail((max_side, max_side))
    out = io.BytesIO()
    drawn.save(out, "PNG")
    return out.getvalue()
