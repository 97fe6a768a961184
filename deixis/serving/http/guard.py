"""Who may use the server, and what every answer says: outermost, around all routes."""

import hmac
import re
import secrets
import time
from collections.abc import Collection
from typing import Any
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from deixis.serving.http import logs
from deixis.serving.http.bodies import Bounded, too_large
from deixis.serving.http.metrics import Metrics
from deixis.serving.http.problems import Problem, a_bug, problem_of

LOOPBACK = ("127.0.0.1", "localhost", "::1")
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; "
    "media-src blob:; connect-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)
_HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
_OPEN = re.compile(r"/|/page/.*|/healthz|/openapi\.json")
"""What is answered without a token: nothing of these is anybody's data."""
_ID = re.compile(r"[\w.-]{1,64}", re.ASCII)
_READING = ("GET", "HEAD", "OPTIONS")


class Guard:
    """Checks every request before any route sees it, and logs and counts its answer.

    Args:
        app: what is guarded.
        metrics: count answers.
        token: what ``Authorization: Bearer`` has to say; None where no token is wanted.
        hosts: what the header ``Host`` may name; None is for any name, behind a token.
        max_body: bytes of a request.
    """

    def __init__(
        self,
        app: ASGIApp,
        metrics: Metrics,
        token: str | None,
        hosts: Collection[str] | None,
        max_body: int,
    ) -> None:
        self._app, self._metrics, self._hosts, self._max_body = app, metrics, hosts, max_body
        self._token = token and f"Bearer {token}".encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or say why it is not answered."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        given = headers.get("x-request-id", "")
        id_ = given if _ID.fullmatch(given) else secrets.token_hex(8)
        scope.setdefault("state", {})["request_id"] = id_
        started, status = time.perf_counter(), 0

        async def answer(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                kept = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    kept.setdefault(name, value)
                kept["X-Request-Id"] = id_
            await send(message)

        bug: BaseException | None = None
        try:
            self._check(scope, headers)
            await self._app(scope, Bounded(receive, self._max_body), answer)
        except Exception as error:
            problem = problem_of(error)
            if problem is None:
                bug = error
                problem = a_bug()
            if not status:
                await problem.response(id_)(scope, receive, answer)
        finally:
            route = getattr(scope.get("route"), "path", "none")
            self._metrics.requests.labels(route, str(status)).inc()
            told: dict[str, Any] = {"request_id": id_, "method": scope["method"][:10]}
            seconds = round(time.perf_counter() - started, 4)
            logs.tell("request", bug, **told, route=route, status=status, seconds=seconds)

    def _check(self, scope: Scope, headers: Headers) -> None:
        """Refuse what comes from elsewhere, or without the token, or is too large.

        A page of another site can make a browser on this machine send requests here, under a name
        of its own that leads here.
        """
        host = headers.get("host", "")
        if self._hosts is not None and _name(host) not in self._hosts:
            known = ", ".join(self._hosts)
            raise Problem(403, "Not here", f"this server answers under these names alone: {known}")
        foreign = _elsewhere(headers.get("origin"), host)
        if scope["method"] not in _READING:  # a link on another site may lead here
            foreign |= headers.get("sec-fetch-site") in ("cross-site", "same-site")
        if foreign:
            raise Problem(403, "Not from there", "a page of another site may not ask this")
        if self._token and not _OPEN.fullmatch(scope["path"]):
            said = headers.get("authorization", "").encode("latin-1", "replace")
            if not hmac.compare_digest(said, self._token):
                how = {"WWW-Authenticate": "Bearer"}
                raise Problem(
                    401, "A token is wanted", "send it as Authorization: Bearer TOKEN", how
                )
        length = headers.get("content-length", "0")
        if length.isdigit() and int(length[:20]) > self._max_body:
            raise too_large(self._max_body)


def _elsewhere(origin: str | None, host: str) -> bool:
    """Say whether a request has an origin that is not the host that it asks."""
    try:
        return origin is not None and urlsplit(origin).netloc.lower() != host.lower()
    except ValueError:
        return True


def _name(host: str) -> str:
    """Return the name in a header ``Host``, without its port."""
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""
