"""Connections of a download: to addresses that were checked, and all under one deadline."""

import queue
import re
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterable
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any

import httpcore

# Not those of `ipaddress`, which differ between versions of Python. 168.63.129.16 is what a
# machine at Azure is told its settings by.
_PRIVATE = [
    ip_network(text)
    for text in (
        *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "168.63.129.16/32"),
        *("169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24"),
        *("192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/3"),
        *("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"),
    )
]
_GLOBAL = IPv6Network("2000::/3")  # the rest of IPv6 is private, local, multicast or unassigned
_CARRY_IPV4 = IPv6Network("::ffff:0:0/96"), IPv6Network("64:ff9b::/96")  # mapped, NAT64
NOT_PUBLIC = "not on the public internet"
"""What errors say of a host that is refused; what follows may name its address."""
_PIECE = 16_384  # bytes that are sent at once
_LOCAL_NAME = re.compile(r"(?:.*\.)?(?:localhost|local|internal|home\.arpa)\.?", re.IGNORECASE)


class NotPublicError(Exception):
    """A host is not on the public internet."""


class Deadline:
    """The time that a whole download may take, in seconds from now."""

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds

    def left(self) -> float:
        """Return the seconds that are left; raise `httpcore.TimeoutException` if none are."""
        if (left := self._end - time.monotonic()) <= 0:
            raise httpcore.TimeoutException("the time is up")
        return left


class Network(httpcore.SyncBackend):
    """Connects to what a name stands for, which is looked up once.

    Args:
        deadline: of everything that is done here.
        public: whether addresses that are not public are refused.
    """

    def __init__(self, deadline: Deadline, public: bool) -> None:
        self._deadline = deadline
        self._public = public

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        """Connect to the first address of the host that answers.

        Raises:
            NotPublicError: one of its addresses is not public, and all have to be.
        """
        look = public_addresses if self._public else look_up
        addresses = look(host, port, self._deadline.left())
        for more, address in zip(range(len(addresses) - 1, -1, -1), addresses, strict=True):
            share = self._deadline.left() / (more + 1)
            try:
                stream = super().connect_tcp(address, port, share, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                if not more:
                    raise
            else:
                return TimedStream(stream, self._deadline.left)
        raise httpcore.ConnectError("the host has no address")


class TimedStream(httpcore.NetworkStream):
    """A connection on which nothing waits beyond a deadline, however often something comes.

    Args:
        stream: of httpcore, or of its fork httpcore2.
        left: returns the seconds that are left, and raises when none are.
    """

    def __init__(self, stream: Any, left: Callable[[], float]) -> None:
        self._stream = stream
        self._left = left

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Read what has come, within what is left of the time."""
        data: bytes = self._stream.read(max_bytes, self._left())
        return data

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Send all of it, in pieces that cannot take long alone."""
        for start in range(0, len(buffer), _PIECE):
            self._stream.write(buffer[start : start + _PIECE], self._left())

    def close(self) -> None:
        """Close the connection."""
        self._stream.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        """Return the same connection, encrypted and under the same deadline."""
        encrypted = self._stream.start_tls(ssl_context, server_hostname, self._left())
        return TimedStream(encrypted, self._left)

    def get_extra_info(self, info: str) -> Any:
        """Return what the connection says of itself."""
        return self._stream.get_extra_info(info)


def public_addresses(host: str, port: int, seconds: float) -> list[str]:
    """Look a host up as `look_up` does, and refuse it unless all its addresses are public.

    Raises:
        NotPublicError: one is not.
    """
    if _LOCAL_NAME.fullmatch(host):
        raise NotPublicError(f"{host} is a name of this machine or its network")
    addresses = look_up(host, port, seconds)
    for address in addresses:
        if not is_public(address):
            raise NotPublicError(f"{host} is at {address}" if address != host else address)
    return addresses


def look_up(host: str, port: int, seconds: float) -> list[str]:
    """Return the addresses of a host, each once, in the system's order.

    Raises:
        httpcore.ConnectError: there is no such host.
        httpcore.ConnectTimeout: nobody has said so in time.
    """
    answers: queue.SimpleQueue[list[Any] | Exception] = queue.SimpleQueue()
    if (bare := host.rstrip("."))[-1:].isdigit():  # 127.0.0.1. is no name
        host = bare

    def ask() -> None:
        try:
            answers.put(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
        except (OSError, UnicodeError) as error:
            answers.put(error)

    # The system's look-up knows no time limit: what takes too long is left behind.
    threading.Thread(target=ask, daemon=True).start()
    try:
        answer = answers.get(timeout=seconds)
    except queue.Empty:
        raise httpcore.ConnectTimeout("the name look-up takes too long") from None
    if isinstance(answer, Exception):
        raise httpcore.ConnectError(str(answer)) from answer
    return list(dict.fromkeys(str(record[4][0]) for record in answer))


def is_public(address: str) -> bool:
    """Return whether an IP address is one of the public internet's.

    Private, loopback, link-local, shared, multicast, reserved and unspecified addresses are
    not; of an IPv6 address that stands for one of IPv4, that one counts.
    """
    ip: IPv4Address | IPv6Address = ip_address(address.partition("%")[0])
    if isinstance(ip, IPv6Address):
        if any(ip in network for network in _CARRY_IPV4):
            ip = IPv4Address(int(ip) & 0xFFFFFFFF)
        elif ip not in _GLOBAL:
            return False
    return not any(ip in network for network in _PRIVATE)
