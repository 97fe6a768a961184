"""What only OpenAI's protocol has, and llama.cpp's server, which speaks it too."""

import json
from collections.abc import Callable, Iterator
from typing import Any, Literal

import pytest
from pydantic import BaseModel, ConfigDict

from deixis.llms import registry
from deixis.llms.local.llama_cpp import EMBEDDED
from deixis.llms.structured import Reply, ask
from deixis.prompts import Prompt
from deixis.weights.model_files import resolve

from .protocols import openai

pytestmark = [pytest.mark.slow, pytest.mark.extra]

PROMPT = Prompt("Be brief.", "What colour is the sky?", "colour", 1)


class Short(BaseModel):
    model_config = ConfigDict(extra="forbid")

    colour: Literal["blue", "green"]
    sure: bool


@pytest.fixture
def spec(provider: Any, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    return f"openai:some-model?base_url={provider.url}/v1"


def test_a_request_has_what_strict_mode_wants(
    asking: Callable[..., Reply[Any]], provider: Any, spec: str, work: dict[str, Any]
) -> None:
    assert asking(spec, (200, openai(json.dumps(work)))).status == "ok"
    (heard,) = provider.requests
    assert heard.path == "/v1/chat/completions"
    assert heard.headers["authorization"] == "Bearer none"
    assert heard.body["model"] == "some-model"
    assert heard.body["messages"] == [
        {"role": "system", "content": PROMPT.system},
        {"role": "user", "content": PROMPT.user},
    ]
    asked = heard.body["response_format"]
    assert asked["type"] == "json_schema" and asked["json_schema"]["strict"] is True
    assert asked["json_schema"]["schema"]["properties"]["title"]["enum"] == ["poster", "cover"]


@pytest.mark.parametrize(("given", "seconds"), [("", 120.0), ("&timeout=7.5", 7.5)])
def test_every_request_has_a_timeout(spec: str, given: str, seconds: float) -> None:
    model: Any = registry.load(f"{spec}{given}").model
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
