"""What the tests of graphs share: stacks with a language model that answers at once."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from deixis import Settings, build_graph
from deixis.graphs.build import Graph


@pytest.fixture
def snapshot() -> Callable[[str, str], bool]:
    """Say whether a text is the one of a file; ``make snapshots`` writes the files anew."""

    def same(name: str, text: str) -> bool:
        path = Path(__file__).parent / "snapshots" / name
        if os.environ.get("DEIXIS_SNAPSHOTS"):
            path.write_text(text, encoding="utf-8")
        return text == path.read_text(encoding="utf-8")

    return same


@pytest.fixture
def quick(scripted: Any) -> Settings:
    """The starter stack with a language model that answers at once; it reads no writing."""
    scripted()
    model = "scripted:any"
    return Settings.load().with_roles(
        {
            "committee": [model] * 3,
            "voter": model,
            "expander": model,
            "templater": model,
            "reader": None,  # reading takes seconds, and is tested where it is the subject
        }
    )


@pytest.fixture
def quick_graph(quick: Settings) -> Graph:
    return build_graph(quick)


@pytest.fixture
def facts() -> Callable[[dict[str, Any]], dict[str, Any]]:
    """What two runs of one sample share: all but what they cost."""
    return lambda out: {key: value for key, value in out.items() if key != "usage"}


@pytest.fixture
def spans(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], list[Any]]]:
    """Collect the spans of the process in memory."""
    pytest.importorskip("opentelemetry.sdk")
    from opentelemetry import trace
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

    exporter, provider = InMemorySpanExporter(), TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(trace, "get_tracer", provider.get_tracer)
    yield lambda: list(exporter.get_finished_spans())
    provider.shutdown()
