"""The application: routes, the page's files, what else is mounted, and the guard around all."""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from fastapi import APIRouter, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import FileResponse, JSONResponse, PlainTextResponse, Response
from prometheus_client import CONTENT_TYPE_LATEST
from starlette.exceptions import HTTPException
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Receive, Scope, Send

from deixis import __version__
from deixis.serving.gold_file import GoldFile
from deixis.serving.http import openapi
from deixis.serving.http.guard import LOOPBACK, Guard
from deixis.serving.http.metrics import Metrics
from deixis.serving.http.problems import KNOWN, Problem, a_bug, problem_of
from deixis.serving.http.routes import gold_router, told_router, work_router
from deixis.serving.service import Service

PAGE = Path(__file__).parents[1] / "page"
MAX_BODY = 100_000_000
"""Bytes of a request: a picture of the largest size that is opened, in base64, and some more."""


class Endpoint(Protocol):
    """Something with a lifetime of its own that answers at one path, as MCP does."""

    def run(self) -> AbstractAsyncContextManager[None]:
        """Return what is entered while the application serves."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""


class Access(NamedTuple):
    """Who may ask: ``token``, or None for nobody but this machine; names that Host may have."""

    token: str | None = None
    hosts: Collection[str] | None = LOOPBACK
    max_body: int = MAX_BODY


def create_app(
    service: Service,
    metrics: Metrics,
    access: Access | None = None,
    *,
    gold: GoldFile | None = None,
    endpoints: Mapping[str, Endpoint] | None = None,
) -> ASGIApp:
    """Return the application that runs samples.

    Args:
        service: runs samples; it lives as long as the application serves.
        metrics: what is shown at ``/metrics``; the service should tell the same.
        access: who may ask.
        gold: where corrected rows are appended.
        endpoints: what else answers, by path, such as ``/mcp``.
    """
    routers = told_router(service, gold), work_router(service), gold_router(gold)
    return application(
        metrics, access, routers=routers, index="index.html", service=service, endpoints=endpoints
    )


def application(
    metrics: Metrics,
    access: Access | None = None,
    *,
    routers: Sequence[APIRouter],
    index: str,
    service: Service | None = None,
    endpoints: Mapping[str, Endpoint] | None = None,
) -> ASGIApp:
    """Return an application of some routes, with the guard, the page and the words of problems.

    Args:
        metrics: what is shown at ``/metrics``.
        access: who may ask.
        routers: the routes.
        index: which file of the page is at ``/``.
        service: lives as long as the application serves.
        endpoints: what else answers, by path.
    """
    access, endpoints = access or Access(), endpoints or {}

    @asynccontextmanager
    async def life(_: FastAPI) -> AsyncIterator[None]:
        async with AsyncExitStack() as entered:
            if service is not None:
                await entered.enter_async_context(service)
            for endpoint in endpoints.values():
                await entered.enter_async_context(endpoint.run())
            yield

    app = FastAPI(
        title="Deixis",
        version=__version__,
        summary="Names every entity of a post, and points at it.",
        docs_url=None,  # FastAPI's pages of documentation are fetched from elsewhere
        redoc_url=None,
        lifespan=life,
    )
    _tell_of_problems(app)
    for router in routers:
        app.include_router(router)

    @app.get("/healthz", tags=["about"], summary="Whether it takes requests on")
    async def health() -> JSONResponse:
        if service is not None and service.is_closing:
            raise Problem(503, "The server is about to end", "ask again when it is back")
        return JSONResponse({"status": "ok", "version": __version__})

    @app.get("/metrics", tags=["about"], summary="Figures for Prometheus", **openapi.METRICS)
    async def figures() -> Response:
        return PlainTextResponse(metrics.text(), media_type=CONTENT_TYPE_LATEST)

    @app.get("/", include_in_schema=False)
    async def page() -> Response:
        return FileResponse(PAGE / index)

    app.router.routes.append(Mount("/page", StaticFiles(directory=PAGE), name="page"))
    for path, endpoint in endpoints.items():
        app.router.routes.append(Route(path, endpoint=_Answering(path, endpoint), methods=None))
    app.openapi = lambda: _described(app)  # type: ignore[method-assign]
    return Guard(app, metrics, access.token, access.hosts, access.max_body)


class _Answering:
    """An endpoint as Starlette takes one: an instance of a class is an application to it."""

    def __init__(self, path: str, endpoint: Endpoint) -> None:
        self.path, self._endpoint = path, endpoint

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope["route"] = self  # as FastAPI's own routes say it, for logs and metrics
        await self._endpoint(scope, receive, send)


def _tell_of_problems(app: FastAPI) -> None:
    """Word what the framework itself refuses as all problems are."""

    async def told(request: Request, error: Exception) -> Response:
        problem = problem_of(error)
        if isinstance(error, HTTPException):
            headers = dict(error.headers or {})
            problem = Problem(error.status_code, str(error.detail), "see /openapi.json", headers)
        elif isinstance(error, RequestValidationError):
            first = error.errors()[0]
            place = ".".join(map(str, first["loc"]))
            problem = Problem(422, "Cannot be used", f"{place}: {first['msg']}")
        if problem is None:
            raise error
        return problem.response(request.state.request_id)

    async def bug(request: Request, error: Exception) -> Response:
        return a_bug().response(request.state.request_id)  # and the guard logs it

    for kind in (*KNOWN, HTTPException, RequestValidationError):
        app.add_exception_handler(kind, told)
    app.add_exception_handler(Exception, bug)


def _described(app: FastAPI) -> dict[str, Any]:
    if app.openapi_schema is None:
        described = FastAPI.openapi(app)
        parts = described.setdefault("components", {}).setdefault("schemas", {})
        parts.update(openapi.components())
    assert app.openapi_schema is not None
    return app.openapi_schema
