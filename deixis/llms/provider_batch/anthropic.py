"""Anthropic's Message Batches API (API reference: Message Batches)."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from deixis.llms.provider_batch.endpoints import State, first, for_files, lines, outcomes_of
from deixis.llms.provider_batch.records import Job, Kind, Outcome
from deixis.llms.registry import Backend

_STATUS = {
    "invalid_request_error": 400,
    "authentication_error": 401,
    "billing_error": 402,
    "permission_error": 403,
    "not_found_error": 404,
    "request_too_large": 413,
    "rate_limit_error": 429,
    "api_error": 500,
    "timeout_error": 504,
    "overloaded_error": 529,
}
"""What each error has online (API reference: Errors)."""


class AnthropicBatches:
    """The endpoint of one model.

    Args:
        backend: the model.
    """

    # Of 100,000 requests and 256 MB. There are no files: a job is in memory while it is sent.
    most = (100_000, 64_000_000)

    def __init__(self, backend: Backend) -> None:
        from anthropic import DefaultHttpxClient

        made: Any = backend.model
        client = DefaultHttpxClient(**for_files(made._client._client))
        self._client = made._client.copy(http_client=client, max_retries=0)

    def line(self, kind: Kind, key: str, body: bytes) -> bytes:
        """Return a request as a line of a file."""
        return json.dumps({"custom_id": key, "params": json.loads(body)}).encode() + b"\n"

    def submit(self, job: Job, file: Path) -> str:
        """Hand a job in; return its id."""
        betas = {"anthropic-beta": job.kind.betas} if job.kind.betas else {}
        with file.open("rb") as requests:
            asked = [json.loads(line) for line in requests]
        return str(self._client.messages.batches.create(requests=asked, extra_headers=betas).id)

    def find(self, job: Job, known: set[str]) -> str:
        """Return the id of a job that was handed in and not written down; "" if it was not.

        Batches have no names: one of as many requests, made since then, is taken for it. If it
        is not, it has no answer to them, and they are asked again.
        """
        listed = self._client.messages.batches.list(limit=100)
        found = (
            (each.id, each.created_at.timestamp(), (each.id, each.request_counts))
            for each in listed
        )

        def fits(told: tuple[str, Any]) -> bool:
            remote, counts = told
            count = sum(value for value in dict(counts).values() if isinstance(value, int))
            return remote not in known and count == job.requests

        return first(found, fits, job.begun)

    def state(self, remote: str) -> State:
        """Ask how far a job is."""
        return State(self._client.messages.batches.retrieve(remote).processing_status == "ended")

    def outcomes(self, remote: str) -> Iterator[Outcome]:
        """Yield what came of the requests of a job."""
        response = self._client.messages.batches.results(remote).http_response
        try:
            yield from outcomes_of(lines(response.iter_bytes()), _outcome)
        finally:
            response.close()

    def forget(self, remote: str) -> None:
        """Remove a job with its results."""
        self._client.messages.batches.delete(remote)


def _outcome(line: bytes) -> Outcome:
    told = json.loads(line)
    key, result = str(told["custom_id"]), told["result"]
    if result["type"] == "succeeded":
        return Outcome(key, 200, json.dumps(result["message"]).encode())
    if result["type"] != "errored":
        return Outcome(key, 0, f"the request is {result['type']}".encode())
    error = result.get("error") or {}
    kind = (error.get("error") or error).get("type")
    return Outcome(key, _STATUS.get(str(kind), 500), json.dumps(error).encode())
