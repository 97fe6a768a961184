"""What servers do to those who fetch a picture: redirect, ask for a password, send a bomb, drip."""

import base64
import gzip
import io
import socket
import ssl
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from deixis.base.images import open_image
from deixis.errors import InputError

Serve = Callable[[Callable[[bytes, Any], None]], int]

CERTIFICATE = """\
-----BEGIN CERTIFICATE-----
MIIBqDCCAU6gAwIBAgIBATAKBggqhkjOPQQDAjAbMRkwFwYDVQQDDBBwaWN0dXJl
cy5leGFtcGxlMCAXDTIwMDEwMTAwMDAwMFoYDzIxMjAwMTAxMDAwMDAwWjAbMRkw
FwYDVQQDDBBwaWN0dXJlcy5leGFtcGxlMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcD
QgAEvVSTwK3k7W3pgE3T6oBwdIFQFYHm33jYAD/394eGMy3mXGsYEeDPloDWltIi
0tTGdEGShSRc/SK61urViQqYeKOBgDB+MBsGA1UdEQQUMBKCEHBpY3R1cmVzLmV4
YW1wbGUwDwYDVR0TAQH/BAUwAwEB/zAdBgNVHQ4EFgQURh6jf+xngFLu7hG5xTyO
kXLJNmMwHwYDVR0jBBgwFoAURh6jf+xngFLu7hG5xTyOkXLJNmMwDgYDVR0PAQH/
BAQDAgKEMAoGCCqGSM49BAMCA0gAMEUCIQCm9hdAORjncL5Ztc72DvGv+IM9gbIQ
V/Fn82fXHTMbNQIge0T89W+rOhvt/n4Cw4MrabXrHbLRQZDLZ/H3aFxC6aI=
-----END CERTIFICATE-----
"""
KEY = """\
-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg88LZZqEOux2FvXq8
W9LT1EZLENdtfcAY8HqirVJoubOhRANCAAS9VJPAreTtbemATdPqgHB0gVAVgebf
eNgAP/f3h4YzLeZcaxgR4M+WgNaW0iLS1MZ0QZKFJFz9IrrW6tWJCph4
-----END PRIVATE KEY-----
"""


def _picture() -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (40, 24), "red").save(file, "PNG")
    return file.getvalue()


PICTURE = _picture()
WHOLE = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(PICTURE), PICTURE)


@pytest.mark.parametrize(
    "headers", [b"", b"Content-Encoding: gzip\r\n", b"Content-Encoding: br\r\n"]
)
def test_only_what_is_not_compressed_is_taken(headers: bytes, serve: Serve) -> None:
    bomb = gzip.compress(bytes(50_000_000))
    heard = []

    def answer(request: bytes, visitor: Any) -> None:
        heard.append(request.lower())
        visitor.sendall(b"HTTP/1.1 200 OK\r\n" + headers + b"\r\n" + bomb)

    with pytest.raises(InputError) as caught:
        open_image(f"http://127.0.0.1:{serve(answer)}/a.png", urls="any")
    said = "the server sends it compressed" if headers else "not a picture"
    assert said in str(caught.value), "not unpacked, whatever it is called"
    assert b"accept-encoding: identity\r\n" in heard[0]


@pytest.mark.parametrize("start", [b"HTTP/1.1 200 OK\r\n", b"", b"HTTP/1.1 200 OK\r\n\r\n"])
def test_what_drips_has_the_same_deadline(start: bytes, serve: Serve) -> None:
    closing = threading.Event()

    def answer(request: bytes, visitor: Any) -> None:
        visitor.sendall(start)
        for _ in range(400):
            visitor.sendall(b"X")
            if closing.wait(0.05):
                break

    with pytest.raises(InputError, match="the download takes too long; download the picture"):
        open_image(f"http://127.0.0.1:{serve(answer)}/a.png", timeout=0.5, urls="any")
    closing.set()


def test_a_password_is_sent_to_its_host_and_said_to_nobody(serve: Serve) -> None:
    heard: list[bytes] = []

    def answer(request: bytes, visitor: Any) -> None:
        heard.append(request)
        if request.startswith(b"GET /moved"):
            head = f"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:{other}/a.png?token=S3CRET"
            visitor.sendall(head.encode() + b"\r\nContent-Length: 0\r\n\r\n")
        else:
            visitor.sendall(WHOLE)

    def refuse(request: bytes, visitor: Any) -> None:
        heard.append(request)
        visitor.sendall(b"HTTP/1.1 403 No S3CRET here\r\nContent-Length: 0\r\n\r\n")

    port, other = serve(answer), serve(refuse)
    opened = open_image(f"http://me:S3%40CRET@127.0.0.1:{port}/a?w=3&api_key=S3CRET", urls="any")
    assert opened.source == f"http://***@127.0.0.1:{port}/a?w=3&api_key=***"
    assert heard[0].startswith(b"GET /a?w=3&api_key=S3CRET HTTP/1.1\r\n")
    assert b"Authorization: Basic " + base64.b64encode(b"me:S3@CRET") in heard[0]
    with pytest.raises(InputError, match="403") as caught:
        open_image(f"http://me:S3CRET@127.0.0.1:{port}/moved", urls="any")
    assert "S3CRET" not in str(caught.value)
    assert b"GET /a.png?token=S3CRET" in heard[-1] and b"Authorization" not in heard[-1]


@pytest.mark.parametrize(
    "url",
    [
        "http://me:S3CRET@127.0.0.1:1/a.png",
        "http://me:S3CRET@localhost/a.png",
        "http://me:S3CRET@127.0.0.1:99999/a.png",
        "http://me:S3/S3CRET@127.0.0.1/a.png",
        "ftp://me:S3CRET@127.0.0.1/a.png",
        " http://me:S3CRET@127.0.0.1/a.png",
        "http://127.0.0.1:1/a.png?X-Amz-Signature=S3CRET&sig=S3CRET#token=S3CRET",
    ],
)
@pytest.mark.parametrize("urls", ["public", "any", "none"])
def test_no_error_tells_a_password(url: str, urls: Any) -> None:
    with pytest.raises(InputError) as caught:
        open_image(url, urls=urls)
    assert "S3" not in str(caught.value) and "***" in str(caught.value)
    assert caught.value.__cause__ is None or "S3" not in str(caught.value.__cause__)


@pytest.mark.parametrize("variable", ["SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"])
def test_certificates_are_of_the_name_not_of_the_address(
    serve: Serve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    (tmp_path / "both.pem").write_text(KEY + CERTIFICATE)
    (tmp_path / "trusted.pem").write_text(CERTIFICATE)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "both.pem")
    names: list[str] = []
    context.sni_callback = lambda _, name, __: names.append(name)

    def work() -> None:
        for _ in range(2):
            with server.accept()[0] as visitor, suppress(OSError):
                visitor.settimeout(20)
                with context.wrap_socket(visitor, server_side=True) as secure:
                    secure.recv(65536)
                    secure.sendall(WHOLE)

    real = socket.getaddrinfo
    monkeypatch.setattr(
        socket, "getaddrinfo", lambda host, *rest, **named: real("127.0.0.1", *rest, **named)
    )
    for other in ("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE"):
        monkeypatch.delenv(other, raising=False)
    monkeypatch.setenv(variable, str(tmp_path / "trusted.pem"))
    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=work)
        thread.start()
        port = server.getsockname()[1]
        opened = open_image(f"https://pictures.example:{port}/a.png", urls="any")
        assert opened.pixels.shape == (24, 40, 3)
        with pytest.raises(InputError, match="CERTIFICATE_VERIFY_FAILED"):
            open_image(f"https://others.example:{port}/a.png", urls="any")
        thread.join()
    assert names == ["pictures.example", "others.example"]


@pytest.mark.parametrize(
    ("variable", "words"),
    [
        ("SSL_CERT_FILE", r"SSL_CERT_FILE=.*none\.pem SSL_CERT_DIR=.* cannot be read"),
        ("REQUESTS_CA_BUNDLE", r"certificates of REQUESTS_CA_BUNDLE=.*none\.pem cannot be read"),
    ],
)
def test_certificates_that_cannot_be_read(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, variable: str, words: str
) -> None:
    for other in ("SSL_CERT_FILE", "SSL_CERT_DIR"):
        monkeypatch.delenv(other, raising=False)
    monkeypatch.setenv(variable, str(tmp_path / "none.pem"))
    with pytest.raises(InputError, match=words):
        open_image("https://127.0.0.1:1/a.png", urls="any")
