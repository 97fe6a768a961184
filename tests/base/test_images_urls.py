import hashlib
import io
import socket
from collections.abc import Iterator
from itertools import repeat

import pytest
from PIL import Image

from deixis.base.images import open_image
from deixis.errors import InputError
from deixis.testing import Request, Response, serving


def _picture() -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (40, 24), "red").save(file, "PNG")
    return file.getvalue()


PICTURE = _picture()
PNG = {"Content-Type": "image/png"}


REDIRECTS = {
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


@pytest.fixture(scope="module")
def site() -> Iterator[str]:
    """A host that does what hosts do: answers, redirects, fails, lies, never ends."""

    def drip() -> Iterator[bytes]:
        for _ in range(60):
            yield b"\0"
            if server.closing.wait(0.05):
                return

    def answer(request: Request) -> Response | None:
        if request.path in REDIRECTS:
            return Response(302, b"", {"Location": REDIRECTS[request.path]})
        if request.path == "/silent":
            server.closing.wait(20)
            return None
        return {
            "/endless": Response(200, repeat(b"\0" * 65536)),
            "/drip": Response(200, drip()),
            "/picture": Response(200, PICTURE, {"Content-Type": "text/plain"}),
            "/page": Response(200, b"<!DOCTYPE html><p>Please log in", PNG),
            "/cut": Response(200, PICTURE, {**PNG, "Content-Length": "99999"}),
            "/nothing": Response(200, b"", PNG),
            "/teapot": Response(418, PICTURE, PNG),
        }.get(request.path, Response(404, b"no", {"Content-Type": "text/plain"}))

    with serving(answer) as server:
        yield server.url


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
