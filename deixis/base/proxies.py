"""The proxy and the certificates that the environment names."""

import os
import re
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from importlib import import_module
from importlib.util import find_spec
from ipaddress import ip_address, ip_network
from typing import NamedTuple
from urllib.request import getproxies

import httpx

_SCHEMES = ("http", "https", "socks5", "socks5h")


class ProxyError(Exception):
    """The environment names what cannot be used; the message says what to do."""


class NamedProxy(NamedTuple):
    """A proxy and the variable of the environment that names it."""

    variable: str
    proxy: httpx.Proxy


def proxy_for(url: httpx.URL) -> NamedProxy | None:
    """Return the proxy for a URL, or None if it is to be reached without one.

    ``http_proxy``, ``https_proxy``, ``all_proxy`` and ``no_proxy`` count, in capitals too.
    Hosts in ``no_proxy`` stand between commas or spaces: names (with what is under them),
    addresses, networks such as ``10.0.0.0/8``, or ``*``.

    Raises:
        ProxyError: the proxy is named in a way that is not understood, or needs a package.
    """
    known = getproxies()
    kind = url.scheme if known.get(url.scheme) else "all"
    value = known.get(kind, "").strip()
    if not value or _excepted(url, known.get("no", "")):
        return None
    names = [name for name in os.environ if name.lower() == f"{kind}_proxy"]
    variable = max(names, default=f"the system's setting for {kind}")  # small letters go first
    scheme = value.partition("://")[0].lower() if "://" in value else "http"
    if scheme not in _SCHEMES:
        advice = "write socks5://HOST:PORT" if "socks" in scheme else "write http://HOST:PORT"
        raise ProxyError(f"{variable} names a proxy of the unknown kind {scheme}://; {advice}")
    if scheme.startswith("socks") and find_spec("socksio") is None:
        raise ProxyError(
            f"{variable} names a SOCKS proxy, and socksio is not installed; run: "
            f'python -m pip install "httpx[socks]", or name the host in NO_PROXY'
        )
    try:
        proxy = httpx.Proxy(value if "://" in value else f"http://{value}")
    except (httpx.InvalidURL, ValueError):  # its words may hold a password
        proxy = None
    if proxy is None or not proxy.url.host or not 0 <= (proxy.url.port or 0) < 65536:
        raise ProxyError(f"{variable} does not name a proxy; write http://HOST:PORT, or unset it")
    return NamedProxy(variable, proxy)


@contextmanager
def unproxied() -> Iterator[None]:
    """Have libraries that look for proxies as they are imported find none."""
    before = os.environ.get("no_proxy")
    os.environ["no_proxy"] = "*"
    try:
        yield
    finally:
        if before is None:
            del os.environ["no_proxy"]
        else:
            os.environ["no_proxy"] = before


def certificates(package: str = "httpx") -> ssl.SSLContext:
    """Return whom to trust, as a library for HTTP has it: httpx, or its fork httpx2.

    ``REQUESTS_CA_BUNDLE``, which pip and requests go by, counts where neither ``SSL_CERT_FILE``
    nor ``SSL_CERT_DIR`` is set; whom the library trusts of its own accord is trusted too.

    Raises:
        ProxyError: the certificates that the environment names cannot be read.
    """
    names = ("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE")
    return _certificates(package, *map(os.environ.get, names))


@lru_cache(maxsize=8)  # reading them takes longer than many a request
def _certificates(
    package: str, file: str | None, folder: str | None, bundle: str | None
) -> ssl.SSLContext:
    named = f"SSL_CERT_FILE={file or ''} SSL_CERT_DIR={folder or ''}"
    try:
        context: ssl.SSLContext = import_module(package).create_ssl_context()
        if bundle and not (file or folder):
            named = f"REQUESTS_CA_BUNDLE={bundle}"
            kind = "capath" if os.path.isdir(bundle) else "cafile"
            context.load_verify_locations(**{kind: bundle})
    except OSError as error:
        raise ProxyError(
            f"the certificates of {named} cannot be read ({error.strerror or error}); correct or "
            "unset the variable"
        ) from None
    return context


def _excepted(url: httpx.URL, exceptions: str) -> bool:
    host = url.host.lower().rstrip(".")
    port = url.port or (443 if url.scheme == "https" else 80)
    for entry in re.split(r"[,;\s]+", exceptions.lower()):
        name = entry.rpartition("://")[2].rstrip("/")
        if name.endswith(f":{port}") and (name.count(":") == 1 or "]:" in name):
            name = name.removesuffix(f":{port}")
        name = name.strip("[]").lstrip("*").strip(".")
        if entry == "*" or (name and (host == name or host.endswith(f".{name}"))):
            return True
        try:
            if ip_address(host) in ip_network(name, strict=False):
                return True
        except ValueError:  # one of the two is a name
            continue
    return False
