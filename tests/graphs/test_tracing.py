"""What leaves by callbacks, LangSmith and OpenTelemetry: everything but pictures and keys."""

import asyncio
import base64
import gzip
import io
import re
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
from deixis.testing import Response, scripted, serving

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
