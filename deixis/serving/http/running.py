"""Serving an application on a port until somebody ends it."""

import signal
import socket
from ipaddress import ip_address
from types import FrameType

import uvicorn
from starlette.types import ASGIApp

from deixis.errors import InputError, SettingsError
from deixis.serving.http.guard import LOOPBACK
from deixis.serving.http.patience import ImpatientProtocol
from deixis.serving.service import Service

_BACKLOG = 512
_IDLE = 15  # seconds after which a connection without a request is closed
_MOST_CONNECTIONS = 1000


def is_loopback(host: str) -> bool:
    """Say whether only this machine reaches a host's name or address."""
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def check_access(host: str, token: str | None) -> None:
    """Refuse to be reached by others without a token.

    Raises:
        SettingsError: there is none, or it is too short to be one.
    """
    if token is None and not is_loopback(host):
        raise SettingsError(
            f"without a token only this machine may ask, and {host} is reached by others; give "
            "--token (or DEIXIS_TOKEN), or --host 127.0.0.1"
        )
    if token is not None and (len(token) < 16 or not token.isascii() or " " in token):
        raise SettingsError("a token needs 16 characters of ASCII or more, without blanks")


def hosts_of(host: str, token: str | None) -> tuple[str, ...] | None:
    """Return the names that a request may have in Host: any (None) behind a token."""
    return None if token else tuple(dict.fromkeys((*LOOPBACK, host.strip("[]").lower())))


def listening(host: str, port: int) -> socket.socket:
    """Return a socket that listens; 0 is for any free port.

    Raises:
        InputError: it cannot be had.
    """
    try:
        family = socket.getaddrinfo(host.strip("[]"), port, type=socket.SOCK_STREAM)[0][0]
        return socket.create_server(
            (host.strip("[]"), port), family=family, backlog=_BACKLOG, reuse_port=False
        )
    except OverflowError:
        raise InputError(f"there is no port {port}; give one up to 65535") from None
    except OSError as error:
        why = error.strerror or str(error)
        raise InputError(
            f"cannot listen on {host}:{port}: {why}; give another --port or --host"
        ) from None


def url_of(host: str, listener: socket.socket) -> str:
    """Return where a socket that listens on a host is reached."""
    shown = f"[{host}]" if ":" in host else host
    return f"http://{shown}:{listener.getsockname()[1]}/"


class _Server(uvicorn.Server):
    """Tells the service at once that the end has come, before connections are closed."""

    service: Service | None = None

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        if self.service is not None:
            self.service.close()
        super().handle_exit(sig, frame)


def serve(app: ASGIApp, listener: socket.socket, service: Service | None = None) -> None:
    """Serve until SIGINT or SIGTERM; what runs then has the service's grace to end."""
    grace = 0.0 if service is None else service.limits.grace
    config = uvicorn.Config(
        app,
        http=ImpatientProtocol,
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=_IDLE,
        timeout_graceful_shutdown=int(grace) + 5,
        limit_concurrency=_MOST_CONNECTIONS,
    )
    server = _Server(config)
    server.service = service
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    # uvicorn ends by sending itself what it was ended by: the default of SIGTERM would kill the
    # process then, before anything is cleaned up.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        server.run(sockets=[listener])
    except KeyboardInterrupt:
        pass  # uvicorn raises what it was ended by once it has ended
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        listener.close()
