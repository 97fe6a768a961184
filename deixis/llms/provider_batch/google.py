"""Gemini's Batch API, by files (ai.google.dev: Batch API, Files API)."""

import json
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

from deixis.errors import SettingsError
from deixis.llms.provider_batch.endpoints import State, first, for_files, outcomes_of
from deixis.llms.provider_batch.records import Job, Kind, Outcome
from deixis.llms.registry import Backend
from deixis.llms.servers.redaction import shown

_OVER = ("SUCCEEDED", "FAILED", "CANCELLED", "EXPIRED")  # the first with PARTIALLY_ as well
# google.rpc.Code to what the same error has over HTTP (google/rpc/code.proto); one that was
# cancelled is asked again.
_STATUS = {2: 500, 3: 400, 4: 504, 5: 404, 6: 409, 7: 403, 8: 429, 9: 400, 10: 409}
_STATUS |= {11: 400, 12: 501, 13: 500, 14: 503, 15: 500, 16: 401}


class GeminiBatches:
    """The endpoint of one model.

    Args:
        backend: the model.

    Raises:
        SettingsError: it is asked at Vertex AI, whose batches go by buckets.
    """

    most = (100_000, 500_000_000)  # a file may have 2 GB

    def __init__(self, backend: Backend) -> None:
        from google.genai import Client

        model: Any = backend.model
        if model.client.vertexai:
            raise SettingsError(
                f"{shown(backend.spec)!r}: Vertex AI takes batches by buckets alone; ask Gemini "
                "with a key of its own, or say ?batch=false"
            )
        api = model.client._api_client
        options = api._http_options.model_copy(
            update={
                "api_version": "v1beta",  # the only one with batches
                "client_args": for_files(api._httpx_client),
                "async_client_args": None,
            }
        )
        self._client = Client(api_key=api.api_key, http_options=options)

    def line(self, kind: Kind, key: str, body: bytes) -> bytes:
        """Return a request as a line of a file."""
        return json.dumps({"key": key, "request": json.loads(body)}).encode() + b"\n"

    def submit(self, job: Job, file: Path) -> str:
        """Hand a job in; return its name."""
        sent = self._client.files.upload(
            file=file, config={"display_name": job.name, "mime_type": "jsonl"}
        )
        model = job.kind.path.rpartition("/")[2].partition(":")[0]
        made = self._client.batches.create(
            model=model, src=str(sent.name), config={"display_name": job.name}
        )
        return str(made.name)

    def find(self, job: Job, known: set[str]) -> str:
        """Return the name of a job that was handed in and not written down; "" if it was not."""
        listed = self._client.batches.list(config={"page_size": 100})
        found = (
            (each.name, each.create_time.timestamp() if each.create_time else job.begun, each)
            for each in listed
        )
        return first(found, lambda each: each.display_name == job.name, job.begun)

    def state(self, remote: str) -> State:
        """Ask how far a job is."""
        job = self._client.batches.get(name=remote)
        state = str(job.state.value if job.state else "")
        told = f" ({job.error.message})" if job.error and job.error.message else ""
        return State(state.endswith(_OVER), f"the batch is {state}{told}")

    def outcomes(self, remote: str) -> Iterator[Outcome]:
        """Yield what came of the requests of a job."""
        job = self._client.batches.get(name=remote)
        if job.dest and job.dest.file_name:
            with TemporaryFile() as copy:
                self._client.files.download(file=job.dest.file_name, destination=copy)
                copy.seek(0)
                yield from outcomes_of(copy, _outcome)

    def forget(self, remote: str) -> None:
        """Remove a job; its files are removed after two days."""
        self._client.batches.delete(name=remote)


def _outcome(line: bytes) -> Outcome:
    told = json.loads(line)
    key = str(told.get("key"))
    if isinstance(response := told.get("response"), dict):
        return Outcome(key, 200, json.dumps(response).encode())
    error = told.get("error") or told.get("status") or {}
    code = error.get("code", 0) if isinstance(error, dict) else 0
    status = code if code in set(HTTPStatus) else _STATUS.get(code, 0)
    return Outcome(key, status, json.dumps({"error": error}).encode())
