"""Where a server of language models is: its URL, taken apart."""

import base64
import re
from typing import NamedTuple
from urllib.parse import parse_qsl, unquote, urlsplit, urlunsplit

from deixis.base.urls import without_credentials
from deixis.errors import SettingsError
from deixis.llms.servers.redaction import remember, secrets_of


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
