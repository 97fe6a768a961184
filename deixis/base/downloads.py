"""Media from http(s) URLs: whom they may come from, how large, and how long it may take."""

import base64
import io
from http.client import responses
from typing import IO, NamedTuple
from urllib.parse import unquote_to_bytes

import httpcore
import httpx

from deixis.base.connections import (
    NOT_PUBLIC,
    Deadline,
    Network,
    NotPublicError,
    public_addresses,
)
from deixis.base.printable import one_line
from deixis.base.proxies import NamedProxy, ProxyError, certificates, proxy_for
from deixis.base.urls import without_credentials_in
from deixis.errors import InputError

MAX_REDIRECTS = 3

_FAULTS = (httpcore.NetworkError, httpcore.ProtocolError, httpcore.UnsupportedProtocol)
_REDIRECTS = (301, 302, 303, 307, 308)
_ACCEPTED = {"picture": "image/*", "sound": "audio/*, video/*", "video": "video/*"}
_HEADERS = [
    ("User-Agent", "deixis"),  # some large hosts answer 403 to the default of HTTP libraries
    ("Accept-Encoding", "identity"),  # a small answer must not become a large one
]


def download(url: str, where: str, *, max_bytes: int, timeout: float, public: bool) -> bytes:
    """Return the picture at a URL, as `download_into` writes it."""
    data = io.BytesIO()
    download_into(data, url, where, max_bytes=max_bytes, timeout=timeout, public=public)
    return data.getvalue()


def download_into(
    file: IO[bytes],
    url: str,
    where: str,
    *,
    max_bytes: int,
    timeout: float,
    public: bool,
    kind: str = "picture",
) -> None:
    """Write what is at a URL into a file; of more than `max_bytes` one byte more, or a few.

    Args:
        file: empty, and written from its beginning.
        url: with http or https; user and password in it are sent to its host alone.
        where: how errors call it.
        max_bytes: where reading stops.
        timeout: seconds for everything: looking up names, connecting, all redirects, reading.
        public: refuse hosts that have an address outside the public internet.
        kind: what is wanted: ``picture``, ``sound`` or ``video``.

    Raises:
        InputError: it cannot be had; the message says why.
    """
    visit = _Visit(file, max_bytes, Deadline(timeout), public, kind)
    if url[:5].lower() == "data:":  # longer than what is parsed
        raise InputError("data URLs are not opened; give bytes, an http(s) URL or a path")
    try:
        address = httpx.URL(url)
        _ = address.host  # is read from Punycode now
    except (httpx.InvalidURL, UnicodeError):  # their words may hold a part of a password
        raise InputError(
            f"{where}: not a valid URL; check it, and encode what is special"
        ) from None
    for hop in range(MAX_REDIRECTS + 1):
        here = f"{where} redirects" if hop else where
        if address.scheme not in ("http", "https"):
            raise InputError(
                f"{here}: {address.scheme} URLs are not opened; give an http(s) URL or a path"
            )
        if not address.host or not 0 <= (address.port or 0) < 65536:
            raise InputError(f"{here}: the URL names no host, or no port of one; check it")
        answer = _visit(address, here, visit)
        if answer is None:
            return
        try:
            address = address.join(answer)
            _ = address.host
        except (httpx.InvalidURL, UnicodeError):
            raise InputError(f"{where} redirects to what is no URL; give the final one") from None
    raise InputError(f"{where}: more than {MAX_REDIRECTS} redirects; give the final URL")


class _Visit(NamedTuple):
    """What holds for every address that is asked; see `download_into`."""

    file: IO[bytes]
    max_bytes: int
    deadline: Deadline
    public: bool
    kind: str


def _visit(address: httpx.URL, where: str, visit: _Visit) -> str | None:
    """Write what is at an address, or return where it redirects to."""
    deadline, public, kind = visit.deadline, visit.public, visit.kind
    named = None
    try:
        named = proxy_for(address)
        if named and public:
            _check_behind_proxy(address, deadline)
        with _pool(address, named, deadline, public) as pool:
            return _ask(pool, address, where, visit, named)
    except ProxyError as error:
        raise InputError(f"{where}: {error}") from None
    except NotPublicError as error:
        raise InputError(
            f"{where}: {NOT_PUBLIC} ({error}), which is refused; download the "
            f"{kind} and give its path, or allow it with --urls any (options.urls in the stack)"
        ) from None
    except httpcore.TimeoutException as error:
        raise InputError(
            f"{where}: the download takes too long{_through(named)}; download the {kind} and give "
            "its path"
        ) from error
    except httpcore.ProxyError as error:
        raise InputError(
            f"{where}: the proxy that {named and named.variable} names refuses ({_shown(error)}); "
            "check that variable, or name the host in NO_PROXY"
        ) from error
    except _FAULTS as error:
        raise InputError(
            f"{where}: the download failed ({type(error).__name__}: {_shown(error)})"
            f"{_through(named)}; check {'that proxy' if named else 'the URL and the network'}, or "
            f"download the {kind} and give its path"
        ) from error


def _pool(
    address: httpx.URL, named: NamedProxy | None, deadline: Deadline, public: bool
) -> httpcore.ConnectionPool:
    secure = "https" in (address.scheme, named and named.proxy.url.scheme)
    trusted = certificates() if secure else None
    if named is None:
        network = Network(deadline, public)
        return httpcore.ConnectionPool(ssl_context=trusted, network_backend=network)
    proxy = named.proxy
    url = _core_url(proxy.url)
    network = Network(deadline, public=False)  # the user has named it, wherever it is
    if proxy.url.scheme.startswith("socks"):
        return httpcore.SOCKSProxy(
            proxy_url=url, proxy_auth=proxy.raw_auth, ssl_context=trusted, network_backend=network
        )
    return httpcore.HTTPProxy(
        proxy_url=url,
        proxy_auth=proxy.raw_auth,
        ssl_context=trusted,
        proxy_ssl_context=trusted if proxy.url.scheme == "https" else None,
        network_backend=network,
    )


def _check_behind_proxy(address: httpx.URL, deadline: Deadline) -> None:
    """Refuse what is known here not to be public; the proxy looks names up for itself."""
    host = address.raw_host.decode("ascii")
    try:
        public_addresses(host, address.port or 0, deadline.left() / 4)
    except (httpcore.ConnectError, httpcore.ConnectTimeout):  # behind some proxies there is no DNS
        if "." not in host.rstrip("."):
            raise NotPublicError(f"{host} is a name of the local network") from None


def _ask(
    pool: httpcore.ConnectionPool,
    address: httpx.URL,
    where: str,
    visit: _Visit,
    named: NamedProxy | None,
) -> str | None:
    host = address.netloc.decode("ascii")
    headers = [("Host", host), *_HEADERS, ("Accept", _ACCEPTED[visit.kind])]
    if address.userinfo:
        headers.append(("Authorization", f"Basic {_basic(address)}"))
    with pool.stream("GET", _core_url(address), headers=headers) as response:
        answers = {name.lower(): value for name, value in response.headers}
        if response.status in _REDIRECTS and b"location" in answers:
            return answers[b"location"].decode("utf-8", "replace")
        if response.status != 200:
            reason = responses.get(response.status, "")  # theirs may repeat a part of the URL
            advice = "the URL"
            if named and response.status == 407:
                advice = f"the user and password in {named.variable}"
            status = f"{response.status} {reason}".strip()
            raise InputError(f"{where}: the server answers {status}; check {advice}")
        encoding = answers.get(b"content-encoding", b"").decode("latin-1").strip().lower()
        if encoding not in ("", "identity"):
            raise InputError(
                f"{where}: the server sends it compressed ({_shown(encoding)}), though asked not "
                f"to; download the {visit.kind} and give its path"
            )
        size = 0
        for chunk in response.iter_stream():
            visit.file.write(chunk)
            size += len(chunk)
            if size > visit.max_bytes:
                break  # the caller refuses it
        return None


def _core_url(url: httpx.URL) -> httpcore.URL:
    return httpcore.URL(
        scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path
    )


def _basic(address: httpx.URL) -> str:
    user, _, password = address.userinfo.partition(b":")
    pair = unquote_to_bytes(user) + b":" + unquote_to_bytes(password)
    return base64.b64encode(pair).decode("ascii")


def _through(named: NamedProxy | None) -> str:
    return f" through the proxy that {named.variable} names" if named else ""


def _shown(words: object) -> str:
    """Bring foreign words into one short printable line without credentials."""
    return without_credentials_in(one_line(str(words)))[:200]
