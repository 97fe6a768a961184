"""Measure batch runs: speed beside the graph alone, memory, and what kills leave behind.

``python tests/benchmarks/batch.py speed [ROWS]``   rows a second of three ways to run rows
``python tests/benchmarks/batch.py cached [ROWS]``  rows a second whose answers are all cached
``python tests/benchmarks/batch.py memory [ROWS]``  memory from row 1,000 on
``python tests/benchmarks/batch.py kills [ROWS] [KILLS]``  kills at random moments

Models answer at once, without a network and, but for the kills, without a cache of answers.
"""

import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Annotated, Any

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from langgraph.graph import END, START, StateGraph
from langgraph.types import Send
from typing_extensions import TypedDict

from deixis.batch.run import Batch
from deixis.graphs.build import build_graph
from deixis.llms import registry
from deixis.settings import Settings, Spec

NAMES = ("Grace Hopper", "Eileen Collins", "Ada Lovelace", "Marie Curie", "Bill Clinton")
PLACES = ("Harvard University", "Houston", "the White House", "Paris", "the US Navy")
ROLES = ("voter", "expander", "templater")
CONCURRENCY = 4
DELAY = float(os.environ.get("BATCH_DELAY", "0"))


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def fill(node: dict[str, Any], schema: dict[str, Any]) -> Any:
    """Return the plainest value that fits a JSON schema."""
    if "$ref" in node:
        return fill(schema["$defs"][node["$ref"].rpartition("/")[2]], schema)
    if "enum" in node:
        return node["enum"][0]
    if "const" in node:
        return node["const"]
    if node["type"] == "object":
        return {key: fill(each, schema) for key, each in node["properties"].items()}
    if node["type"] == "array":
        return [fill(node["items"], schema)] * node.get("minItems", 0)
    return {"string": "dark blue", "number": 0.5, "integer": 1, "boolean": True}[node["type"]]


class Instant(BaseChatModel):
    """Answers at once with what the schema wants; notes every call in the file BATCH_CALLS."""

    name_in_spec: str

    @property
    def _llm_type(self) -> str:
        return "instant"

    def _generate(self, messages: Any, *_: Any, **options: Any) -> ChatResult:
        if "BATCH_CALLS" in os.environ:
            with open(os.environ["BATCH_CALLS"], "ab", buffering=0) as calls:
                said = {"model": self.name_in_spec, "asked": messages[-1].content}
                calls.write(json.dumps(said).encode() + b"\n")
        time.sleep(DELAY)
        schema = options["json_schema"]
        message = AIMessage(
            json.dumps(fill(schema, schema)),
            usage_metadata={"input_tokens": 7, "output_tokens": 3, "total_tokens": 10},
            response_metadata={"finish_reason": "stop"},
        )
        return ChatResult(generations=[ChatGeneration(message=message)])


def make(spec: Spec) -> tuple[BaseChatModel, Any]:
    """Make the chat model of ``instant:NAME``."""
    model = Instant(name_in_spec=spec.name)
    return model, lambda schema, limit: model.bind(json_schema=schema, max_tokens=limit)


def settings(folder: Path, cache: str) -> Settings:
    """Return the starter stack with models that answer at once, for texts without pictures."""
    registry.PROVIDERS["instant"] = registry.Provider(f"{__name__}:make", "", "test")
    stack = Settings.load().with_roles(
        {"committee": ["instant:a", "instant:b", "instant:c"]}
        | dict.fromkeys(ROLES, "instant:d")
        | dict.fromkeys(("detector", "reader", "segmenter"))
    )
    changed = {"cache": cache, "cache_folder": folder / "llm", "templates": folder / "templates"}
    return stack.model_copy(update={"options": stack.options.model_copy(update=changed)})


def text_of(number: int) -> str:
    """Return a text with two entities, another for every number."""
    name, place = NAMES[number % 5], PLACES[number // 5 % 5]
    return f"{name} taught at {place} in the year {number:07}"


def write_rows(path: Path, rows: int) -> Path:
    with path.open("w") as file:
        for number in range(rows):
            file.write(json.dumps({"id": f"row {number}", "text": text_of(number)}) + "\n")
    return path


class _State(TypedDict, total=False):
    done: Annotated[dict[str, int], lambda old, new: {**(old or {}), **new}]


def bare_graph() -> Any:
    """Return a LangGraph graph of the shape of ours whose nodes do nothing."""
    builder = StateGraph(_State)
    later = ("entail", "ground", "segment", "structure")
    for name in ("open", "recognize", "observe", "consult", "vote", "expand", *later):
        builder.add_node(name, lambda state, name=name: {"done": {name: 1}})
    builder.add_edge(START, "open")
    builder.add_edge("open", "recognize")
    builder.add_edge("open", "observe")
    builder.add_conditional_edges(
        "recognize", lambda state: [Send("consult", {}) for _ in range(3)], ["consult", "vote"]
    )
    builder.add_edge("consult", "vote")
    builder.add_edge("vote", "expand")
    builder.add_edge(["expand", "observe"], "entail")
    for one, other in zip(later, (*later[1:], END), strict=True):
        builder.add_edge(one, other)
    return builder.compile()


def in_a_pool(work: Callable[[int], Any], rows: int) -> float:
    """Return the seconds that a plain pool of threads takes."""
    started = time.perf_counter()
    with ThreadPoolExecutor(CONCURRENCY) as pool:
        for _ in pool.map(work, range(rows)):
            pass
    return time.perf_counter() - started


def speed(rows: int = 2000, rounds: int = 3) -> None:
    """Interleave a bare graph, ours in a plain pool, and a batch run; print rows a second."""
    taken: dict[str, list[float]] = {"bare graph": [], "graph in a pool": [], "batch": []}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        stack = settings(folder, "off")
        source = write_rows(folder / "in.jsonl", rows)
        graph, bare = build_graph(stack), bare_graph()
        in_a_pool(lambda number: graph.invoke({"text": text_of(number)}), 200)
        for each in range(rounds):
            taken["bare graph"].append(in_a_pool(lambda _: bare.invoke({"done": {}}), rows))
            taken["graph in a pool"].append(
                in_a_pool(lambda number: graph.invoke({"text": text_of(number)}), rows)
            )
            started = time.perf_counter()
            batch = Batch(stack, source, folder / f"out{each}.jsonl", concurrency=CONCURRENCY)
            assert batch.run().done == rows
            taken["batch"].append(time.perf_counter() - started)
    rates = {name: rows / min(seconds) for name, seconds in taken.items()}
    for name, rate in rates.items():
        said = ", ".join(f"{rates[name] / rates[other]:.2f} of {other}" for other in rates)
        say(f"{name}: {rate:.0f} rows/s ({said})")


def cached(rows: int = 1000, rounds: int = 3) -> None:
    """Run rows again whose answers are in the cache; print rows for each second of a core.

    Beside it a bare graph, and the recognizer, whose answers the cache has as well.
    """
    taken: dict[str, list[float]] = {"bare graph": [], "recognizer": [], "cached rows": []}

    def worked(name: str, work: Callable[[], Any]) -> None:
        started = time.process_time()
        work()
        taken[name].append((time.process_time() - started) / rows)

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        stack, bare = settings(folder, "use"), bare_graph()
        source = write_rows(folder / "in.jsonl", rows)
        first = Batch(stack, source, folder / "first.jsonl", concurrency=CONCURRENCY)
        assert first.run().calls == 4 * rows
        tagger = first.toolbox.tagger
        for each in range(rounds):
            worked("bare graph", lambda: in_a_pool(lambda _: bare.invoke({"done": {}}), rows))
            worked("recognizer", lambda: in_a_pool(lambda k: tagger.weigh(text_of(k)), rows))
            batch = Batch(stack, source, folder / f"out{each}.jsonl", concurrency=CONCURRENCY)
            worked("cached rows", batch.run)
            assert batch.tally.cached == 4 * rows and not batch.tally.calls
    for name, seconds in taken.items():
        say(f"{name}: {1000 * min(seconds):.2f} ms of a core a row, {1 / min(seconds):.0f} rows/s")


def memory(rows: int = 100_000) -> None:
    """Run rows of distinct texts; print the memory at row 1,000, the most since, and the rate."""
    import psutil

    process = psutil.Process()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        source = write_rows(folder / "in.jsonl", rows)
        batch = Batch(settings(folder, "off"), source, folder / "o.jsonl", concurrency=CONCURRENCY)
        seen: dict[int, float] = {}
        bare = bare_graph()

        def look(tally: Any) -> None:
            if tally.done == 1000 or tally.done % max(1, rows // 20) == 0:
                seen[tally.done] = process.memory_info().rss / 1e6
                say(f"row {tally.done}: {seen[tally.done]:.1f} MB, {tally.seconds:.0f} s")

        tally = batch.run(look)
        assert tally.done == rows and len((folder / "o.jsonl").read_bytes().splitlines()) == rows
        growth = max(size for row, size in seen.items() if row >= 1000) - seen[1000]
        seconds = in_a_pool(lambda _: bare.invoke({"done": {}}), 2000)
    say(
        f"{rows} rows: growth from row 1,000 on {growth:.1f} MB; {rows / tally.seconds:.0f} "
        f"rows/s, a bare graph {2000 / seconds:.0f}"
    )


def kills(rows: int = 2000, times: int = 20) -> None:
    """Kill a run again and again, let it finish, and count rows, twins and repeated calls."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        out, calls = folder / "out.jsonl", folder / "calls.jsonl"
        write_rows(folder / "in.jsonl", rows)
        command = [sys.executable, __file__, "child", str(folder)]
        environment = {**os.environ, "BATCH_CALLS": str(calls)}
        chance, twice_of_finished, done = random.Random(), 0, 0

        def finished() -> int:
            return out.read_bytes().count(b"\n") if out.exists() else 0

        while done < times:
            before = finished()
            asked = calls.read_bytes().count(b"\n") if calls.exists() else 0
            texts = {json.loads(line)["text"] for line in _whole(out)}
            child = subprocess.Popen(command, env=environment)
            goal = before + chance.randint(1, max(1, (rows - before) // (times - done + 1)))
            while finished() < goal and child.poll() is None:
                time.sleep(0.002)
            time.sleep(chance.random() * 0.1)
            if child.poll() is None:
                child.send_signal(signal.SIGKILL)
                done += 1
            child.wait()
            new = [json.loads(line)["asked"] for line in _whole(calls)[asked:]]
            twice_of_finished += sum(any(text in each for text in texts) for each in new)
        subprocess.run(command, env=environment, check=True)
        ids = Counter(json.loads(line)["id"] for line in _whole(out))
        asked_twice = Counter(calls.read_bytes().splitlines())
    say(
        f"{times} kills, {rows} rows: {len(ids)} at the end, {sum(ids.values()) - len(ids)} "
        f"twins, {twice_of_finished} calls for finished rows, {sum(asked_twice.values())} calls "
        f"in all, of which {sum(asked_twice.values()) - len(asked_twice)} were asked before"
    )


def _whole(path: Path) -> list[bytes]:
    """Return the lines of a file without a half one at its end."""
    data = path.read_bytes() if path.exists() else b""
    return data[: data.rfind(b"\n") + 1].splitlines()


def child(folder: str) -> None:
    """Run the batch that is killed."""
    here = Path(folder)
    batch = Batch(settings(here, "use"), here / "in.jsonl", here / "out.jsonl")
    assert not batch.run().failed
    assert threading.active_count() == 1


if __name__ == "__main__":
    what, *given = sys.argv[1:] or ["speed"]
    run: Any = {"speed": speed, "cached": cached, "memory": memory, "kills": kills, "child": child}[
        what
    ]
    run(*(each if what == "child" else int(each) for each in given))
