"""OpenAI's Batch API, and servers that speak it (API reference: Batches, Files)."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from deixis.llms.provider_batch.endpoints import State, first, for_files, lines, outcomes_of
from deixis.llms.provider_batch.records import Job, Kind, Outcome
from deixis.llms.registry import Backend

_OVER = {"completed", "failed", "expired", "cancelled"}
_NAME = "deixis"
_FULL = "token_limit_exceeded"  # of all batches of a model that wait (guide: Batch, rate limits)


class OpenAIBatches:
    """The endpoint of one model.

    Args:
        backend: the model.
    """

    most = (50_000, 190_000_000)  # of 200 MB

    def __init__(self, backend: Backend) -> None:
        from openai import DefaultHttpxClient

        model: Any = backend.model
        client = DefaultHttpxClient(**for_files(model.http_client))
        self._client = model.root_client.copy(http_client=client, max_retries=0)

    def line(self, kind: Kind, key: str, body: bytes) -> bytes:
        """Return a request as a line of a file."""
        asked = {"custom_id": key, "method": "POST", "url": _endpoint(kind)}
        return json.dumps({**asked, "body": json.loads(body)}).encode() + b"\n"

    def submit(self, job: Job, file: Path) -> str:
        """Hand a job in; return its id."""
        sent = self._client.files.create(file=file, purpose="batch")
        made = self._client.batches.create(
            completion_window="24h",
            endpoint=_endpoint(job.kind),
            input_file_id=sent.id,
            metadata={_NAME: job.name},
        )
        return str(made.id)

    def find(self, job: Job, known: set[str]) -> str:
        """Return the id of a job that was handed in and not written down; "" if it was not."""
        listed = self._client.batches.list(limit=100)
        found = ((each.id, each.created_at, each.metadata or {}) for each in listed)
        return first(found, lambda told: told.get(_NAME) == job.name, job.begun)

    def state(self, remote: str) -> State:
        """Ask how far a job is."""
        job = self._client.batches.retrieve(remote)
        faults = (job.errors.data if job.errors else None) or []
        told = "; ".join(f"{fault.code}: {fault.message}" for fault in faults[:3])
        why = f"the batch is {job.status}" + (told and f" ({told})")
        full = any(fault.code == _FULL for fault in faults)
        return State(job.status in _OVER, why, full)

    def outcomes(self, remote: str) -> Iterator[Outcome]:
        """Yield what came of the requests of a job: answers, then errors."""
        job = self._client.batches.retrieve(remote)
        for file in filter(None, (job.output_file_id, job.error_file_id)):
            with self._client.files.with_streaming_response.content(file) as content:
                yield from outcomes_of(lines(content.iter_bytes()), _outcome)

    def forget(self, remote: str) -> None:
        """Remove the files of a job."""
        job = self._client.batches.retrieve(remote)
        for file in (job.input_file_id, job.output_file_id, job.error_file_id):
            if file:
                self._client.files.delete(file)


def _endpoint(kind: Kind) -> str:
    """Return the path as the API calls it, wherever a server has it."""
    return "/v1/responses" if kind.path.endswith("/responses") else "/v1/chat/completions"


def _outcome(line: bytes) -> Outcome:
    told = json.loads(line)
    response, error = told.get("response") or {}, told.get("error") or {}
    status = response.get("status_code")
    if isinstance(status, int):
        return Outcome(str(told["custom_id"]), status, json.dumps(response.get("body")).encode())
    words = f"{error.get('code', 'no answer')}: {error.get('message', '')}"
    return Outcome(str(told["custom_id"]), 0, words.encode())
