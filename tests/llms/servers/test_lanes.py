"""Each request has a connection of its own, which it leaves to the next."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest

from deixis.llms.servers import lanes
from deixis.llms.servers.address import server_at
from deixis.llms.servers.http import Transport


class Keeping(BaseHTTPRequestHandler):
    """Says by which connection it was asked, and keeps that open."""

    protocol_version = "HTTP/1.1"
    meeting = threading.Barrier(1)

    def do_GET(self) -> None:
        Keeping.meeting.wait(10)
        body = str(self.client_address[1]).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def client() -> Iterator[httpx.Client]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Keeping)
    serving = threading.Thread(target=server.serve_forever)
    serving.start()
    url = f"http://127.0.0.1:{server.server_port}"
    transport = Transport(server_at(url), 10.0)
    try:
        yield httpx.Client(base_url=url, transport=transport)
    finally:
        del transport
        server.shutdown()
        serving.join()
        server.server_close()


def at_once(client: httpx.Client, requests: int) -> list[str]:
    """Send requests of which none is answered before all have come; return their connections."""
    Keeping.meeting = threading.Barrier(requests)
    used: list[str] = []
    threads = [
        threading.Thread(target=lambda: used.append(client.get("/").text)) for _ in range(requests)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return used


def test_requests_at_once_have_a_connection_each_and_leave_it_to_the_next(
    client: httpx.Client,
) -> None:
    first = at_once(client, 20)
    assert len(set(first)) == 20
    assert set(at_once(client, 20)) == set(first)
    one = {at_once(client, 1)[0] for _ in range(5)}
    assert len(one) == 1 and one <= set(first)


def test_a_connection_that_nobody_needed_for_long_is_closed(
    client: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = at_once(client, 3)
    monkeypatch.setattr(lanes, "_KEPT", 0.0)
    assert at_once(client, 1)[0] not in first


def test_who_gets_no_connection_in_time_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lanes, "MOST", 1)
    both = lanes.Lanes(object)
    with both.lane(1.0, httpx), pytest.raises(httpx.PoolTimeout), both.lane(0.01, httpx):
        raise AssertionError("there is one alone")
    with both.lane(1.0, httpx):
        pass
