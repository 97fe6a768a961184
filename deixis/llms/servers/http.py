"""How servers of language models are asked over HTTP: in one way, whatever the provider.

Every SDK takes a transport for its client, of httpx or of its fork httpx2. The one here

- ends a request when its time is over, whatever the server has sent by then,
- reads no reply of more than `MOST_BYTES`, compressed or not,
- tells an error that a server calls a success, and a page where an answer should be,
- follows no redirect, so that no key and no post goes where nobody has sent it,
- adds the credentials that stood in the URL of the server, which the SDK does not get to see,
- goes through the proxy that the environment names, unless the server is on this machine, and
- makes connections of its own in a forked child.
"""

import base64
import codecs
import os
import re
import sys
import zlib
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from importlib import import_module
from ipaddress import ip_address
from typing import Any, NamedTuple, NoReturn
from urllib.parse import parse_qsl, unquote, urlsplit, urlunsplit

import httpx

from deixis.base.printable import one_line
from deixis.base.proxies import ProxyError, certificates, proxy_for
from deixis.base.urls import without_credentials
from deixis.errors import ModelCallError, SettingsError
from deixis.llms.servers.awaited import SLIP, Asked
from deixis.llms.servers.deadline import DEADLINE, Network
from deixis.llms.servers.lanes import Lanes
from deixis.llms.servers.redaction import remember, secrets_of
from deixis.llms.servers.success import success

MOST_BYTES = 20_000_000
"""Bytes of a reply that are read. The longest answer of a model has some hundred thousand."""


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
        user, _, password = (unquote(part) for part in opening.partition(":"))
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
    transport = Transport(server, seconds, _named(*proxy) if proxy else None)
    try:  # now, and not when it is asked
        transport.proxy(server.url or "https://provider.invalid")
        certificates()
    except (ProxyError, httpx.InvalidURL) as error:
        raise SettingsError(str(error)) from None
    return {"transport": transport, "follow_redirects": False, "trust_env": False}


def _named(option: str, url: str) -> httpx.Proxy:
    server_at(url)  # its password is not to be told
    try:
        return httpx.Proxy(url)
    except (httpx.InvalidURL, ValueError):
        raise SettingsError(f"option {option}: {without_credentials(url)!r} is no URL") from None


class Transport:
    """The transport of a client, of httpx as of httpx2: it answers in what it is asked in.

    Raises:
        ModelCallError: the server redirects, or its reply is too large, cannot be unpacked, or is
            no answer of a model.
        An error of the HTTP library: no reply, or none in time.
    """

    def __init__(self, server: Server, seconds: float, proxy: httpx.Proxy | None = None) -> None:
        self._server = server
        self._seconds = seconds
        self._proxy = proxy
        self._inner: dict[tuple[Any, ...], Lanes] = {}

    def handle_request(self, request: Any) -> Any:
        """Send a request, and return the whole reply; or the one that a batch has brought."""
        http = import_module(type(request).__module__.partition(".")[0])
        url = request.url
        kept = None
        if (slip := SLIP.get()) is not None:
            betas = request.headers.get("anthropic-beta", "")
            kept = slip.reply(Asked(str(url.path), betas, request.read()))
        if kept is not None:
            status, body = kept
            headers, extensions = [("content-type", "application/json")], {}
        else:
            response = self.send(request)
            status = response.status_code
            try:
                if response.has_redirect_location:
                    _refuse_redirect(url, str(response.headers["location"]))
                body = _body(response)
            finally:
                response.close()
            unpacked = {"content-encoding", "content-length", "transfer-encoding"}
            headers = [pair for pair in response.headers.multi_items() if pair[0] not in unpacked]
            extensions = {
                key: response.extensions[key]
                for key in ("http_version", "reason_phrase")
                if key in response.extensions
            }
        if request.method == "POST" and 200 <= status < 300:
            status = success(body, str(url.path)) or status
        return http.Response(status, headers=headers, content=body, extensions=extensions)

    def send(self, request: Any) -> Any:
        """Send a request, and return the reply as it begins to come."""
        package = type(request).__module__.partition(".")[0]
        http = import_module(package)
        request.headers["Accept-Encoding"] = "identity"
        if self._server.authorization:
            request.headers["Authorization"] = self._server.authorization
        if self._server.parameters:
            request.url = request.url.copy_merge_params(dict(self._server.parameters))
        every = dict.fromkeys(("connect", "read", "write", "pool"), self._seconds)
        request.extensions = {**request.extensions, "timeout": every}
        try:
            lanes = self._lanes(package, self.proxy(str(request.url)))
        except ProxyError as error:
            raise ModelCallError("failed", str(error)) from None
        DEADLINE.begin(self._seconds, http)
        with ExitStack() as taken:
            lane = taken.enter_context(lanes.lane(self._seconds, http))
            response = lane.handle_request(request)
            held = taken.pop_all()
        stream = response.stream

        def close() -> None:
            del stream.close  # the library's own is there again
            with held:
                stream.close()

        stream.close = close
        return response

    def like(self, kind: type["Transport"], seconds: float) -> "Transport":
        """Return one of another kind that goes to the same server by the same way."""
        return kind(self._server, seconds, self._proxy)

    async def handle_async_request(self, request: Any) -> NoReturn:
        """Refuse: models are asked from threads."""
        raise NotImplementedError("models are asked from threads")

    def proxy(self, url: str) -> httpx.Proxy | None:
        """Return the proxy on the way to a URL.

        Raises:
            ProxyError: it cannot be used.
        """
        parsed = httpx.URL(url)
        if self._proxy is not None or _is_loopback(parsed.host):
            return self._proxy
        named = proxy_for(parsed)
        return None if named is None else named.proxy

    def _lanes(self, package: str, proxy: httpx.Proxy | None) -> Lanes:
        """Return the library's own transports, of one process: a child must not share sockets."""
        key = (os.getpid(), package, proxy and (str(proxy.url), proxy.auth))
        if key not in self._inner:
            self._inner.setdefault(key, Lanes(partial(_made, package, proxy)))
        return self._inner[key]

    def close(self) -> None:
        """Keep connections open: clients are made once per process and shared."""

    def __del__(self, ends: Callable[[], bool] = sys.is_finalizing) -> None:
        """Close what nobody asks through any more; what another process opened stays its own."""
        if not ends():  # when Python ends, all is closed, and modules are gone
            for (process, *_), lanes in self._inner.items():
                if process == os.getpid():
                    lanes.close()

    async def aclose(self) -> None:
        """As `close`."""

    def __enter__(self) -> "Transport":  # noqa: D105
        return self

    def __exit__(self, *_: object) -> None:  # noqa: D105
        self.close()


def _made(package: str, proxy: httpx.Proxy | None) -> Any:
    """Return a library's own transport, of one connection.

    Raises:
        ModelCallError: the proxy, or the certificates that the environment names, cannot be used.
    """
    http = import_module(package)
    try:
        made = http.HTTPTransport(
            verify=certificates(package),
            proxy=proxy and http.Proxy(str(proxy.url), auth=proxy.auth),
            limits=http.Limits(max_connections=1, max_keepalive_connections=1),
        )
    except ProxyError as error:
        raise ModelCallError("failed", str(error)) from None
    except (ImportError, ValueError) as error:  # of an option: the environment is checked
        raise ModelCallError("failed", f"the proxy cannot be used: {error}") from None
    # No argument of the transport reaches this one of the pool inside.
    made._pool._network_backend = Network(made._pool._network_backend)
    return made


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def _refuse_redirect(url: Any, location: str) -> NoReturn:
    target = one_line(without_credentials(location[:2000]), 200)
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
    return bytes(body).removeprefix(codecs.BOM_UTF8)
