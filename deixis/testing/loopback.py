"""A real HTTP server on 127.0.0.1 that answers as a function says."""

import json
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple


class Request(NamedTuple):
    """What came: the names of headers in small letters, the path with its query."""

    method: str
    path: str
    headers: dict[str, str]
    content: bytes

    @property
    def body(self) -> Any:
        """The JSON that was sent."""
        return json.loads(self.content)


class Response(NamedTuple):
    """What is sent back.

    Of a body, text and bytes are sent as they are, an iterator of bytes piece by piece, without
    its length and for as long as somebody listens; all else as JSON.
    """

    status: int
    body: Any = b""
    headers: Mapping[str, str] = {}


class Server(ThreadingHTTPServer):
    """Keeps every request that came; ``closing`` is set when the block ends."""

    request_queue_size = 128  # a batch asks many things at once

    def __init__(self, answer: Callable[[Request], Response | None]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answer = answer
        self.requests: list[Request] = []
        self.closing = threading.Event()
        self.bugs: list[BaseException] = []

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Show what went wrong, unless it is that the other end has hung up."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)

    @property
    def url(self) -> str:
        """Where it listens, without a path."""
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    server: Server

    def _serve(self) -> None:
        length = self.headers.get("Content-Length", "0")
        if not (length.isascii() and length.isdigit()):
            self.send_error(400, "Content-Length is not a number")
            return
        content = self.rfile.read(int(length))
        named = {name.lower(): value for name, value in self.headers.items()}
        request = Request(self.command, self.path, named, content)
        self.server.requests.append(request)
        try:
            response = self.server.answer(request)
        except (ConnectionError, TimeoutError):  # the function hangs up
            return
        except BaseException as error:  # a failed test is no Exception everywhere
            self.server.bugs.append(error)
            return
        if response is None or self.server.closing.is_set():
            return
        body, headers = response.body, {"Content-Type": "application/json"}
        if not isinstance(body, Iterator):
            text = body if isinstance(body, (str, bytes)) else json.dumps(body)
            whole = text.encode() if isinstance(text, str) else text
            body, headers["Content-Length"] = iter([whole]), str(len(whole))
        self.send_response(response.status)
        for name, value in {**headers, **response.headers}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            for piece in body:
                self.wfile.write(piece)

    do_GET = do_HEAD = do_POST = do_DELETE = _serve

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@contextmanager
def serving(answer: Callable[[Request], Response | None]) -> Iterator[Server]:
    """Serve HTTP on a free port of 127.0.0.1 within a block.

    Args:
        answer: returns what is sent back; with None the connection is closed without a word.
            Requests are answered in threads, several at a time. The first error that it raises
            is raised when the block ends; a ConnectionError or TimeoutError only hangs up.

    Yields:
        The server, with its ``url`` and the ``requests`` that came.
    """
    with Server(answer) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            server.closing.set()
            server.shutdown()
            thread.join()
            if server.bugs:
                raise server.bugs[0]
