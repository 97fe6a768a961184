"""Replies of servers: read to their end, unpacked, within bounds, and what they are."""

import codecs
import zlib
from collections.abc import Iterable
from typing import Any, NamedTuple, NoReturn

from deixis.base.printable import one_line
from deixis.base.urls import without_credentials
from deixis.errors import ModelCallError
from deixis.llms.servers.success import success

_REDIRECTS = {301, 302, 303, 307, 308}
_UNPACKED = {"content-encoding", "content-length", "transfer-encoding"}
Headers = list[tuple[str, str]]


class Begun(NamedTuple):
    """A reply as it begins to come; its body comes in pieces."""

    status: int
    headers: Headers
    pieces: Iterable[bytes]


class Came(NamedTuple):
    """A reply, whole and unpacked."""

    status: int
    headers: Headers
    body: bytes

    def response(self, http: Any) -> Any:
        """Return it as a response of httpx or httpx2."""
        headers = [
            (name.encode("latin-1"), value.encode("latin-1")) for name, value in self.headers
        ]
        return http.Response(self.status, headers=headers, content=self.body)


def begun_of(response: Any) -> Begun:
    """Return a reply of httpx or httpx2."""
    raw = [
        (name.decode("latin-1"), value.decode("latin-1")) for name, value in response.headers.raw
    ]
    return Begun(response.status_code, raw, response.stream)


def whole(begun: Begun, site: str, most: int) -> Came:
    """Read a reply to its end.

    Args:
        begun: the reply.
        site: whose it is, for errors.
        most: bytes of its body that are read.

    Raises:
        ModelCallError: it redirects, is too large, or is packed in a way that was not asked for.
    """
    named = {name.lower(): value for name, value in begun.headers}
    if begun.status in _REDIRECTS and "location" in named:
        _refuse_redirect(site, named["location"])
    packing = named.get("content-encoding", "identity").strip().lower()
    if packing not in {"identity", "", "gzip", "x-gzip", "deflate"}:
        raise ModelCallError("failed", f"the server compresses its reply ({packing[:20]})")
    unpack = None if packing in {"identity", ""} else zlib.decompressobj(47)  # gzip or zlib
    body, received = bytearray(), 0
    for piece in begun.pieces:
        received += len(piece)
        try:
            body += unpack.decompress(piece, most + 1 - len(body)) if unpack else piece
        except zlib.error:
            raise ModelCallError("failed", "the compressed reply is damaged") from None
        if max(len(body), received) > most:
            raise ModelCallError("failed", f"the reply has more than {most} bytes")
    headers = [pair for pair in begun.headers if pair[0].lower() not in _UNPACKED]
    return Came(begun.status, headers, bytes(body).removeprefix(codecs.BOM_UTF8))


def judged(came: Came, method: str, path: str) -> Came:
    """Return a reply with the status that it should have had.

    Raises:
        ModelCallError: it comes with success, and is no answer of a model.
    """
    if method == "POST" and 200 <= came.status < 300:
        return came._replace(status=success(came.body, path) or came.status)
    return came


def _refuse_redirect(site: str, location: str) -> NoReturn:
    target = one_line(without_credentials(location[:2000]), 200)
    raise ModelCallError(
        "failed",
        f"the server {site} redirects to {target}, which is not followed; set base_url to where "
        "the models are",
    )
