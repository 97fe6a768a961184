"""Whoever watches a graph in pieces, its models are asked as without: whole, once, counted."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypedDict

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
from deixis.testing import Response

from .servers.protocols import Protocol, anthropic

pytestmark = pytest.mark.extra

PROMPT = Prompt("Be brief.", "What colour is the sky?", "colour", 1)


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


@pytest.mark.parametrize("watch", WATCHED)
def test_a_watched_model_is_asked_as_one_that_nobody_watches(
    provider: Any, protocol: Protocol, tmp_path: Path, watch: Callable[[Any], Reply[Text]]
) -> None:
    spec = protocol.spec(provider.url)
    provider.replies[:] = [Response(200, protocol.says("Blue."))]
    asker = Asker(Options(budget=Budget(tokens=16)), LlmCache(tmp_path, "off"))
    reply = watch(graph_of(asker, spec))
    assert reply.value == Text(text="Blue.")
    assert [call._replace(seconds=0.0)[:5] for call in reply.calls] == [
        ("ok", 11, 5, 0.0, reply.calls[0].finish_reason)
    ]
    assert reply.calls[0].finish_reason.lower() in {"stop", "end_turn"}
    (heard,) = provider.requests
    assert not heard.body.get("stream") and "stream" not in heard.path.lower()
    assert asker.ask(spec, PROMPT, Text).status == "budget", "its 16 tokens are counted"


HALF: dict[str, Any] = {
    "openai": {"choices": [{"message": {"role": "assistant", "content": "Bl"}}]},
    "google_genai": {"candidates": [{"content": {"parts": [{"text": "Bl"}]}}]},
    "anthropic": anthropic("Bl", None),
    "ollama": {"message": {"role": "assistant", "content": "Bl"}, "done": False},
}


def test_a_text_that_nothing_says_is_whole_counts_as_cut_off(
    provider: Any, protocol: Protocol, tmp_path: Path
) -> None:
    spec = protocol.spec(provider.url)
    asker = Asker(Options(), LlmCache(tmp_path, "use"))
    provider.replies[:] = [Response(200, HALF[protocol.name])] * 2
    reply = asker.ask(spec, PROMPT, Text)
    assert (reply.value, reply.status) == (None, "truncated") and len(reply.calls) == 2
    provider.replies[:] = [Response(200, protocol.says("Blue."))]
    assert asker.ask(spec, PROMPT, Text).value == Text(text="Blue."), "nothing was kept"


def test_a_body_that_breaks_off_is_a_failed_call(
    provider: Any, protocol: Protocol, waits: list[float], tmp_path: Path
) -> None:
    provider.replies[:] = [Response(200, json.dumps(protocol.says("Blue."))[:-20])] * 3
    reply = Asker(Options(), LlmCache(tmp_path, "use")).ask(
        protocol.spec(provider.url), PROMPT, Text
    )
    assert (reply.value, reply.status) == (None, "failed")


def test_what_cannot_be_told_is_refused() -> None:
    for option in ("streaming=true", "stream_usage=true", "disable_streaming=false"):
        with pytest.raises(SettingsError, match="there is no option"):
            registry.load(f"openai:m?base_url=http://127.0.0.1:1/v1&{option}")
