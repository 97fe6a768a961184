"""What leaves by callbacks and spans of a sample with pictures, sound and video."""

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from langchain_core.callbacks import BaseCallbackHandler

from deixis import Settings, build_graph
from tests.agents.muie.answers import TEXT

from .test_contract import in_form

pytestmark = [pytest.mark.slow, pytest.mark.extra("av")]


class Listener(BaseCallbackHandler):
    """Keeps what the callbacks of nodes and of models are told."""

    def __init__(self) -> None:
        self.heard: list[Any] = []

    def on_chain_start(self, serialized: Any, inputs: Any, **_: Any) -> None:
        self.heard.append(inputs)

    def on_chain_end(self, outputs: Any, **_: Any) -> None:
        self.heard.append(outputs)

    def on_chat_model_start(self, serialized: Any, messages: Any, **_: Any) -> None:
        self.heard.append(messages)


@pytest.mark.parametrize("form", ["paths", "bytes", "arrays"])
def test_sound_and_video_are_told_and_never_given(
    settings: Callable[..., Settings],
    files: dict[str, Any],
    spans: Callable[[], list[Any]],
    form: str,
) -> None:
    listener = Listener()
    stack = settings(vlm="scripted:any?sees=true&hears=true&watches=true")
    stack = stack.with_options(tracing="opentelemetry-with-text")
    given = {"text": TEXT, **in_form(form, files)}
    build_graph(stack).invoke(given, {"callbacks": [listener]})
    made = spans()
    asked = [span for span in made if span.name.startswith("ask ")]
    kinds = {kind for span in asked for kind in span.attributes.get("deixis.media.kinds", ())}
    assert kinds == {"image", "audio", "video"}
    for told in ("".join(span.to_json() for span in made), repr(listener.heard)):
        assert all(f"[{kind}, sha256 " in told for kind in kinds)
        assert not re.search(r"[A-Za-z0-9+/=]{300,}|(\\\\?x[0-9a-f]{2}){8}|dtype=", told)
    assert json.loads(made[-1].to_json())["name"] == "deixis muie"
