"""Servers that speak the batch protocols of OpenAI, Anthropic and Gemini, with faults at will."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.parser import BytesParser
from typing import Any

from deixis.testing import Request, Response, Server, completion, fill, serving

Lines = list[tuple[str, dict[str, Any]]]
Says = Callable[[dict[str, Any]], Any]
NAME = "Grace Hopper"
"""What every recognizer finds."""
CREATED = 1_800_000_000


def openai(text: str) -> dict[str, Any]:
    usage = {"prompt_tokens": 11, "completion_tokens": 5, "total_tokens": 16}
    return {**completion(text), "usage": usage}


def google(text: str) -> dict[str, Any]:
    content = {"role": "model", "parts": [{"text": text}]}
    counts = {"promptTokenCount": 11, "candidatesTokenCount": 5, "totalTokenCount": 16}
    candidates = [{"content": content, "finishReason": "STOP", "index": 0}]
    return {"candidates": candidates, "usageMetadata": counts, "modelVersion": "some-model"}


def anthropic(text: str) -> dict[str, Any]:
    return {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "some-model",
        "content": [{"type": "text", "text": text}],
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "usage": {"input_tokens": 11, "output_tokens": 5},
    }


@dataclass
class Job:
    id: str
    lines: Lines
    name: str = ""
    looks: int = 0


@dataclass
class Batches:
    """What a provider has of batches, and what a test wants of it.

    ``says(body)`` returns what a request is answered with: a text, a status of HTTP, or "expired",
    "missing", "garbage" or "stranger", an answer to what nobody has asked; ``looks``: how often
    a job is in progress before it is over; ``refuses``: statuses with which jobs are refused,
    in turn, 0 for a connection that breaks after the job was made; ``fails``: reasons for which
    jobs fail as a whole, in turn. ``log`` has a plus for every job made and a minus for every
    job that was seen to be over.
    """

    protocol: Any
    looks: int = 0
    says: Says = lambda body: None
    refuses: list[int] = field(default_factory=list)
    fails: list[str] = field(default_factory=list)
    log: str = ""
    jobs: list[Job] = field(default_factory=list)
    deleted: list[str] = field(default_factory=list)
    online: list[Any] = field(default_factory=list)
    files: dict[str, bytes] = field(default_factory=dict)
    betas: list[str] = field(default_factory=list)
    now: float = CREATED
    server: Server | None = None
    guard: Any = field(default_factory=threading.Lock)

    @property
    def spec(self) -> str:
        assert self.server is not None
        url = f"{self.server.url}{self.protocol.base}"
        return f"{self.protocol.name}:some-model?base_url={url}&batch=true"

    @property
    def asked(self) -> list[dict[str, Any]]:
        return [body for job in self.jobs for _, body in job.lines]

    def reply(self, body: dict[str, Any]) -> Any:
        said = self.says(body)
        if said is not None:
            return said
        schema = self.protocol.schema(body)
        if schema and "entities" in schema["properties"]:
            return json.dumps({"entities": [{"text": NAME, "type": "PER", "confidence": 0.9}]})
        return json.dumps(fill(schema))

    def make(self, lines: Lines, name: str = "") -> Response | Job | None:
        """Make a job, or refuse it."""
        status = self.refuses.pop(0) if self.refuses else None
        if status:
            return Response(status, self.protocol.error(status, "not now"))
        job = Job(f"{self.protocol.prefix}{len(self.jobs) + 1}", lines, name)
        self.jobs.append(job)
        self.log += "+"
        return job if status is None else None

    def find(self, id_: str) -> Job | None:
        return next((job for job in self.jobs if job.id == id_ and id_ not in self.deleted), None)

    def over(self, job: Job) -> bool:
        job.looks += 1
        self.log += "-" if job.looks == self.looks + 1 else ""
        return job.looks > self.looks

    def answer(self, request: Request) -> Response | None:
        with self.guard:
            return self.protocol.answer(self, request)


def online(batches: Batches, body: dict[str, Any]) -> Response:
    """Answer a request as a batch would have it answered."""
    said = batches.reply(body)
    if isinstance(said, int):
        return Response(said, batches.protocol.error(said, "a fault"))
    return Response(200, said if isinstance(said, dict) else batches.protocol.says(said))


def results(batches: Batches, job: Job, protocol: Any) -> Iterator[dict[str, Any] | str]:
    for key, body in job.lines:
        said = batches.reply(body)
        if said == "garbage":
            yield "{half"
        elif said == "stranger":
            yield protocol.line("f" * 64, 200, protocol.says(json.dumps({})))
        elif said != "missing":
            if isinstance(said, int):
                yield protocol.line(key, said, protocol.error(said, "a fault"))
            elif said == "expired":
                yield protocol.expired(key)
            else:
                body = said if isinstance(said, dict) else protocol.says(said)
                yield protocol.line(key, 200, body)


def written(batches: Batches, job: Job) -> bytes:
    """Return the file of results, in an order of its own."""
    lines = list(results(batches, job, batches.protocol))[::-1]
    return "".join((x if isinstance(x, str) else json.dumps(x)) + "\n" for x in lines).encode()


class OpenAI:
    name, base, prefix = "openai", "/v1", "batch_"
    says = staticmethod(openai)

    def schema(self, body: dict[str, Any]) -> Any:
        form = body.get("response_format")
        return form and form["json_schema"]["schema"]

    def error(self, status: int, message: str) -> Any:
        return {"error": {"message": message, "type": "x", "param": None, "code": None}}

    def line(self, key: str, status: int, body: Any) -> dict[str, Any]:
        response = {"status_code": status, "request_id": "r", "body": body}
        return {"id": "x", "custom_id": key, "response": response, "error": None}

    def expired(self, key: str) -> dict[str, Any]:
        error = {"code": "batch_expired", "message": "This request could not be executed."}
        return {"id": "x", "custom_id": key, "response": None, "error": error}

    def answer(self, batches: Batches, request: Request) -> Response | None:
        method, path = request.method, request.path.partition("?")[0]
        if path == "/v1/chat/completions":
            batches.online.append(request.body)
            return online(batches, request.body)
        if (method, path) == ("POST", "/v1/files"):
            head = f"Content-Type: {request.headers['content-type']}\r\n\r\n".encode()
            parts = BytesParser().parsebytes(head + request.content).get_payload()
            (file,) = [part for part in parts if part.get_filename()]
            name = f"file-{len(batches.files)}"
            batches.files[name] = file.get_payload(decode=True)
            made = {"object": "file", "bytes": 1, "created_at": 1, "filename": "x"}
            return Response(200, {"id": name, "purpose": "batch", "status": "processed", **made})
        if path == "/v1/batches" and method == "POST":
            asked = [
                json.loads(x)
                for x in batches.files[request.body["input_file_id"]].split(b"\n")[:-1]
            ]
            assert {line["url"] for line in asked} == {request.body["endpoint"]}
            lines = [(line["custom_id"], line["body"]) for line in asked]
            made = batches.make(lines, request.body["metadata"]["deixis"])
            return Response(200, self._body(batches, made)) if isinstance(made, Job) else made
        if path == "/v1/batches":
            data = [self._body(batches, job) for job in batches.jobs[::-1]]
            return Response(200, {"object": "list", "data": data, "has_more": False})
        if path.startswith("/v1/batches/"):
            job = batches.find(path.rpartition("/")[2])
            return (
                self._job(batches, job)
                if job
                else Response(404, self.error(404, f"no {method} {path}"))
            )
        name = path.removeprefix("/v1/files/").removesuffix("/content")
        if method == "DELETE":
            batches.deleted.append(name)
            return Response(200, {"id": name, "object": "file", "deleted": True})
        job = next(job for job in batches.jobs if job.id in name)
        good = [x for x in written(batches, job).split(b"\n") if x]
        failed = [x for x in good if b'"status_code": 200' not in x]
        wanted = failed if name.startswith("errors") else [x for x in good if x not in failed]
        return Response(200, b"".join(x + b"\n" for x in wanted))

    def _job(self, batches: Batches, job: Job) -> Response:
        return Response(200, self._body(batches, job, look=True))

    def _body(self, batches: Batches, job: Job, look: bool = False) -> dict[str, Any]:
        body = {"id": job.id, "object": "batch", "endpoint": "/v1/chat/completions"}
        body |= {"input_file_id": "file-0", "completion_window": "24h", "created_at": batches.now}
        body |= {"metadata": {"deixis": job.name}, "status": "in_progress"}
        if look and batches.over(job):
            if job.looks == batches.looks + 1 and batches.fails:
                job.name = f"failed {batches.fails.pop(0)}"
            if job.name.startswith("failed"):
                error = {"code": job.name.split()[1], "message": "no", "param": None, "line": None}
                return {**body, "status": "failed", "errors": {"object": "list", "data": [error]}}
            body |= {"status": "completed", "output_file_id": f"out-{job.id}-"}
            body |= {"error_file_id": f"errors-{job.id}-"}
        return body


class Anthropic:
    name, base, prefix = "anthropic", "", "msgbatch_"
    says = staticmethod(anthropic)

    def schema(self, body: dict[str, Any]) -> Any:
        return body.get("output_config", {}).get("format", {}).get("schema")

    def error(self, status: int, message: str) -> Any:
        kinds = {400: "invalid_request_error", 429: "rate_limit_error", 529: "overloaded_error"}
        kind = kinds.get(status, "api_error")
        return {"type": "error", "error": {"type": kind, "message": message}}

    def line(self, key: str, status: int, body: Any) -> dict[str, Any]:
        if status == 200:
            return {"custom_id": key, "result": {"type": "succeeded", "message": body}}
        return {"custom_id": key, "result": {"type": "errored", "error": body}}

    def expired(self, key: str) -> dict[str, Any]:
        return {"custom_id": key, "result": {"type": "expired"}}

    def answer(self, batches: Batches, request: Request) -> Response | None:
        assert batches.server is not None
        method, path = request.method, request.path.partition("?")[0]
        base = "/v1/messages/batches"
        if path == "/v1/messages":
            batches.online.append(request.body)
            return online(batches, request.body)
        if path == base and method == "POST":
            batches.betas.append(request.headers.get("anthropic-beta", ""))
            lines = [(each["custom_id"], each["params"]) for each in request.body["requests"]]
            made = batches.make(lines)
            return Response(200, self._body(batches, made)) if isinstance(made, Job) else made
        if path == base:
            data = [self._body(batches, job) for job in batches.jobs[::-1]]
            listed = {"data": data, "has_more": False, "first_id": None, "last_id": None}
            return Response(200, listed)
        id_ = path.removeprefix(f"{base}/").removesuffix("/results")
        job = batches.find(id_)
        if job is None:
            return Response(404, self.error(404, f"no {method} {path}"))
        if method == "DELETE":
            batches.deleted.append(id_)
            return Response(200, {"id": id_, "type": "message_batch_deleted"})
        if path.endswith("/results"):
            return Response(200, written(batches, job), {"Content-Type": "application/x-jsonl"})
        over = batches.over(job)
        return Response(200, self._body(batches, job, over))

    def _body(self, batches: Batches, job: Job, over: bool = False) -> dict[str, Any]:
        assert batches.server is not None
        count = dict.fromkeys(("canceled", "errored", "expired", "processing", "succeeded"), 0)
        count["succeeded" if over else "processing"] = len(job.lines)
        when = datetime.fromtimestamp(batches.now, UTC).isoformat()
        url = f"{batches.server.url}/v1/messages/batches/{job.id}/results"
        return {
            "id": job.id,
            "type": "message_batch",
            "processing_status": "ended" if over else "in_progress",
            "request_counts": count,
            "created_at": when,
            "expires_at": when,
            "ended_at": when if over else None,
            "results_url": url if over else None,
            "archived_at": None,
            "cancel_initiated_at": None,
        }


class Gemini:
    name, base, prefix = "google_genai", "", "batches/"
    says = staticmethod(google)

    def schema(self, body: dict[str, Any]) -> Any:
        return body.get("generationConfig", {}).get("responseJsonSchema")

    def error(self, status: int, message: str) -> Any:
        return {"error": {"code": status, "message": message, "status": "X"}}

    def line(self, key: str, status: int, body: Any) -> dict[str, Any]:
        return {"key": key, "response": body} if status == 200 else {"key": key, **body}

    def expired(self, key: str) -> dict[str, Any]:
        return {"key": key, "error": {"code": 1, "message": "cancelled"}}

    def answer(self, batches: Batches, request: Request) -> Response | None:
        assert batches.server is not None
        method, path = request.method, request.path.partition("?")[0]
        if path.endswith(":generateContent"):
            batches.online.append(request.body)
            return online(batches, request.body)
        if path == "/upload/v1beta/files":
            place = {"X-Goog-Upload-URL": f"{batches.server.url}/put"}
            return Response(200, {}, place)
        if path == "/put":
            name = f"files/{len(batches.files)}"
            batches.files[name] = request.content
            return Response(200, {"file": {"name": name}}, {"X-Goog-Upload-Status": "final"})
        if path.endswith(":batchGenerateContent"):
            batch = request.body["batch"]
            asked = batches.files[batch["inputConfig"]["fileName"]].split(b"\n")[:-1]
            lines = [(x["key"], x["request"]) for x in map(json.loads, asked)]
            made = batches.make(lines, batch["displayName"])
            return Response(200, self._body(batches, made)) if isinstance(made, Job) else made
        if path == "/v1beta/batches":
            return Response(
                200, {"operations": [self._body(batches, j) for j in batches.jobs[::-1]]}
            )
        if path.endswith(":download"):
            name = path.removeprefix("/v1beta/files/out-").removesuffix(":download")
            job = next(job for job in batches.jobs if job.id.endswith(name))
            return Response(200, written(batches, job))
        id_ = path.removeprefix("/v1beta/")
        job = batches.find(id_)
        if job is None:
            return Response(404, self.error(404, f"no {method} {path}"))
        if method == "DELETE":
            batches.deleted.append(id_)
            return Response(200, {})
        return Response(200, self._body(batches, job, batches.over(job)))

    def _body(self, batches: Batches, job: Job, over: bool = False) -> dict[str, Any]:
        state = "BATCH_STATE_SUCCEEDED" if over else "BATCH_STATE_RUNNING"
        when = datetime.fromtimestamp(batches.now, UTC).isoformat()
        told = {"displayName": job.name, "state": state, "createTime": when, "updateTime": when}
        if over:
            told["output"] = {"responsesFile": f"files/out-{job.id.removeprefix('batches/')}"}
        return {"name": job.id, "metadata": told}


PROTOCOLS = {"openai": OpenAI(), "anthropic": Anthropic(), "google_genai": Gemini()}


@contextmanager
def batch_server(protocol: str, **wanted: Any) -> Iterator[Batches]:
    """Serve one of the protocols within a block."""
    batches = Batches(PROTOCOLS[protocol], **wanted)
    with serving(batches.answer) as server:
        batches.server = server
        yield batches


class FakeClock:
    """A clock that moves when somebody waits."""

    def __init__(self, batches: Batches | None = None) -> None:
        self.seconds = float(CREATED)
        self.waits: list[float] = []
        self.on_wait: Callable[[], None] = lambda: None

    def now(self) -> float:
        return self.seconds

    def wait(self, seconds: float, stopped: threading.Event) -> None:
        self.waits.append(seconds)
        self.seconds += seconds
        self.on_wait()
