"""The server of a review: the page, its routes, and who may ask."""

import hmac
import http
import secrets
from collections.abc import Awaitable, Callable, Iterable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from deixis.serving.review.routes import router
from deixis.serving.review.store import Store

PAGE = Path(__file__).parents[1] / "page"
LOOPBACK = ("127.0.0.1", "localhost", "[::1]", "::1")
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; "
    "media-src blob:; connect-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)
_KINDS = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}
_MOST = 64_000_000
"""Bytes of a request."""
Next = Callable[[Request], Awaitable[Response]]


def review_app(
    store: Store,
    *,
    token: str | None = None,
    hosts: Iterable[str] = LOOPBACK,
    schema: Mapping[str, Any] | None = None,
) -> FastAPI:
    """Return an ASGI app for the review of a store.

    Args:
        store: which stays open as long as the app is used.
        token: what ``Authorization: Bearer`` has to bring for all but the page itself.
        hosts: names that a request may have in ``Host``: others come from a page that has had its
            own name lead here (DNS rebinding).
        schema: a type schema as plain data, whose types reviewers may choose.
    """
    app = FastAPI(title="Deixis review", docs_url=None, redoc_url=None)
    known = {name.casefold() for name in hosts}

    @app.middleware("http")
    async def guard(request: Request, proceed: Next) -> Response:
        refused = _refused(request, known, token)
        answer = refused if refused is not None else await proceed(request)
        answer.headers["Content-Security-Policy"] = _POLICY
        answer.headers["X-Content-Type-Options"] = "nosniff"
        answer.headers["Referrer-Policy"] = "no-referrer"
        answer.headers.setdefault("Cache-Control", "no-store")
        return answer

    @app.exception_handler(HTTPException)
    async def failed(_: Request, error: HTTPException) -> Response:
        return problem(error.status_code, str(error.detail))

    @app.exception_handler(RequestValidationError)
    async def invalid(_: Request, error: RequestValidationError) -> Response:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        return problem(422, f"{place}: {first['msg']}")

    @app.get("/", include_in_schema=False)
    def page() -> Response:
        return Response((PAGE / "review.html").read_bytes(), media_type="text/html")

    @app.get("/page/{name}", include_in_schema=False)
    def file(name: str) -> Response:
        path = PAGE / name
        if path.name != name or path.suffix not in _KINDS or not path.is_file():
            raise HTTPException(404, "there is no such file")
        return Response(path.read_bytes(), media_type=_KINDS[path.suffix])

    app.include_router(router(store, schema))
    return app


def problem(status: int, detail: str, **headers: str) -> JSONResponse:
    """Return what went wrong (RFC 9457)."""
    told = {
        "type": "about:blank",
        "title": http.HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "request_id": secrets.token_hex(8),
    }
    return JSONResponse(told, status, headers, media_type="application/problem+json")


def _refused(request: Request, hosts: set[str], token: str | None) -> Response | None:
    """Return why a request is refused, before any of its body is read."""
    host = _name_of(f"//{request.headers.get('host', '')}")
    if host not in hosts:
        return problem(403, "this name does not lead here; start the server with --host NAME")
    origin = request.headers.get("origin")
    if origin is not None and urlsplit(origin).netloc != request.headers.get("host"):
        return problem(403, "another site's page asks; open the page of this server")
    length = request.headers.get("content-length", "0")
    if not length.isdecimal() or int(length) > _MOST:
        return problem(413, f"at most {_MOST:,} bytes are taken")
    if "transfer-encoding" in request.headers:
        return problem(411, "say how long the body is (Content-Length)")
    if token and request.url.path.startswith("/v1/"):
        given = request.headers.get("authorization", "")
        if not hmac.compare_digest(given.encode(), f"Bearer {token}".encode()):
            return problem(401, "a token is needed", **{"WWW-Authenticate": "Bearer"})
    return None


def _name_of(url: str) -> str:
    try:
        return (urlsplit(url).hostname or "").casefold()
    except ValueError:
        return ""
