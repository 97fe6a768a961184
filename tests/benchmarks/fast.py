"""Time the stack ``fast``: a photograph by node, and many texts beside the recognizer alone.

Run with ``python tests/benchmarks/fast.py PHOTOS.jsonl GMNER [STACK]``: rows with ``image`` and
``text``, and the folder with ``dev.txt`` and ``xml.tar.gz`` of Twitter-GMNER, of which the first
1,000 tweets are taken. Everything is warm: the photographs go through twice.
"""

import json
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

from deixis import Settings, build_graph
from deixis.agents.context.toolbox import Toolbox
from deixis.agents.main.recognize import recognize
from deixis.batch.run import Batch
from deixis.evaluation.datasets import convert
from deixis.rows import read_rows

TEXTS = 1_000


def photographs(stack: str, rows: Path) -> None:
    """Say how long each photograph takes, and which nodes take that long."""
    graph = build_graph(stack)
    posts: list[Any] = [
        {"image": str(rows.parent / str(row.image)), "text": row.text} for row in read_rows(rows)
    ]
    for post in posts:
        graph.invoke(post)
    for post in posts:
        started, spent = time.perf_counter(), Counter[str]()
        for event in graph.stream(post, stream_mode="custom"):
            if event["event"] == "end":
                spent[event["node"]] += event["seconds"]
        seconds = time.perf_counter() - started
        most = ", ".join(f"{node} {own:.2f}" for node, own in spent.most_common(3))
        print(f"{Path(post['image']).name}: {seconds:.2f} s ({most})")


def texts(stack: str, folder: Path) -> None:
    """Say how long a batch of texts takes, and how many times that of the recognizer alone."""
    tweets = [row.text for row in convert("gmner", folder, "dev").rows][:TEXTS]
    toolbox = Toolbox(Settings.load(stack))
    for some in (tweets[:1], tweets):
        started = time.perf_counter()
        for text in some:
            state: Any = {"text": text}
            recognize(state, toolbox)
    alone = time.perf_counter() - started
    with tempfile.TemporaryDirectory() as place:
        source = Path(place) / "tweets.jsonl"
        lines = (json.dumps({"id": str(n), "text": text}) for n, text in enumerate(tweets))
        source.write_text("\n".join(lines), encoding="utf-8")
        started = time.perf_counter()
        Batch(Settings.load(stack), source, Path(place) / "out.jsonl").run()
        seconds = time.perf_counter() - started
    ratio = seconds / alone
    print(f"{len(tweets)} texts: {seconds:.1f} s, {ratio:.2f} times the recognizer's {alone:.1f} s")


if __name__ == "__main__":
    named = sys.argv[3] if len(sys.argv) > 3 else "fast"
    photographs(named, Path(sys.argv[1]))
    texts(named, Path(sys.argv[2]))
