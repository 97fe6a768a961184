"""OpenAI's protocol: against llama.cpp's server, and one that checks each request."""

import json
import socket
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field

from deixis.agents.reading.phrases import phrase
from deixis.llms import registry, structured
from deixis.llms.local.llama_cpp import EMBEDDED
from deixis.llms.structured import Reply, ask
from deixis.prompts import Prompt
from deixis.weights.model_files import resolve

pytestmark = pytest.mark.slow

PROMPT = Prompt("Be brief.", "What colour is the sky?", "colour", 1)
LEFT_OUT = {"maxLength", "minLength", "pattern", "title", "default"}


class Inner(BaseModel):
    model_config = ConfigDict(extra="forbid")

    pattern: Annotated[str, Field(min_length=2, max_length=40)]
    properties: Annotated[str, Field(pattern="^[a-z]+$")]


class Work(BaseModel):
    """Properties with the names of keywords, and every keyword that strict mode refuses."""

    model_config = ConfigDict(extra="forbid")

    title: Literal["poster", "cover"]
    default: phrase(2)  # type: ignore[valid-type]
    inner: Inner


ANSWER = {"title": "cover", "default": "blue", "inner": {"pattern": "dots", "properties": "ab"}}


class Short(BaseModel):
    model_config = ConfigDict(extra="forbid")

    colour: Literal["blue", "green"]
    sure: bool


class FakeOpenAI(ThreadingHTTPServer):
    """Answers ``(status, body)`` one after the other and keeps every request."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.replies: list[tuple[int, Any]] = []
        self.requests: list[tuple[str, str | None, dict[str, Any]]] = []

    @property
    def spec(self) -> str:
        return f"openai:some-model?base_url=http://127.0.0.1:{self.server_port}/v1"


class _Handler(BaseHTTPRequestHandler):
    server: FakeOpenAI

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.requests.append((self.path, self.headers["Authorization"], body))
        status, reply = self.server.replies.pop(0)
        data = (reply if isinstance(reply, str) else json.dumps(reply)).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeOpenAI]:
    monkeypatch.setattr(structured, "_PAUSES", (0.0, 0.0))
    with FakeOpenAI() as fake:
        thread = threading.Thread(target=fake.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield fake
        fake.shutdown()
        thread.join()


@pytest.fixture
def asking(server: FakeOpenAI) -> Callable[..., Reply[Work]]:
    def run(*replies: tuple[int, Any]) -> Reply[Work]:
        server.replies[:] = replies
        return ask(registry.load(server.spec), PROMPT, Work, max_tokens=50)

    return run


def completion(content: str | None, reason: str = "stop", **message: Any) -> dict[str, Any]:
    said = {"role": "assistant", "content": content, "refusal": None, **message}
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1,
        "model": "some-model",
        "choices": [{"index": 0, "message": said, "finish_reason": reason, "logprobs": None}],
        "usage": {"prompt_tokens": 11, "completion_tokens": 5, "total_tokens": 16},
    }


GOOD = (200, completion(json.dumps(ANSWER)))


def schema_keys(node: Any) -> set[str]:
    """Return the keywords of a schema, not the names of its properties."""
    if not isinstance(node, dict):
        return set()
    found = set(node)
    for key, value in node.items():
        named = value.values() if key in {"properties", "$defs"} else [value]
        for each in named:
            found |= schema_keys(each)
    return found


def test_a_request_has_what_strict_mode_wants(
    asking: Callable[..., Reply[Work]], server: FakeOpenAI
) -> None:
    reply = asking(GOOD)
    assert reply.status == "ok" and reply.value == Work.model_validate(ANSWER)
    ((path, authorization, body),) = server.requests
    assert path == "/v1/chat/completions" and authorization == "Bearer none"
    assert body["model"] == "some-model"
    assert body["messages"] == [
        {"role": "system", "content": PROMPT.system},
        {"role": "user", "content": PROMPT.user},
    ]
    assert body["max_completion_tokens"] == 50
    asked = body["response_format"]
    assert asked["type"] == "json_schema" and asked["json_schema"]["strict"] is True
    schema = asked["json_schema"]["schema"]
    assert schema_keys(Work.model_json_schema()) >= LEFT_OUT - {"default"}
    assert schema_keys(schema) & LEFT_OUT == set()
    assert list(schema["properties"]) == schema["required"] == ["title", "default", "inner"]
    assert schema["properties"]["title"]["enum"] == ["poster", "cover"]
    inner = schema["$defs"]["Inner"]
    assert list(inner["properties"]) == inner["required"] == ["pattern", "properties"]
    assert schema["additionalProperties"] is inner["additionalProperties"] is False


def test_tokens_are_those_the_server_counted(asking: Callable[..., Reply[Work]]) -> None:
    (call,) = asking(GOOD).calls
    assert (call.status, call.input_tokens, call.output_tokens) == ("ok", 11, 5)


def test_a_cut_reply_is_asked_for_again_with_twice_the_tokens(
    asking: Callable[..., Reply[Work]], server: FakeOpenAI
) -> None:
    cut = (200, completion('{"title": "co', "length"))
    reply = asking(cut, GOOD)
    assert reply.status == "ok"
    assert [body["max_completion_tokens"] for _, _, body in server.requests] == [50, 100]
    assert [(c.status, c.input_tokens, c.output_tokens) for c in reply.calls] == [
        ("truncated", 11, 5),
        ("ok", 11, 5),
    ]
    assert asking(cut, cut).status == "truncated"


@pytest.mark.parametrize(
    "body",
    [
        completion(None, refusal="I cannot describe people"),
        completion(None, "content_filter"),
        completion("half a", "content_filter"),
    ],
)
def test_a_refusal_is_not_argued_with(
    asking: Callable[..., Reply[Work]], server: FakeOpenAI, body: dict[str, Any]
) -> None:
    reply = asking((200, body))
    assert reply.value is None and reply.status == "refused"
    assert len(server.requests) == 1


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_transient_status_is_retried_by_one_layer_only(
    asking: Callable[..., Reply[Work]], server: FakeOpenAI, status: int
) -> None:
    fault = (status, {"error": {"message": "later", "type": "x", "code": None}})
    reply = asking(fault, GOOD)
    assert reply.status == "ok" and len(server.requests) == 2
    server.requests.clear()
    reply = asking(fault, fault, fault)
    assert reply.status == "failed" and len(server.requests) == 3
    assert [call.status for call in reply.calls] == ["failed"] * 3


@pytest.mark.parametrize("status", [400, 401, 403, 404])
def test_a_permanent_status_is_not_retried(
    asking: Callable[..., Reply[Work]], server: FakeOpenAI, status: int
) -> None:
    reply = asking((status, {"error": {"message": "no such model", "type": "x", "code": None}}))
    assert reply.status == "failed" and len(server.requests) == 1
    assert "no such model" in reply.detail


@pytest.mark.parametrize(
    "body",
    ["", "{}", "null", "[1]", "<html>", '{"choices": null}', '{"choices": []}',
     '{"choices": [{"message": null}]}', '{"error": {"message": "overloaded"}}'],
)  # fmt: skip
def test_a_body_that_is_no_completion_is_a_failed_call(
    asking: Callable[..., Reply[Work]], body: str
) -> None:
    reply = asking((200, body))
    assert reply.value is None and reply.status == "failed"


def test_an_answer_without_content_is_empty(asking: Callable[..., Reply[Work]]) -> None:
    nothing = (200, completion(None))
    assert asking(nothing, nothing).status == "empty"


def test_content_that_does_not_fit_is_repaired_once(
    asking: Callable[..., Reply[Work]], server: FakeOpenAI
) -> None:
    reply = asking((200, completion('{"title": "song"}')), GOOD)
    assert reply.status == "ok"
    assert [m["role"] for m in server.requests[1][2]["messages"]] == [
        "system",
        "user",
        "assistant",
        "user",
    ]


def test_nobody_listening_is_a_failed_call(server: FakeOpenAI) -> None:
    spec = server.spec
    server.server_close()
    reply = ask(registry.load(spec), PROMPT, Work, max_tokens=50)
    assert reply.status == "failed" and len(reply.calls) == 3


def test_a_server_that_does_not_answer_is_a_failed_call(server: FakeOpenAI) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/v1"
        backend = registry.load(f"openai:some-model?base_url={url}&timeout=0.1")
        reply = ask(backend, PROMPT, Work, max_tokens=50)
    assert reply.status == "failed" and "timed out" in reply.detail and len(reply.calls) == 3


@pytest.mark.parametrize(("given", "seconds"), [("", 120.0), ("&timeout=7.5", 7.5)])
def test_every_request_has_a_timeout(server: FakeOpenAI, given: str, seconds: float) -> None:
    model: Any = registry.load(f"{server.spec}{given}").model
    assert model.root_client.timeout == seconds


@pytest.fixture(scope="module")
def llama_spec() -> Iterator[str]:
    """The spec of a llama.cpp server that speaks the protocol over HTTP."""
    import xllamacpp

    parameters = xllamacpp.CommonParams()
    parameters.model.path = str(resolve(EMBEDDED["smollm2-135m"]))
    parameters.n_ctx, parameters.n_parallel, parameters.verbosity = 1024, 1, -1
    parameters.port = 0
    parameters.cpuparams.n_threads = parameters.cpuparams_batch.n_threads = 1
    server = xllamacpp.Server(parameters)
    yield f"openai:any?base_url={server.listening_address}/v1&temperature=0"


def test_a_real_server_answers_in_the_schema_asked_for(llama_spec: str) -> None:
    reply = ask(registry.load(llama_spec), PROMPT, Short, max_tokens=40)
    assert reply.status == "ok" and isinstance(reply.value, Short)
    assert len(reply.calls) == 1
    assert reply.calls[0].input_tokens > 10 and reply.calls[0].output_tokens > 5


def test_a_real_server_cuts_a_reply_at_the_limit(llama_spec: str) -> None:
    reply = ask(registry.load(llama_spec), PROMPT, Short, max_tokens=2)
    assert reply.status == "truncated"
    assert [call.output_tokens for call in reply.calls] == [2, 4]
