"""How servers of language models are asked over HTTP: in one way, whatever the provider.

Every SDK takes a transport for its client, of httpx or of its fork httpx2. The one here

- ends a request when its time is over, whatever the server has sent by then,
- reads no reply of more than `MOST_BYTES`, compressed or not,
- follows no redirect, so that no key and no post goes where nobody has sent it,
- adds the credentials that stood in the URL of the server, which the SDK does not get to see,
- picks the proxy (`deixis.llms.proxies`), and
- makes connections of its own in a forked child.
"""

import base64
import os
import re
import ssl
import threading
import time
import zlib
from functools import lru_cache
from importlib import import_module
from typing import Any, NamedTuple, NoReturn
from urllib.parse import parse_qsl, unquote, urlsplit, urlunsplit

from deixis.errors import ModelCallError, SettingsError
from deixis.llms import proxies
from deixis.llms.redaction import remember, secrets_of
from deixis.urls import without_credentials

MOST_BYTES = 20_000_000
"""Bytes of a reply that are read. The longest answer of a model has some hundred thousand."""
_PIECE = 16_384  # bytes sent at once, so that no piece alone can take long
_REDIRECTS = {301, 302, 303, 307, 308}


class Server(NamedTuple):
    """Where a server is, and what opens it.

    ``url`` is without credentials and parameters; ``parameters`` go with every request, and
    ``authorization`` is a header's value, "" for none.
    """

    url: str
    parameters: tuple[tuple[str, str], ...] = ()
    authorization: str = ""


def server_at(url: str) -> Server:
    """Take a URL apart: where to ask, and the credentials to ask with.

    Raises:
        SettingsError: it is no URL.
    """
    scheme, mark, rest = url.partition("://")
    if url and not mark:  # as Ollama's are often written
        scheme, mark, rest = "http", "://", url
    end = rest.rfind("@")
    authority = re.split(r"[/?#]", rest, maxsplit=1)[0]
    # A slash or a question mark in a password seems to end the host: what is left is no port.
    if "@" not in authority and not re.search(r":(?!\d*$)(?![^\[]*\])", authority):
        end = -1
    elif "@" in authority:
        end = authority.rfind("@")
    opening, place = rest[: max(end, 0)], rest[end + 1 :]
    try:
        parts = urlsplit(f"{scheme}{mark}{place}")
        _ = parts.port
    except ValueError:
        raise SettingsError(f"base_url: {without_credentials(url)!r} is no URL") from None
    authorization = ""
    if opening:
        user, _, password = (unquote(each) for each in opening.partition(":"))
        encoded = base64.b64encode(f"{user}:{password}".encode()).decode()
        authorization = f"Basic {encoded}"
        remember(password or user, encoded)
    remember(*secrets_of(parts.query))
    parameters = tuple(parse_qsl(parts.query, keep_blank_values=True))
    plain = urlunsplit(parts._replace(query="", fragment=""))
    return Server(plain, parameters, authorization)


def client_arguments(
    server: Server, seconds: float, proxy: tuple[str, str] | None = None
) -> dict[str, Any]:
    """Return what the client of an SDK, of httpx or httpx2, is made with.

    Args:
        server: what will be asked; its URL may be "" for what the SDK asks by itself.
        seconds: what one request may take.
        proxy: an option's name and the proxy it gives, in place of those of the environment.

    Raises:
        SettingsError: a proxy or the certificates that the environment names cannot be used.
    """
    if proxy is not None:
        proxies.checked(proxy[1], proxy[0])
    parts = urlsplit(server.url or "https://provider.invalid")
    transport = Transport(server, seconds, proxy[1] if proxy else None)
    transport.proxy(parts.scheme, parts.hostname or "", parts.port)  # now, not when it is asked
    _certificates("httpx", *_certificate_places())
    return {"transport": transport, "follow_redirects": False, "trust_env": False}


class Transport:
    """The transport of a client, of httpx as of httpx2: it answers in what it is asked in.

    Raises:
        ModelCallError: the server redirects, or its reply is too large or cannot be unpacked.
        An error of the HTTP library: no reply, or none in time.
    """

    def __init__(self, server: Server, seconds: float, proxy: str | None = None) -> None:
        self._server = server
        self._seconds = seconds
        self._proxy = proxy
        self._inner: dict[tuple[int, str, str | None], Any] = {}

    def handle_request(self, request: Any) -> Any:
        """Send a request, and return the whole reply."""
        package = type(request).__module__.partition(".")[0]
        http = import_module(package)
        request.headers["Accept-Encoding"] = "identity"
        if self._server.authorization:
            request.headers["Authorization"] = self._server.authorization
        if self._server.parameters:
            request.url = request.url.copy_merge_params(dict(self._server.parameters))
        every = dict.fromkeys(("connect", "read", "write", "pool"), self._seconds)
        request.extensions = {**request.extensions, "timeout": every}
        url = request.url
        try:
            inner = self._transport(package, self.proxy(url.scheme, url.host, url.port))
        except SettingsError as error:
            raise ModelCallError("failed", str(error)) from None
        _deadline.begin(self._seconds, http)
        response = inner.handle_request(request)
        try:
            if response.status_code in _REDIRECTS and "location" in response.headers:
                _refuse_redirect(url, str(response.headers["location"]))
            body = _body(response)
        finally:
            response.close()
        unpacked = {"content-encoding", "content-length", "transfer-encoding"}
        headers = [pair for pair in response.headers.multi_items() if pair[0] not in unpacked]
        said = {
            key: response.extensions[key]
            for key in ("http_version", "reason_phrase")
            if key in response.extensions
        }
        return http.Response(response.status_code, headers=headers, content=body, extensions=said)

    async def handle_async_request(self, request: Any) -> NoReturn:
        """Refuse: models are asked from threads."""
        raise NotImplementedError("models are asked from threads")

    def proxy(self, scheme: str, host: str, port: int | None) -> str | None:
        """Return the proxy for a host.

        Raises:
            SettingsError: it cannot be used.
        """
        return proxies.proxy_for(scheme, host, port) if self._proxy is None else self._proxy

    def _transport(self, package: str, proxy: str | None) -> Any:
        """Return the library's own transport, one a process: a child must not share sockets."""
        key = (os.getpid(), package, proxy)
        if key not in self._inner:
            http = import_module(package)
            made = http.HTTPTransport(
                verify=_certificates(package, *_certificate_places()),
                proxy=proxy,
                limits=http.Limits(max_connections=1000, max_keepalive_connections=100),
            )
            # No argument of the transport reaches this one of the pool inside.
            made._pool._network_backend = _Network(made._pool._network_backend)
            self._inner.setdefault(key, made)
        return self._inner[key]

    def close(self) -> None:
        """Keep connections open: clients are made once a process and shared."""

    async def aclose(self) -> None:
        """As `close`."""

    def __enter__(self) -> "Transport":  # noqa: D105
        return self

    def __exit__(self, *_: object) -> None:  # noqa: D105
        self.close()


def _refuse_redirect(url: Any, location: str) -> NoReturn:
    target = "".join(filter(str.isprintable, without_credentials(location[:2000])))[:200]
    raise ModelCallError(
        "failed",
        f"the server {url.scheme}://{url.netloc.decode()} redirects to {target}, which is not "
        "followed; set base_url to where the models are",
    )


def _body(response: Any) -> bytes:
    """Return the body of a reply, unpacked.

    Raises:
        ModelCallError: it is too large, or packed in a way that was not asked for.
    """
    packing = response.headers.get("content-encoding", "identity").strip().lower()
    if packing not in {"identity", "", "gzip", "x-gzip", "deflate"}:
        raise ModelCallError("failed", f"the server compresses its reply ({packing[:20]})")
    unpack = None if packing in {"identity", ""} else zlib.decompressobj(47)  # gzip or zlib
    body, received = bytearray(), 0
    for piece in response.stream:
        received += len(piece)
        try:
            body += unpack.decompress(piece, MOST_BYTES + 1 - len(body)) if unpack else piece
        except zlib.error:
            raise ModelCallError("failed", "the compressed reply is damaged") from None
        if max(len(body), received) > MOST_BYTES:
            raise ModelCallError("failed", f"the reply has more than {MOST_BYTES} bytes")
    return bytes(body)


def _certificate_places() -> tuple[str | None, str | None]:
    return os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR")


@lru_cache(maxsize=8)
def _certificates(package: str, file: str | None, folder: str | None) -> ssl.SSLContext:
    """Return whom to trust: reading the certificates takes longer than many a request.

    Raises:
        SettingsError: the file of certificates cannot be read.
    """
    try:
        context: ssl.SSLContext = import_module(package).create_ssl_context()
    except (OSError, ssl.SSLError) as error:
        raise SettingsError(
            f"the certificates of SSL_CERT_FILE={file or ''} SSL_CERT_DIR={folder or ''} cannot "
            f"be read ({error.strerror or error}); correct or unset the variable"
        ) from None
    return context


class _Deadline(threading.local):
    """When the request of this thread has to be over; the libraries time single steps alone."""

    at = 0.0
    seconds = 0.0
    http: Any = None

    def begin(self, seconds: float, http: Any) -> None:
        self.at, self.seconds, self.http = time.monotonic() + seconds, seconds, http

    def left(self) -> float:
        """Return the seconds that are left, more than 0."""
        left = self.at - time.monotonic()
        if left <= 0:
            raise self.http.ReadTimeout(f"timed out: no whole reply within {self.seconds:g} s")
        return left


_deadline = _Deadline()


class _Network:
    """The network as httpcore sees it, where no step takes longer than its request may."""

    def __init__(self, network: Any) -> None:
        self._network = network

    def connect_tcp(self, host: str, port: int, timeout: Any = None, **options: Any) -> "_Stream":
        options["timeout"] = _deadline.left()
        return _Stream(self._network.connect_tcp(host, port, **options))

    def sleep(self, seconds: float) -> None:
        self._network.sleep(seconds)


class _Stream:
    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def read(self, max_bytes: int, timeout: Any = None) -> bytes:
        got: bytes = self._stream.read(max_bytes, _deadline.left())
        return got

    def write(self, buffer: bytes, timeout: Any = None) -> None:
        for start in range(0, len(buffer), _PIECE):
            self._stream.write(buffer[start : start + _PIECE], _deadline.left())

    def start_tls(self, ssl_context: Any, server_hostname: Any = None, timeout: Any = None) -> Any:
        return _Stream(self._stream.start_tls(ssl_context, server_hostname, _deadline.left()))

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)

    def close(self) -> None:
        self._stream.close()
