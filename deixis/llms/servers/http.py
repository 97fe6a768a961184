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

import os
import ssl
import sys
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from importlib import import_module
from ipaddress import ip_address
from typing import Any, NoReturn

import httpx

from deixis.base.proxies import ProxyError, certificates, proxy_for
from deixis.base.urls import without_credentials
from deixis.errors import ModelCallError, SettingsError
from deixis.llms.servers.address import Server, server_at
from deixis.llms.servers.awaited import SLIP, Asked
from deixis.llms.servers.deadline import DEADLINE, Network
from deixis.llms.servers.lanes import Lanes
from deixis.llms.servers.replies import Came, begun_of, judged, whole
from deixis.llms.servers.shortcut import Shortcut
from deixis.llms.servers.wire import Sent, Wire

MOST_BYTES = 20_000_000
"""Bytes of a reply that are read. The longest answer of a model has some hundred thousand."""


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

    Attributes:
        shortcut: asks as the client has asked before, without the SDK.

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
        self.shortcut = Shortcut(self.exchange)

    def handle_request(self, request: Any) -> Any:
        """Send a request, and return the whole reply; or the one that has been brought already."""
        http = import_module(_package(request))
        return self._came(request, http).response(http)

    def _came(self, request: Any, http: Any) -> Came:
        url, path = request.url, str(request.url.path)
        if (came := self.shortcut.taken()) is not None:
            return came
        if (slip := SLIP.get()) is not None:
            betas = request.headers.get("anthropic-beta", "")
            if (kept := slip.reply(Asked(path, betas, request.read()))) is not None:
                headers = [("content-type", "application/json")]
                return judged(Came(kept.status, headers, kept.body), request.method, path)
        proxy = self._way(request)
        if proxy is None:
            self._prepare(request)
            sent = Sent.of(request, http)
            came = self.exchange(sent, request.read(), http)
            self.shortcut.show(sent, http, came)
            return came
        response = self._through(proxy, request)
        try:
            came = whole(begun_of(response), f"{url.scheme}://{url.netloc.decode()}", MOST_BYTES)
        finally:
            response.close()
        return judged(came, request.method, path)

    def exchange(self, sent: Sent, body: bytes, http: Any) -> Came:
        """Send a request that needs no proxy, and return the whole reply.

        Args:
            sent: where it goes, with the credentials that the URL of the server had.
            body: what it holds.
            http: the library whose errors are raised.
        """
        trusted = _trusted(http.__name__) if sent.secure else None
        DEADLINE.begin(self._seconds, http)
        lanes = self._lanes((sent.host, sent.port, trusted), lambda: Wire(sent, trusted))
        with lanes.lane(self._seconds, http) as wire:
            try:
                begun = wire.ask(sent, body, http)
                came = whole(begun, sent.site, MOST_BYTES)
            except BaseException:
                wire.close()
                raise
        return judged(came, sent.method, sent.path)

    def send(self, request: Any) -> Any:
        """Send a request through the HTTP library, and return the reply as it begins to come."""
        return self._through(self._way(request), request)

    def _through(self, proxy: httpx.Proxy | None, request: Any) -> Any:
        package = _package(request)
        http = import_module(package)
        self._prepare(request)
        every = dict.fromkeys(("connect", "read", "write", "pool"), self._seconds)
        request.extensions = {**request.extensions, "timeout": every}
        DEADLINE.begin(self._seconds, http)
        through = proxy and (str(proxy.url), proxy.auth)
        lanes = self._lanes((package, through), partial(_made, package, proxy))
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

    def _way(self, request: Any) -> httpx.Proxy | None:
        try:
            return self.proxy(str(request.url))
        except ProxyError as error:
            raise ModelCallError("failed", str(error)) from None

    def _prepare(self, request: Any) -> None:
        request.headers["Accept-Encoding"] = "identity"
        if self._server.authorization:
            request.headers["Authorization"] = self._server.authorization
        if self._server.parameters:
            request.url = request.url.copy_merge_params(dict(self._server.parameters))

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

    def _lanes(self, where: tuple[Any, ...], make: Callable[[], Any]) -> Lanes:
        """Return the connections of one process: a child must not share sockets."""
        key = (os.getpid(), *where)
        return self._inner.get(key) or self._inner.setdefault(key, Lanes(make))

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


def _package(request: Any) -> str:
    return type(request).__module__.partition(".")[0]


def _trusted(package: str) -> ssl.SSLContext:
    """Return whom to trust.

    Raises:
        ModelCallError: the certificates that the environment names cannot be used.
    """
    try:
        return certificates(package)
    except ProxyError as error:
        raise ModelCallError("failed", str(error)) from None


def _made(package: str, proxy: httpx.Proxy | None) -> Any:
    """Return a library's own transport, of one connection.

    Raises:
        ModelCallError: the proxy, or the certificates that the environment names, cannot be used.
    """
    http = import_module(package)
    trusted = _trusted(package)
    try:
        made = http.HTTPTransport(
            verify=trusted,
            proxy=proxy and http.Proxy(str(proxy.url), auth=proxy.auth),
            limits=http.Limits(max_connections=1, max_keepalive_connections=1),
        )
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
