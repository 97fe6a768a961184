"""Whoever watches a graph in pieces, its models are asked as without: whole, once, counted."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple, TypedDict

import pytest
from langgraph.graph import END, START, StateGraph

from deixis.errors import SettingsError
from deixis.llms import registry
from deixis.llms.answers.reading import Text
from deixis.llms.asking import Asker
from deixis.llms.cache.llm_cache import LlmCache
from deixis.llms.structured import Reply
from deixis.prompts import Prompt
from deixis.settings import Budget, Options

PROMPT = Prompt("Be brief.", "What colour is the sky?", "colour", 1)
USAGE = {"prompt_tokens": 11, "completion_tokens": 5, "total_tokens": 16}
GEMINI = {"promptTokenCount": 11, "candidatesTokenCount": 5, "totalTokenCount": 16}
SAID: dict[str, Any] = {
    "openai": {
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": "Blue."},
                "finish_reason": "stop",
            }
        ],
        "usage": USAGE,
    },
    "google_genai": {
        "candidates": [
            {"content": {"role": "model", "parts": [{"text": "Blue."}]}, "finishReason": "STOP"}
        ],
        "usageMetadata": GEMINI,
    },
    "anthropic": {
        "id": "1",
        "type": "message",
        "role": "assistant",
        "model": "m",
        "content": [{"type": "text", "text": "Blue."}],
        "stop_reason": "end_turn",
        "usage": {"input_tokens": 11, "output_tokens": 5},
    },
    "ollama": {
        "model": "m",
        "message": {"role": "assistant", "content": "Blue."},
        "done": True,
        "done_reason": "stop",
        "prompt_eval_count": 11,
        "eval_count": 5,
    },
}


class Answer(NamedTuple):
    """What the server says."""

    body: Any
    status: int = 200
    headers: dict[str, str] = {}  # noqa: RUF012 - a NamedTuple's default, never changed


class State(TypedDict, total=False):
    reply: Any


def graph_of(asker: Asker, spec: str) -> Any:
    """Return a graph of one node, which asks one question."""
    graph = StateGraph(State)
    graph.add_node("ask", lambda _: {"reply": asker.ask(spec, PROMPT, Text)})
    graph.add_edge(START, "ask")
    graph.add_edge("ask", END)
    return graph.compile()


def plainly(graph: Any) -> Reply[Text]:
    found: Reply[Text] = graph.invoke({})["reply"]
    return found


def by_messages(graph: Any) -> Reply[Text]:
    parts = list(graph.stream({}, stream_mode=["messages", "values"]))
    shown = [part[0].text for mode, part in parts if mode == "messages"]
    assert set(shown) == {"Blue."}, "in one piece"
    found: Reply[Text] = parts[-1][1]["reply"]
    return found


def by_events(graph: Any) -> Reply[Text]:
    async def watch() -> Any:
        return [each async for each in graph.astream_events({}, version="v2")]

    ends = [each for each in asyncio.run(watch()) if each["event"] == "on_chain_end"]
    found: Reply[Text] = ends[-1]["data"]["output"]["reply"]
    return found


WATCHED = [plainly, by_messages, by_events]


@pytest.fixture
def server(provider: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    for name in ("openai", "google", "anthropic"):
        monkeypatch.setenv(f"{name.upper()}_API_KEY", "some-key")
    return provider


@pytest.mark.parametrize("name", SAID)
@pytest.mark.parametrize("watch", WATCHED)
def test_a_watched_model_is_asked_as_one_that_nobody_watches(
    server: Any, tmp_path: Path, name: str, watch: Callable[[Any], Reply[Text]]
) -> None:
    spec = f"{name}:m?base_url={server.url}{'/v1' if name == 'openai' else ''}"
    server.replies[:] = [Answer(SAID[name])]
    asker = Asker(Options(budget=Budget(tokens=16)), LlmCache(tmp_path, "off"))
    reply = watch(graph_of(asker, spec))
    assert reply.value == Text(text="Blue.")
    assert [call._replace(seconds=0.0)[:5] for call in reply.calls] == [
        ("ok", 11, 5, 0.0, reply.calls[0].finish_reason)
    ]
    assert reply.calls[0].finish_reason.lower() in {"stop", "end_turn"}
    (heard,) = server.requests
    assert not heard.body.get("stream") and "stream" not in heard.path.lower()
    assert asker.ask(spec, PROMPT, Text).status == "budget", "its 16 tokens are counted"


HALF = {
    "openai": {"choices": [{"message": {"role": "assistant", "content": "Bl"}}], "usage": USAGE},
    "google_genai": {"candidates": [{"content": {"parts": [{"text": "Bl"}]}}]},
    "anthropic": {**SAID["anthropic"], "stop_reason": None},
    "ollama": {"message": {"role": "assistant", "content": "Bl"}, "done": False},
}


@pytest.mark.parametrize("name", HALF)
def test_a_text_that_nothing_says_is_whole_counts_as_cut_off(
    server: Any, tmp_path: Path, name: str
) -> None:
    spec = f"{name}:m?base_url={server.url}{'/v1' if name == 'openai' else ''}"
    asker = Asker(Options(), LlmCache(tmp_path, "use"))
    server.replies[:] = [Answer(HALF[name]), Answer(HALF[name])]
    reply = asker.ask(spec, PROMPT, Text)
    assert (reply.value, reply.status) == (None, "truncated") and len(reply.calls) == 2
    server.replies[:] = [Answer(SAID[name])]
    assert asker.ask(spec, PROMPT, Text).value == Text(text="Blue."), "nothing was kept"


@pytest.mark.parametrize("name", SAID)
def test_a_body_that_breaks_off_is_a_failed_call(
    server: Any, waits: list[float], tmp_path: Path, name: str
) -> None:
    spec = f"{name}:m?base_url={server.url}{'/v1' if name == 'openai' else ''}"
    server.replies[:] = [Answer(json.dumps(SAID[name])[:-20])] * 3
    reply = Asker(Options(), LlmCache(tmp_path, "use")).ask(spec, PROMPT, Text)
    assert (reply.value, reply.status) == (None, "failed")


def test_what_cannot_be_told_is_refused() -> None:
    for option in ("streaming=true", "stream_usage=true", "disable_streaming=false"):
        with pytest.raises(SettingsError, match="there is no option"):
            registry.load(f"openai:m?base_url=http://127.0.0.1:1/v1&{option}")
