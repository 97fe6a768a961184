"""Which proxy a request goes through, by the environment, and what is wrong with it.

The environment is read as curl and Python's own library read it: ``HTTPS_PROXY``,
``HTTP_PROXY`` and ``ALL_PROXY`` in either case, ``NO_PROXY`` for hosts, domains and networks.
A server on the loopback device is asked without one.
"""

import ipaddress
import urllib.request
from importlib.util import find_spec
from urllib.parse import urlsplit

from deixis.errors import SettingsError
from deixis.urls import without_credentials

_SCHEMES = ("http", "https", "socks5", "socks5h")


def proxy_for(scheme: str, host: str, port: int | None) -> str | None:
    """Return the URL of the proxy for requests to a host, or None.

    Args:
        scheme: ``http`` or ``https``.
        host: as in a URL, without the brackets of an IPv6 address.
        port: None for the scheme's own.

    Raises:
        SettingsError: the environment names a proxy that cannot be used.
    """
    if is_loopback(host):
        return None
    found = urllib.request.getproxies()  # of the environment, else of macOS or Windows
    name = next((each for each in (scheme, "all") if found.get(each)), None)
    if name is None or _in_networks(host, found.get("no", "")):
        return None
    if urllib.request.proxy_bypass(host if port is None else f"{host}:{port}"):
        return None
    return checked(found[name], f"{name.upper()}_PROXY")


def checked(proxy: str, name: str) -> str:
    """Return the URL of a proxy, which can be used.

    Args:
        proxy: a URL, or a host and a port.
        name: the variable or option that has it.

    Raises:
        SettingsError: it cannot.
    """
    url = proxy.strip() if "://" in proxy else f"http://{proxy.strip()}"
    shown = without_credentials(url)
    try:
        parts = urlsplit(url)
        usable = bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable or parts.scheme not in _SCHEMES:
        known = ", ".join(f"{each}://" for each in _SCHEMES)
        raise SettingsError(
            f"the proxy {shown!r} of {name} cannot be used; give a URL that begins with one of "
            f"{known}, or unset {name}"
        )
    if parts.scheme.startswith("socks") and find_spec("socksio") is None:
        raise SettingsError(
            f"the proxy {shown!r} of {name} needs a package; run: "
            f'python -m pip install "httpx[socks]", or unset {name}'
        )
    return url


def is_loopback(host: str) -> bool:
    """Whether a host is this machine by its name or its address."""
    name = host.strip("[]").rstrip(".").lower()
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def _in_networks(host: str, networks: str) -> bool:
    """Whether ``NO_PROXY`` has an address of, or a network around a host that is an address."""
    try:
        address = ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return False
    for each in networks.split(","):
        try:
            if address in ipaddress.ip_network(each.strip().strip("[]"), strict=False):
                return True
        except ValueError:  # the name of a host
            continue
    return False
