"""Proxies that the environment names, well or badly: one line that names the variable."""

import os
from typing import Any

import httpx
import pytest

from deixis.base.images import open_image
from deixis.base.proxies import proxy_for
from deixis.errors import InputError


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)


@pytest.fixture
def proxy(serve: Any) -> tuple[int, list[bytes]]:
    """The port of a proxy that refuses everything, and what it was asked."""
    heard: list[bytes] = []

    def refuse(asked: bytes, visitor: Any) -> None:
        heard.append(asked)
        status = b"407 Who Are You" if b"who" in asked else b"403 Not You"
        visitor.sendall(b"HTTP/1.1 %s\r\nContent-Length: 0\r\n\r\n" % status)

    return serve(refuse), heard


@pytest.mark.parametrize(
    ("variable", "value", "words"),
    [
        ("ALL_PROXY", "socks5://127.0.0.1:7891", "ALL_PROXY names a SOCKS proxy, and socksio is"),
        ("all_proxy", "socks5h://127.0.0.1:7891", 'python -m pip install "httpx[socks]"'),
        ("ALL_PROXY", "socks://127.0.0.1:7891", "unknown kind socks://; write socks5://HOST"),
        ("HTTP_PROXY", "socks4://127.0.0.1:7891", "HTTP_PROXY names a proxy of the unknown kind"),
        ("http_proxy", "ftp://127.0.0.1:7891", "http_proxy names a proxy of the unknown kind"),
        ("http_proxy", "http://[::1", "http_proxy does not name a proxy; write http://HOST"),
        ("http_proxy", "http://me:S3CRET@127.0.0.1:port", "http_proxy does not name a proxy"),
        ("http_proxy", "http://:8080", "http_proxy does not name a proxy"),
        ("http_proxy", "http://127.0.0.1:99999", "http_proxy does not name a proxy"),
        ("http_proxy", "http://me:S3CRET@127.0.0.1:1", "through the proxy that http_proxy names"),
    ],
)
def test_a_bad_proxy_is_named_by_its_variable(
    variable: str, value: str, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("deixis.base.proxies.find_spec", lambda _: None)
    monkeypatch.setenv(variable, value)
    with pytest.raises(InputError) as caught:
        open_image("http://93.184.216.34/a.png")
    assert words in str(caught.value) and "S3CRET" not in str(caught.value)
    assert "\n" not in str(caught.value) and "check the URL" not in str(caught.value)


@pytest.mark.parametrize(
    ("host", "exceptions", "proxied"),
    [
        ("[::1]", "[::1]", False),
        ("[::1]", "::1", False),
        ("[::1]", "[::1]:80", False),
        ("[fe11::3]", "fe11::/16", False),
        ("[fe12::3]", "fe11::/16", True),
        ("10.1.2.3", "10.0.0.0/8", False),
        ("11.1.2.3", "10.0.0.0/8 , 12.0.0.0/8", True),
        ("host.example", "other.example , host.example", False),
        ("host.example", "other.example host.example", False),
        ("host.example.", ".example", False),
        ("host.example", "*.example", False),
        ("host.example", "http://host.example:80/", False),
        ("host.example", "host.example:8080", True),
        ("host.example", "ost.example", True),
        ("host.example", "*", False),
        ("host.example", " , [, /, ://, a b", True),
    ],
)
def test_who_is_reached_without_a_proxy(
    host: str, exceptions: str, proxied: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "127.0.0.1:3128")
    monkeypatch.setenv("NO_PROXY", exceptions)
    found = proxy_for(httpx.URL(f"http://{host}/a.png"))
    assert (found is not None) is proxied
    assert proxy_for(httpx.URL(f"https://{host}/a.png")) is None
    if found:
        assert (found.variable, str(found.proxy.url)) == ("HTTP_PROXY", "http://127.0.0.1:3128")


def test_what_a_proxy_is_asked_and_what_it_may_not_be(
    proxy: tuple[int, list[bytes]], monkeypatch: pytest.MonkeyPatch
) -> None:
    port, heard = proxy
    monkeypatch.setenv("ALL_PROXY", f"http://me:word@127.0.0.1:{port}")
    for private in ("127.0.0.1", "localhost", "2130706433", "[::1]", "10.0.0.1", "intranet"):
        with pytest.raises(InputError, match="not on the public internet"):
            open_image(f"http://{private}/a.png")
    assert not heard, "also the proxy is not asked for a private address"
    with pytest.raises(InputError, match="the server answers 403"):
        open_image("http://93.184.216.34/a.png")
    assert heard[-1].startswith(b"GET http://93.184.216.34/a.png HTTP/1.1\r\n")
    assert b"Proxy-Authorization: Basic bWU6d29yZA==" in heard[-1]
    with pytest.raises(InputError, match="check the user and password in ALL_PROXY"):
        open_image("http://93.184.216.34/who.png")
    with pytest.raises(InputError, match=r"the proxy that ALL_PROXY names refuses \(403 Not You"):
        open_image("https://93.184.216.34/a.png")
    assert heard[-1].startswith(b"CONNECT 93.184.216.34:443 HTTP/1.1\r\n")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with pytest.raises(InputError, match=r"the download failed \(ConnectError.*check the URL"):
        open_image("http://127.0.0.1:1/a.png", urls="any")
