"""What is known of requests and of the jobs that they are in."""

from typing import NamedTuple


class Kind(NamedTuple):
    """What the requests of one job have in common: model, path of the endpoint, betas."""

    spec: str
    path: str
    betas: str = ""


class Job(NamedTuple):
    """Requests that were handed in together.

    ``name`` is ours, by which one is found whose id was not written down any more; ``remote``
    is the provider's id, "" as long as it is not known. ``begun`` is in seconds since 1970.
    """

    id: int
    kind: Kind
    name: str
    begun: float
    requests: int
    remote: str


class Entry(NamedTuple):
    """What is known of a request: its answer, with the status 0 for a fault; None if none yet."""

    status: int | None
    reply: bytes


class Outcome(NamedTuple):
    """What a job says of one request; the status is 0 where it was not answered at all."""

    key: str
    status: int
    body: bytes
