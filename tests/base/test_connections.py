"""Which hosts a download may reach, and that it reaches the one that was checked."""

import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from deixis.base.connections import is_public
from deixis.base.images import open_image
from deixis.errors import InputError
from deixis.testing import Request, Response, serving

PRIVATE = [
    *("127.0.0.1", "127.255.255.254", "0.0.0.0", "10.0.0.1", "172.16.0.1", "172.31.255.255"),
    *("192.168.1.1", "169.254.169.254", "100.64.0.1", "100.100.100.200", "192.0.0.192"),
    *("192.0.2.1", "198.18.0.1", "198.51.100.1", "203.0.113.1", "224.0.0.1", "239.255.255.250"),
    *("240.0.0.1", "255.255.255.255", "192.88.99.1", "168.63.129.16"),
    *("::", "::1", "::127.0.0.1", "::ffff:127.0.0.1", "::ffff:7f00:1", "::ffff:10.0.0.1"),
    *("64:ff9b::7f00:1", "64:ff9b::10.0.0.1", "64:ff9b:1::8.8.8.8", "2002:7f00:1::"),
    *("2001:0:7f00:1::", "fe80::1", "fe80::1%lo", "fec0::1", "fc00::1", "fd00:ec2::254"),
    *("ff02::1", "2001:db8::1", "3fff::1", "100::1", "5f00::1", "4000::1"),
]
PUBLIC = [
    *("8.8.8.8", "93.184.216.34", "172.15.255.255", "172.32.0.1", "100.63.0.1", "100.128.0.1"),
    *("1.1.1.1", "223.255.255.255", "198.20.0.1", "2606:4700::1111", "2a00:1450:4001::1"),
    *("::ffff:8.8.8.8", "64:ff9b::8.8.8.8", "2001:4860:4860::8888"),
]
SPELLINGS = [
    *("127.0.0.1", "localhost", "LOCALHOST", "localhost.", "a.localhost", "2130706433"),
    *("0x7f000001", "0x7f.1", "127.1", "0", "0.0.0.0", "[::1]", "[::]"),
    *("[::ffff:127.0.0.1]", "[64:ff9b::7f00:1]", "[2002:7f00:0001::]", "[fe80::1]"),
    *("169.254.169.254", "10.0.0.1", "user:word@127.0.0.1", "127.0.0.1."),
    *("metadata.google.internal", "printer.local", "router.home.arpa"),
]


@pytest.mark.parametrize("address", PRIVATE)
def test_what_is_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", PUBLIC)
def test_what_is_public(address: str) -> None:
    assert is_public(address)


def lookups(monkeypatch: pytest.MonkeyPatch, *answers: list[str]) -> list[str]:
    """Let a name stand for one list of addresses after the other; return the names asked for."""
    asked: list[str] = []
    real = socket.getaddrinfo

    def getaddrinfo(host: str, port: int, *rest: Any, **named: Any) -> Any:
        if not host.endswith(".example"):
            return real(host, port, *rest, **named)
        asked.append(host)
        found = answers[min(len(asked), len(answers)) - 1]
        return [each for address in found for each in real(address, port, *rest, **named)]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    return asked


@pytest.fixture
def door() -> Iterator[tuple[int, list[Request]]]:
    """A port of this machine that answers each visitor with a redirect, and what they said."""

    def answer(request: Request) -> Response:
        target = request.path.partition("?to=")[2]
        return Response(302, b"", {"Location": target}) if target else Response(404)

    with serving(answer) as server:
        yield server.server_port, server.requests


@pytest.mark.parametrize("host", SPELLINGS)
def test_this_machine_and_its_network_are_refused_however_they_are_spelt(
    host: str, door: tuple[int, list[Request]]
) -> None:
    port, heard = door
    with pytest.raises(
        InputError, match=r"not on the public internet \(.*--urls any .options.urls in the stack"
    ):
        open_image(f"http://{host}:{port}/a.png")
    assert not heard


@pytest.mark.parametrize(
    "target",
    [
        *(f"http://{host}/secret" for host in SPELLINGS),
        "//private.example/secret",
    ],
)
def test_so_they_are_behind_a_redirect(
    target: str, door: tuple[int, list[Request]], monkeypatch: pytest.MonkeyPatch
) -> None:
    port, heard = door
    lookups(monkeypatch, ["127.0.0.7"], ["10.0.0.1"])
    real = socket.create_connection
    monkeypatch.setattr("deixis.base.connections.is_public", lambda each: each == "127.0.0.7")
    monkeypatch.setattr(
        socket, "create_connection", lambda at, *rest, **named: real(("127.0.0.1", port))
    )
    with pytest.raises(InputError, match="redirects: not on the public internet"):
        open_image(f"http://public.example:{port}/?to={target}")
    assert len(heard) == 1


@pytest.mark.parametrize("addresses", [["93.184.216.34", "10.0.0.1"], ["::1", "2606:4700::1111"]])
def test_one_private_address_of_several_is_enough(
    addresses: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    lookups(monkeypatch, addresses)
    with pytest.raises(InputError, match="not on the public internet"):
        open_image("http://both.example/a.png")


def test_a_name_is_looked_up_once_and_what_was_checked_is_visited(
    door: tuple[int, list[Request]], monkeypatch: pytest.MonkeyPatch
) -> None:
    port, heard = door
    asked = lookups(monkeypatch, ["127.0.0.1"], ["127.0.0.2"])  # rebinding: then another
    monkeypatch.setattr("deixis.base.connections.is_public", lambda each: each == "127.0.0.1")
    with pytest.raises(InputError, match="404"):
        open_image(f"http://turns.example:{port}/a.png")
    assert asked == ["turns.example"]
    assert heard[0].headers["host"] == f"turns.example:{port}"
    with pytest.raises(InputError, match=r"not on the public internet \(turns\.example is at 127"):
        open_image(f"http://turns.example:{port}/a.png")
    assert len(heard) == 1


def test_any_opens_all_and_none_opens_none(door: tuple[int, list[Request]]) -> None:
    port, heard = door
    with pytest.raises(InputError, match="the server answers 404"):
        open_image(f"http://localhost:{port}/a.png", urls="any")
    assert len(heard) == 1
    with pytest.raises(InputError, match="URLs are not opened; give a path, or allow them with"):
        open_image(f"http://localhost:{port}/a.png", urls="none")
    assert len(heard) == 1


def test_the_next_address_is_tried(
    door: tuple[int, list[Request]], monkeypatch: pytest.MonkeyPatch
) -> None:
    port, _ = door
    lookups(monkeypatch, ["::1", "127.0.0.1"])  # nobody listens at the first
    with pytest.raises(InputError, match="the server answers 404"):
        open_image(f"http://two.example:{port}/a.png", urls="any")


def test_a_look_up_that_hangs_is_left_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    end = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: end.wait(20) and [])
    with pytest.raises(InputError, match="the download takes too long"):
        open_image("http://slow.example/a.png", timeout=0.1)
    end.set()
