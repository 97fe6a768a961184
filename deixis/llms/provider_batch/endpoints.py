"""What every provider's batch endpoint can do, and what they share."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from deixis.llms.provider_batch.records import Job, Kind, Outcome
from deixis.llms.servers.http import Transport

TIMEOUT = 3600.0
"""Seconds that one file may take on its way."""
LOOK_BACK = 120.0
"""Seconds by which a provider's clock may differ from this one."""


class State(NamedTuple):
    """How far a job is.

    ``over``: nothing more is to come. ``why``: what became of requests it has no answer to.
    ``full``: it was not begun, for so much waits already; smaller ones may be, later.
    """

    over: bool
    why: str = "the batch has no answer to it"
    full: bool = False


class Endpoint(Protocol):
    """A provider's batch endpoint, reached by the SDK that asks its models.

    ``most``: requests of a job, and bytes of its file.
    """

    most: tuple[int, int]

    def line(self, kind: Kind, key: str, body: bytes) -> bytes:
        """Return a request as a line of a file."""

    def submit(self, job: Job, file: Path) -> str:
        """Hand a job in; return its id."""

    def find(self, job: Job, known: set[str]) -> str:
        """Return the id of a job that was handed in and not written down; "" if it was not.

        Args:
            job: without an id.
            known: ids of other jobs.
        """

    def state(self, remote: str) -> State:
        """Ask how far a job is."""

    def outcomes(self, remote: str) -> Iterator[Outcome]:
        """Yield what came of the requests of a job that is over, as far as it says."""

    def forget(self, remote: str) -> None:
        """Remove what lies at the provider, as far as that is possible."""


class FileTransport(Transport):
    """The transport of an SDK's client for files and jobs: replies of any size, as they come."""

    def handle_request(self, request: Any) -> Any:
        """Send a request, and return the reply as it begins to come."""
        return self.send(request)


def for_files(client: Any) -> dict[str, Any]:
    """Return what the client of an SDK is made with to go where another one goes.

    Args:
        client: of httpx or httpx2, with the transport of `deixis.llms.servers.http`.
    """
    transport: Transport = client._transport
    return {
        "transport": transport.like(FileTransport, TIMEOUT),
        "follow_redirects": False,
        "trust_env": False,
    }


def lines(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Yield the lines of what comes in pieces, without their ends; no empty ones."""
    rest = b""
    for piece in pieces:
        *whole, rest = (rest + piece).split(b"\n")
        yield from filter(bytes.strip, whole)
    if rest.strip():
        yield rest


def outcomes_of(written: Iterable[bytes], read: Callable[[bytes], Outcome]) -> Iterator[Outcome]:
    """Yield what lines of results say; one that cannot be read is no answer to anything."""
    for line in written:
        with suppress(ValueError, LookupError, TypeError, AttributeError, RecursionError):
            yield read(line)


def first(found: Iterable[Any], fits: Callable[[Any], bool], since: float) -> str:
    """Return the id of the first job that fits, of some that come with the newest first.

    Args:
        found: jobs, each its id, its time in seconds since 1970, and what is known of it.
        fits: says of the last whether it is sought.
        since: older jobs are not looked at.
    """
    for remote, time, known in found:
        if time < since - LOOK_BACK:
            break
        if fits(known):
            return str(remote)
    return ""
