"""What leaves by callbacks, LangSmith and OpenTelemetry: everything but pictures and keys."""

import asyncio
import base64
import gzip
import hashlib
import io
import json
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import langsmith.utils
import numpy as np
import pytest
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.tracers.langchain import LangChainTracer, wait_for_all_tracers
from langsmith import Client
from PIL import Image

from deixis import Settings, build_graph
from deixis.batch.settings import identity
from deixis.errors import InputError, MissingExtraError
from deixis.testing import (
    INPUT_TOKENS,
    OUTPUT_TOKENS,
    Response,
    fault,
    openai_server,
    scripted,
    serving,
)

PIXELS = np.random.default_rng(7).integers(0, 256, (96, 128, 3), np.uint8)
TEXT = "Grace Hopper of the US Navy"
ANSWER = "Grace Hopper|PER|None"


def as_bytes(_: Path) -> Any:
    file = io.BytesIO()
    Image.fromarray(PIXELS).save(file, "PNG")
    return file.getvalue()


def as_path(folder: Path) -> Any:
    path = folder / "noise.png"
    path.write_bytes(as_bytes(folder))
    return path


FORMS: dict[str, Callable[[Path], Any]] = {
    "bytes": as_bytes,
    "path": as_path,
    "PIL": lambda _: Image.fromarray(PIXELS),
    "array": lambda _: PIXELS,
}


@pytest.fixture(params=FORMS)
def picture(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    return FORMS[request.param](tmp_path)


def settings(**options: Any) -> Settings:
    return Settings.model_validate(
        {
            "name": "test",
            "graph": "e2e",
            "roles": {"vlm": "scripted:qwen2-vl"},
            "options": {"cache": "off", **options},
        }
    )


def holds_pixels(data: bytes | str) -> bool:
    """Whether there are bytes of the picture, or anything as long as a picture, in a text."""
    text = data.decode("latin-1") if isinstance(data, bytes) else data
    raw = (as_bytes(Path()), PIXELS.tobytes())
    inside = any(each[64:112].decode("latin-1") in text for each in raw)
    return inside or re.search(r"[A-Za-z0-9+/=\\x]{300,}", text) is not None


def test_what_is_looked_for_would_be_found() -> None:
    assert holds_pixels(base64.b64encode(as_bytes(Path())))
    assert holds_pixels(PIXELS.tobytes()) and not holds_pixels(TEXT)


class Listener(BaseCallbackHandler):
    """Keeps whatever any callback is told."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, Any]] = []

    def on_chain_start(self, serialized: Any, inputs: Any, **_: Any) -> None:
        self.heard.append(("chain", inputs))

    def on_chain_end(self, outputs: Any, **_: Any) -> None:
        self.heard.append(("end", outputs))

    def on_chat_model_start(self, serialized: Any, messages: Any, **_: Any) -> None:
        self.heard.append(("model", messages))

    def on_llm_end(self, response: Any, **_: Any) -> None:
        self.heard.append(("reply", response))

    def on_llm_error(self, error: Any, **_: Any) -> None:
        self.heard.append(("error", error))


@pytest.mark.parametrize("way", ["invoke", "stream", "ainvoke"])
def test_callbacks_are_told_of_a_picture_and_never_given_it(picture: Any, way: str) -> None:
    listener = Listener()
    given, config = {"image": picture, "text": TEXT}, {"callbacks": [listener]}
    with scripted(ANSWER) as asked:
        graph = build_graph(settings())
        if way == "ainvoke":
            asyncio.run(graph.ainvoke(given, config))
        elif way == "stream":
            list(graph.stream(given, config, stream_mode="custom"))
        else:
            graph.invoke(given, config)
    assert asked and all(question.images for question in asked), "the model was sent it"
    kinds = [kind for kind, _ in listener.heard]
    assert kinds.count("model") == kinds.count("reply") == len(asked), "each is told once"
    assert not holds_pixels(repr(listener.heard))
    (sent,) = next(told for kind, told in listener.heard if kind == "model")
    assert re.search(r"\[image, sha256 [0-9a-f]{64}, \d+ bytes\]", str(sent[-1].content))


def test_a_failed_call_is_told_without_the_request(picture: Any) -> None:
    listener = Listener()
    with scripted(ValueError("sk-proj-0123456789abcdefghij0123456789abcdefghij is no key")):
        build_graph(settings()).invoke({"image": picture, "text": TEXT}, {"callbacks": [listener]})
    errors = [told for kind, told in listener.heard if kind == "error"]
    assert errors and not any("0123456789abc" in str(error) for error in errors)


def test_events_and_debugging_are_told_of_a_picture_and_never_given_it(picture: Any) -> None:
    given = {"image": picture, "text": TEXT}

    async def events(graph: Any) -> list[Any]:
        return [each async for each in graph.astream_events(given, version="v2")]

    with scripted(ANSWER) as asked:
        graph = build_graph(settings())
        heard = asyncio.run(events(graph))
        told = list(graph.stream(given, stream_mode=["debug", "tasks", "values", "messages"]))
    assert len(asked) == 2 and all(question.images for question in asked)
    assert {"on_chat_model_start", "on_chat_model_end"} <= {each["event"] for each in heard}
    assert {mode for mode, _ in told} >= {"debug", "tasks", "values"}
    assert not holds_pixels(repr(heard)) and not holds_pixels(repr(told))


@pytest.mark.parametrize("picture", ["bytes", "array"], indirect=True)
def test_langsmith_is_posted_no_picture(picture: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(lambda _: Response(202, {})) as server:
        monkeypatch.setenv("LANGSMITH_TRACING", "true")
        monkeypatch.setenv("LANGSMITH_ENDPOINT", server.url)
        monkeypatch.setenv("LANGSMITH_API_KEY", "lsv2_test")
        langsmith.utils.get_env_var.cache_clear()
        client = Client(api_url=server.url, api_key="lsv2_test", auto_batch_tracing=False, info={})
        with scripted(ANSWER) as asked:
            build_graph(settings()).invoke(
                {"image": picture, "text": TEXT}, {"callbacks": [LangChainTracer(client=client)]}
            )
        wait_for_all_tracers()
        client.flush()
        bodies = [request.content for request in server.requests]
    langsmith.utils.get_env_var.cache_clear()
    assert asked and asked[0].images
    posted = "".join(map(_text, bodies))
    assert TEXT in posted and "ScriptedChat" in posted and "sha256" in posted
    assert not holds_pixels(posted)


def _text(body: bytes) -> str:
    return (gzip.decompress(body) if body[:2] == b"\x1f\x8b" else body).decode("latin-1")


def lineage(span: Any, spans: list[Any]) -> list[str]:
    """Return the names of a span and of those around it, from within."""
    by_id = {each.context.span_id: each for each in spans}
    names = [span.name]
    while span.parent is not None:
        span = by_id[span.parent.span_id]
        names.append(span.name)
    return names


@pytest.mark.parametrize("way", ["invoke", "stream", "ainvoke"])
def test_spans_nest_by_sample_node_question_and_request(
    picture: Any, way: str, spans: Callable[[], list[Any]]
) -> None:
    given = {"image": picture, "text": TEXT}
    with scripted(ANSWER) as asked:
        graph = build_graph(settings(tracing="opentelemetry"))
        if way == "ainvoke":
            asyncio.run(graph.ainvoke(given))
        elif way == "stream":
            list(graph.stream(given, stream_mode="custom"))
        else:
            graph.invoke(given)
    made = spans()
    assert len({span.context.trace_id for span in made}) == 1
    requests = [span for span in made if span.name.startswith("chat ")]
    assert len(requests) == len(asked)
    node, root = lineage(requests[0], made)[-2:]
    assert node.startswith("node ") and root == "deixis e2e"
    assert lineage(requests[0], made)[1].startswith("ask ")
    told = requests[0].attributes
    assert told["gen_ai.operation.name"] == "chat"
    assert (told["gen_ai.provider.name"], told["gen_ai.request.model"]) == ("scripted", "qwen2-vl")
    assert told["gen_ai.usage.input_tokens"] == INPUT_TOKENS
    assert told["gen_ai.usage.output_tokens"] == OUTPUT_TOKENS
    assert told["gen_ai.response.finish_reasons"] == ("stop",)
    (question,) = (span for span in made if span.name.startswith("ask "))
    assert question.attributes["deixis.media.sha256"] == tuple(
        hashlib.sha256(image).hexdigest() for image in asked[0].images
    )
    assert question.attributes["deixis.media.bytes"] == tuple(map(len, asked[0].images))
    assert question.attributes["deixis.role"] == "vlm"
    assert question.attributes["deixis.cache.hit"] is False
    opened = next(span for span in made if span.name == "node open")
    assert opened.attributes["deixis.picture.width"] == 128
    written = "".join(span.to_json() for span in made)
    assert not holds_pixels(written) and TEXT not in written and ANSWER not in written


def test_members_of_a_committee_are_told_apart(
    quick: Settings, spans: Callable[[], list[Any]], hopper: Path
) -> None:
    graph = build_graph(quick.with_options(tracing="opentelemetry", cache="off"))
    samples = [{"image": given, "text": TEXT} for given in (str(hopper), hopper.read_bytes())]
    graph.batch(samples)
    made = spans()
    roots = [span for span in made if span.name == "deixis main"]
    assert len({root.context.trace_id for root in roots}) == len(roots) == len(samples)
    for root in roots:
        own = [span for span in made if span.context.trace_id == root.context.trace_id]
        asked = [span for span in own if span.name == "ask consult"]
        for span in asked:
            assert lineage(span, own)[1:] == ["node consult", "deixis main"]
        assert sorted({span.attributes["deixis.seat"] for span in asked}) == [0, 1, 2]
        assert len({span.parent.span_id for span in asked}) == 3, "each has its own node"


def test_texts_are_told_where_that_is_asked_for(
    picture: Any, spans: Callable[[], list[Any]]
) -> None:
    with scripted(ANSWER):
        graph = build_graph(settings(tracing="opentelemetry-with-text"))
        graph.invoke({"image": picture, "text": TEXT})
    (request,) = (span for span in spans() if span.name.startswith("chat "))
    said = json.loads(request.attributes["gen_ai.input.messages"])
    assert said[-1]["role"] == "user" and TEXT in said[-1]["parts"][-1]["content"]
    assert any(part["content"].startswith("[image, sha256 ") for part in said[-1]["parts"])
    assert json.loads(request.attributes["gen_ai.output.messages"]) == [
        {"role": "assistant", "parts": [{"type": "text", "content": ANSWER}]}
    ]
    assert not holds_pixels("".join(span.to_json() for span in spans()))


def test_a_reader_who_goes_away_leaves_no_span_open(spans: Callable[[], list[Any]]) -> None:
    with scripted(ANSWER):
        graph = build_graph(settings(tracing="opentelemetry"))
        parts = graph.stream({"image": PIXELS, "text": TEXT}, stream_mode="custom")
        next(parts)
        parts.close()
    assert [span.name for span in spans()][-1] == "deixis e2e"
    assert all(span.end_time for span in spans())


def test_tracing_changes_no_result() -> None:
    kinds = ("off", "opentelemetry", "opentelemetry-with-text")
    with scripted(ANSWER):
        assert len({str(identity(settings(tracing=kind))) for kind in kinds}) == 1


def test_the_cache_and_failures_are_told(tmp_path: Path, spans: Callable[[], list[Any]]) -> None:
    stack = settings(tracing="opentelemetry", cache="use", cache_folder=tmp_path / "kept")
    key = "sk-proj-0123456789abcdefghij0123456789abcdefghij"
    with scripted(ValueError(f"{key} is no key"), ANSWER):
        graph = build_graph(stack)
        for _ in range(3):
            graph.invoke({"image": PIXELS, "text": TEXT})
    made = spans()
    questions = [span for span in made if span.name.startswith("ask ")]
    hits = [span.attributes["deixis.cache.hit"] for span in questions]
    assert hits == [False, False, True]
    assert [span.attributes["deixis.status"] for span in questions] == ["failed", "ok", "ok"]
    failed = next(span for span in made if span.name.startswith("chat "))
    assert failed.attributes["error.type"] == "failed" and not failed.status.is_ok
    assert "ValueError" in failed.status.description
    assert key not in "".join(span.to_json() for span in made)


@pytest.mark.extra("langchain_openai")
@pytest.mark.parametrize("said", [fault(401, "pass-word and SECRET-KEY are wrong"), "pass-word"])
def test_credentials_are_in_nothing_that_is_told(said: Any, spans: Callable[[], list[Any]]) -> None:
    listener = Listener()
    with openai_server(said) as server:
        url = server.base_url.replace("//", "//grace:pass-word@") + "?key=SECRET-KEY"
        stack = settings(tracing="opentelemetry-with-text").with_roles(
            {"vlm": f"openai:some-model?base_url={url}"}
        )
        build_graph(stack).invoke({"image": PIXELS, "text": TEXT}, {"callbacks": [listener]})
    assert server.requests
    told = "".join(span.to_json() for span in spans()) + repr(listener.heard)
    assert "some-model" in told and "***" in told
    assert not [key for key in ("pass-word", "SECRET-KEY", "grace:") if key in told]


def test_a_sample_that_cannot_be_opened_ends_its_spans(spans: Callable[[], list[Any]]) -> None:
    with scripted(ANSWER):
        graph = build_graph(settings(tracing="opentelemetry"))
        with pytest.raises(InputError):
            graph.invoke({"image": b"no picture", "text": TEXT})
    assert [span.name for span in spans()] == ["node open", "deixis e2e"]
    assert all(span.attributes["error.type"] == "InputError" for span in spans())


def test_whoever_reads_a_stream_is_not_inside_the_sample(spans: Callable[[], list[Any]]) -> None:
    from opentelemetry import trace

    with scripted(ANSWER):
        graph = build_graph(settings(tracing="opentelemetry"))
        for _ in graph.stream({"image": PIXELS, "text": TEXT}, stream_mode="custom"):
            assert trace.get_current_span() is trace.INVALID_SPAN


def test_nothing_is_traced_unless_it_is_wanted(spans: Callable[[], list[Any]]) -> None:
    with scripted(ANSWER):
        build_graph(settings()).invoke({"image": PIXELS, "text": TEXT})
    assert spans() == []


def test_without_opentelemetry_its_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "opentelemetry", None)
    with scripted(ANSWER):
        with pytest.raises(MissingExtraError, match=r"deixis\[tracing\]"):
            build_graph(settings(tracing="opentelemetry"))
        build_graph(settings())


def test_a_graph_with_a_config_is_as_private(picture: Any) -> None:
    listener = Listener()
    with scripted(ANSWER):
        graph = build_graph(settings()).with_config({"callbacks": [listener]})
        graph.invoke({"image": picture, "text": TEXT})
    assert listener.heard and not holds_pixels(repr(listener.heard))
