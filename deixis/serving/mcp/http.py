"""MCP over streamable HTTP: an endpoint for another application to mount."""

from collections.abc import Iterable
from contextlib import AbstractAsyncContextManager

from mcp.server.transport_security import TransportSecuritySettings
from starlette.types import Receive, Scope, Send

from deixis.serving.mcp.server import Server
from deixis.serving.service import Service

LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
MAX_BODY = 80_000_000
"""Bytes of a request: the largest picture, in base64."""
_IDLE = 600.0  # seconds after which the session of a client that is silent ends
_SESSIONS = 1000


class Endpoint:
    """An ASGI application for one path, usually ``/mcp``; `run` has to be entered around it.

    A client on another machine names no files of this one. Whether it has the token is for the
    application to check in which this is mounted.

    Args:
        service: what runs orders.
        hosts: names in the header Host that are answered, with any port; None where the
            application checks Host and Origin of every request itself.
        origins: origins, beside those of `hosts`, from which a browser may ask.
        max_body: bytes of the largest request.
    """

    def __init__(
        self,
        service: Service,
        hosts: Iterable[str] | None = LOOPBACK,
        origins: Iterable[str] = (),
        max_body: int = MAX_BODY,
    ) -> None:
        with_ports = [host + port for host in hosts or () for port in ("", ":*")]
        own = [f"{scheme}://{host}" for host in with_ports for scheme in ("http", "https")]
        server = Server(service)
        server.streamable_http_app(
            max_request_body_size=max_body,
            session_idle_timeout=_IDLE,
            max_sessions=_SESSIONS,
            transport_security=TransportSecuritySettings(
                enable_dns_rebinding_protection=hosts is not None,
                allowed_hosts=with_ports,
                allowed_origins=[*own, *origins],
            ),
        )
        self._manager = server.session_manager

    def run(self) -> AbstractAsyncContextManager[None]:
        """Return what has to be entered while it serves; once."""
        return self._manager.run()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        await self._manager.handle_request(scope, receive, send)
