"""A server on the loopback device that sends what a test likes, byte by byte if need be."""

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple


class Wire(NamedTuple):
    """Where it listens, and the requests that came: head and body as text."""

    port: int
    heard: list[str]

    def spec(self, provider: str, options: str = "", before: str = "", after: str = "") -> str:
        """Return a model behind the server; `before` the host and `after` the path of its URL."""
        path = "/v1" if provider == "openai" else ""
        url = f"http://{before}127.0.0.1:{self.port}{path}{after}"
        return f"{provider}:some-model?base_url={url}{options}"


@contextlib.contextmanager
def serving(send: Callable[[socket.socket], Any]) -> Iterator[Wire]:
    """Serve each request with `send(connection)`, then close the connection."""
    listener = socket.create_server(("127.0.0.1", 0))
    wire = Wire(listener.getsockname()[1], [])
    threads: list[threading.Thread] = []

    def serve(connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            wire.heard.append(_request(connection))
            send(connection)

    def accept() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threads.append(threading.Thread(target=serve, args=(connection,)))
            threads[-1].start()

    accepting = threading.Thread(target=accept)
    accepting.start()
    try:
        yield wire
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        for each in (accepting, *threads):
            each.join()


def reply(body: bytes, *headers: str, status: str = "200 OK") -> bytes:
    """Return a whole reply."""
    head = [f"HTTP/1.1 {status}", "Content-Type: application/json", *headers]
    head += [f"Content-Length: {len(body)}", "Connection: close", "", ""]
    return "\r\n".join(head).encode() + body


def _request(connection: socket.socket) -> str:
    got = b""
    while b"\r\n\r\n" not in got:
        got += connection.recv(65536)
    head, _, body = got.partition(b"\r\n\r\n")
    sizes = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
    while sizes and len(body) < int(sizes[0].partition(b":")[2]):
        body += connection.recv(65536)
    return (head + b"\r\n\r\n" + body).decode()
