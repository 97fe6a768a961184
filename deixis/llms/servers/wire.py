"""A connection to a server, on which a request takes a tenth of what it takes in httpcore.

Python's own ``http.client`` reads the replies. Its errors become those of the library that an SDK
knows, no step takes longer than the request may, and a connection that the server has ended
meanwhile is made anew. Of a thousand threads each waits for Python's lock after each call of the
system, so there are as few of those as can be: a socket with a timeout makes three for one.
"""

import io
import re
import select
import socket
import ssl
from collections.abc import Iterator
from contextlib import suppress
from http.client import HTTPException, HTTPResponse
from typing import Any, NamedTuple, cast

from deixis.llms.servers.deadline import DEADLINE
from deixis.llms.servers.replies import Begun

_PIECE = 65_536  # bytes that are sent, or read, at once
_FRAMING = {b"content-length", b"transfer-encoding"}
_NO_HEADER = re.compile(rb"[\r\n\0]")


class Sent(NamedTuple):
    """A request: where it goes, and its first lines but for the one that tells its length."""

    method: str
    secure: bool
    host: str
    port: int
    target: str
    head: bytes

    @property
    def site(self) -> str:
        """The beginning of the URL, as errors name it."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        place = host if self.port == (443 if self.secure else 80) else f"{host}:{self.port}"
        return f"{'https' if self.secure else 'http'}://{place}"

    @property
    def path(self) -> str:
        """The path of the URL."""
        return self.target.partition("?")[0]

    @classmethod
    def of(cls, request: Any, http: Any) -> "Sent":
        """Return the same of a request of httpx or httpx2, the one that is given."""
        url = request.url
        secure = url.scheme == "https"
        host, target = url.raw_host.decode("ascii"), url.raw_path.decode("ascii")
        fields = [pair for pair in request.headers.raw if pair[0].lower() not in _FRAMING]
        if any(_NO_HEADER.search(part) for pair in fields for part in pair):
            raise http.LocalProtocolError("a header with the end of a line in it")
        first = f"{request.method} {target} HTTP/1.1\r\n".encode()
        head = first + b"".join(b"%s: %s\r\n" % pair for pair in fields)
        port = url.port or (443 if secure else 80)
        return cls(request.method, secure, host, port, target, head)


class Wire:
    """One connection to one server, for one request after another.

    Args:
        sent: a request to it.
        trusted: whose certificates count, where it is encrypted.
    """

    def __init__(self, sent: Sent, trusted: ssl.SSLContext | None) -> None:
        self._place = sent.host, sent.port
        self._trusted = trusted
        self._line: _Line | None = None

    def ask(self, sent: Sent, body: bytes, http: Any) -> Begun:
        """Send a request, and return the reply as it begins to come.

        Args:
            sent: the request.
            body: what it holds.
            http: the library whose errors are raised, httpx or httpx2.
        """
        if self._line is None or self._line.ended():
            self.close()
            self._line = self._connected(http)
        length = b"" if sent.method == "GET" else b"Content-Length: %d\r\n" % len(body)
        with suppress(OSError):  # it may have said why it takes no more
            self._line.sendall(sent.head + length + b"\r\n" + body)
        # Of a socket it takes nothing but the file.
        connected = cast(socket.socket, _Connected(self._line))
        reply = HTTPResponse(connected, method=sent.method)
        try:
            reply.begin()
            while reply.status in range(102, 200):  # on its way, or hints
                reply = HTTPResponse(connected, method=sent.method)
                reply.begin()
        except (OSError, HTTPException, ValueError) as error:
            raise _of_reading(error, http) from error
        return Begun(reply.status, reply.getheaders(), self._pieces(reply, http))

    def _connected(self, http: Any) -> "_Line":
        try:
            connected = socket.create_connection(self._place, DEADLINE.left())
            connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self._trusted is not None:
                connected.settimeout(DEADLINE.left())
                connected = self._trusted.wrap_socket(connected, server_hostname=self._place[0])
        except TimeoutError as error:
            raise http.ConnectTimeout(str(error)) from error
        except (OSError, UnicodeError) as error:
            raise http.ConnectError(str(error)) from error
        return _Line(connected)

    def _pieces(self, reply: HTTPResponse, http: Any) -> Iterator[bytes]:
        """Yield the body of a reply; raise the library's error if not all of it comes."""
        try:
            while piece := reply.read(_PIECE):
                yield piece
        except (OSError, HTTPException, ValueError) as error:
            raise _of_reading(error, http) from error
        if missing := reply.length:
            raise http.RemoteProtocolError(
                f"the server has ended the connection with {missing} bytes still to come"
            )
        reply.close()
        if reply.will_close:
            self.close()

    def close(self) -> None:
        """Close the connection; the next request makes another."""
        line, self._line = self._line, None
        if line is not None:
            line.close()


class _Line(io.RawIOBase):
    """A connected socket as a file, on which nothing waits beyond the deadline."""

    def __init__(self, connected: socket.socket) -> None:
        connected.setblocking(False)
        self._socket = connected
        self._plain = not isinstance(connected, ssl.SSLSocket)

    def ended(self) -> bool:
        """Say whether the server has ended the connection, or says what nobody asked for."""
        return self._ready(select.POLLIN, 0.0)

    def sendall(self, data: bytes) -> None:
        """Send all of it."""
        rest = memoryview(data)
        while rest:
            try:
                rest = rest[self._socket.send(rest[:_PIECE]) :]
            except ssl.SSLWantReadError:
                self._ready(select.POLLIN, DEADLINE.left())
            except (BlockingIOError, ssl.SSLWantWriteError):
                self._ready(select.POLLOUT, DEADLINE.left())

    def receive(self, buffer: Any) -> int:
        """Read what has come, or what comes next."""
        if self._plain:  # nothing comes before it was asked for
            self._ready(select.POLLIN, DEADLINE.left())
        while True:
            try:
                return self._socket.recv_into(buffer)
            except (BlockingIOError, ssl.SSLWantReadError):
                self._ready(select.POLLIN, DEADLINE.left())
            except ssl.SSLWantWriteError:
                self._ready(select.POLLOUT, DEADLINE.left())

    def _ready(self, event: int, seconds: float) -> bool:
        """Wait until something can be read, or sent; say whether it can."""
        poll = select.poll()
        poll.register(self._socket, event)
        return bool(poll.poll(1000 * seconds))

    def close(self) -> None:
        """Close the connection."""
        self._socket.close()
        super().close()


class _Coming(io.RawIOBase):
    """What comes over a line."""

    def __init__(self, line: _Line) -> None:
        self._line = line

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        return self._line.receive(buffer)


class _Connected:
    """A line for one request: what comes beyond its reply is no reply to the next."""

    def __init__(self, line: _Line) -> None:
        self._file = _Open(_Coming(line), _PIECE)

    def makefile(self, mode: str) -> io.BufferedReader:
        """Return what replies are read from."""
        return self._file


class _Open(io.BufferedReader):
    """A file that a reply which was read does not close: another may follow."""

    def close(self) -> None:
        """Stay open."""


def _of_reading(error: Exception, http: Any) -> Exception:
    """Return the library's error for what went wrong while a reply was read."""
    kind = http.RemoteProtocolError
    if isinstance(error, OSError) and not isinstance(error, HTTPException):
        kind = http.ReadError
    found: Exception = kind(str(error) or type(error).__name__)
    return found
