"""What the terminal shows: progress on stderr, results on stdout."""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from rich.progress import (
    BarColumn,
    DownloadColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
)

from deixis.agents.context.state import Input
from deixis.apps import terminal
from deixis.graphs.build import Graph
from deixis.schema import Extraction
from deixis.show.timing import REST, Seconds, Stopwatch

PARTS = {
    **dict.fromkeys(("recognize", "sketch", "names"), "names"),
    **dict.fromkeys(("observe", "describe"), "looking at the picture"),
    **dict.fromkeys(("consult", "consult_each", "vote", "vote_each"), "how things look"),
    **dict.fromkeys(("summarize", "explain", "expand"), "how things look"),
    **dict.fromkeys(("entail", "place"), "what can be seen"),
    "listen": "what is said",
    "watch": "looking at the video",
    "extract": "who does what",
    **dict.fromkeys(("ground", "point", "segment"), "boxes and masks"),
    "track": "following in the video",
    "hear": "when it is heard",
    **dict.fromkeys(("open", "structure"), REST),
}
"""What the nodes of the shipped graphs do, in words; a node that is not here has its name."""


@contextmanager
def progress(*, in_bytes: bool = False, shown: bool = True) -> Iterator[Progress]:
    """Show a bar with what is at work and the time, on stderr, to whoever watches it.

    Args:
        in_bytes: whether steps are bytes.
        shown: whether it is wanted.
    """
    columns = (
        TextColumn("[bold]{task.description}"),
        BarColumn(bar_width=24),
        DownloadColumn() if in_bytes else MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[at]}"),
    )
    unseen = not (shown and terminal.is_live())
    with Progress(*columns, console=terminal.err, transient=True, disable=unseen) as bar:
        yield bar


@contextmanager
def counting(what: str, *, shown: bool) -> Iterator[Callable[[int, int], None]]:
    """Show a bar of so many things, and yield what is told how many of how many are done."""
    with progress(shown=shown) as bar:
        task = bar.add_task(what, total=None, at="")
        yield lambda done, total: bar.update(task, completed=done, total=total)


def extract(graph: Graph, post: Input, bar: Progress, name: str) -> tuple[Extraction, Seconds]:
    """Run the graph on one sample and show its nodes as they go.

    Returns:
        The extraction, and what every second was for: nodes as `PARTS` calls them. Those that
        are at work at the same time share its seconds.
    """
    task = bar.add_task(name, total=len(graph.nodes) - 1, at="")  # LangGraph's start is one
    ended: set[str] = set()
    watch = Stopwatch()
    result: dict[str, Any] = {}
    events: Iterator[Any] = graph.stream(post, stream_mode=["custom", "updates"])
    for mode, chunk in events:
        if mode == "updates":
            result = chunk.get("structure") or result
            continue
        node = chunk["node"]
        if chunk["event"] == "start":
            watch.start(PARTS.get(node, node))
            bar.update(task, at=node)
        else:
            watch.stop(PARTS.get(node, node))
            bar.advance(task, node not in ended)
            ended.add(node)
    bar.update(task, at="done")
    return Extraction.model_validate(result), watch.read(PARTS.values())


def warn(extraction: Extraction) -> None:
    """Print what degraded, on stderr."""
    for notice in extraction.warnings:
        terminal.warn(f"{notice.step}: {notice.message}")


def usage_line(extractions: list[Extraction]) -> str:
    """Say how many requests each role made, with how many tokens."""
    calls: Counter[str] = Counter()
    tokens = cached = 0
    for extraction in extractions:
        for usage in extraction.usage:
            calls[usage.role] += usage.calls
            cached += usage.cached
            tokens += usage.input_tokens + usage.output_tokens
    if not calls.total():
        kept = f"; {cached} answers came from the cache" if cached else ""
        return f"No language model was asked{kept}"
    by_role = ", ".join(f"{role} {count}" for role, count in calls.items() if count)
    made = f"{calls.total()} calls of language models ({by_role}), {tokens} tokens"
    return f"{made}; {cached} answers from the cache" if cached else made
