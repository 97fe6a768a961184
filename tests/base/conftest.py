"""Servers that do as they are told, byte by byte."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import pytest

Serve = Callable[[Callable[[bytes, Any], None]], int]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Start a server: ``serve(answer)`` gives each request and its connection to `answer`.

    Returns its port.
    """
    servers, threads = [], []

    def start(answer: Callable[[bytes, Any], None]) -> int:
        server = socket.create_server(("127.0.0.1", 0))

        def work() -> None:
            while True:
                try:
                    visitor, _ = server.accept()
                except OSError:
                    return
                with visitor, suppress(OSError):
                    visitor.settimeout(20)
                    answer(visitor.recv(65536), visitor)

        servers.append(server)
        threads.append(threading.Thread(target=work))
        threads[-1].start()
        return int(server.getsockname()[1])

    yield start
    for server in servers:
        server.shutdown(socket.SHUT_RDWR)
        server.close()
    for thread in threads:
        thread.join()
