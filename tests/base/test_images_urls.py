import hashlib
import io
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar

import pytest
from PIL import Image

from deixis.base.images import open_image
from deixis.errors import InputError


def _picture() -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (40, 24), "red").save(file, "PNG")
    return file.getvalue()


PICTURE = _picture()


class _Site(BaseHTTPRequestHandler):
    """A host that does what hosts do: answers, redirects, fails, lies, never ends."""

    redirects: ClassVar = {
        "/moved": "/picture",
        "/once": "/moved",
        "/twice": "/once",
        "/thrice": "/twice",
        "/loop": "/loop",
        "/to-file": "file:///etc/passwd",
        "/to-ftp": "ftp://127.0.0.1/a.png",
        "/to-nowhere": "http://[/",
        "/to-no-port": "http://127.0.0.1:99999/",
    }

    def do_GET(self) -> None:
        if self.path in self.redirects:
            self.send_response(302)
            self.send_header("Location", self.redirects[self.path])
            self.end_headers()
        elif self.path == "/endless":
            self.send_response(200)
            self.end_headers()
            while self._sent(b"\0" * 65536):
                pass
        elif self.path == "/drip":
            self.send_response(200)
            self.end_headers()
            for _ in range(60):
                if not self._sent(b"\0") or self.server.closing.wait(0.05):  # type: ignore[attr-defined]
                    break
        elif self.path == "/silent":
            self.server.closing.wait(20)  # type: ignore[attr-defined]
        elif self.path == "/picture":
            self._answer(200, PICTURE, "text/plain")
        elif self.path == "/page":
            self._answer(200, b"<!DOCTYPE html><p>Please log in", "image/png")
        elif self.path == "/cut":
            self._answer(200, PICTURE, "image/png", length=99999)
        elif self.path == "/nothing":
            self._answer(200, b"", "image/png")
        elif self.path == "/teapot":
            self._answer(418, PICTURE, "image/png")
        else:
            self._answer(404, b"no", "text/plain")

    def _answer(self, status: int, body: bytes, kind: str, length: int | None = None) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body) if length is None else length))
        self.end_headers()
        self._sent(body)

    def _sent(self, body: bytes) -> bool:
        try:
            self.wfile.write(body)
        except OSError:  # the client has had enough
            return False
        return True

    def log_message(self, format: str, *args: object) -> None:
        """Keep the test output clean."""


@pytest.fixture(scope="module")
def site() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Site)
    server.closing = threading.Event()  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.closing.set()  # type: ignore[attr-defined]
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.mark.parametrize("path", ["/picture", "/moved", "/once", "/twice"])
def test_a_url_is_opened_through_redirects(site: str, path: str) -> None:
    opened = open_image(site + path, urls="any")
    assert opened.source == site + path
    assert opened.sha256 == hashlib.sha256(PICTURE).hexdigest()
    assert opened.pixels.shape == (24, 40, 3)


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/missing", "the server answers 404 Not Found"),
        ("/teapot", "the server answers 418"),
        ("/thrice", "more than 3 redirects"),
        ("/loop", "more than 3 redirects"),
        ("/to-file", "redirects: file URLs are not opened"),
        ("/to-ftp", "redirects: ftp URLs are not opened"),
        ("/to-nowhere", "the download failed"),
        ("/to-no-port", "redirects: the URL names no host, or no port"),
        ("/page", "not a picture"),
        ("/cut", "the download failed"),
        ("/nothing", "empty, 0 bytes"),
        ("/endless", "over 200,000 bytes"),
        ("/silent", "the download takes too long"),
        ("/drip", "the download takes too long"),
    ],
)
def test_bad_urls(site: str, path: str, words: str) -> None:
    with pytest.raises(InputError) as caught:
        timeout = 0.5 if path in ("/silent", "/drip") else 20
        open_image(site + path, max_bytes=200_000, timeout=timeout, urls="any")
    assert words in str(caught.value)
    assert repr(site + path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_host_that_refuses() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with pytest.raises(InputError, match=r"the download failed \(ConnectError"):
        open_image(f"http://127.0.0.1:{port}/a.png", urls="any")
