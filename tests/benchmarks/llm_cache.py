"""Measure the cache of answers: what a hit costs, and how many calls identical requests make.

Run with ``python tests/benchmarks/llm_cache.py``; prints two lines a size and one for the
calls. A bare read is what diskcache and ``json.loads`` take for the same stored record.
"""

import json
import multiprocessing
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import diskcache

from deixis.llms.cache.llm_cache import Answer, LlmCache, Request

ROUNDS, READS = 21, 300
PROCESSES, THREADS = 4, 16
SCHEMA: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "required": [f"attribute_{number}" for number in range(30)],
    "properties": {
        f"attribute_{number}": {"type": "string", "maxLength": 80, "title": f"Attribute {number}"}
        for number in range(30)
    },
}


def request(size: int) -> Request:
    return Request(
        "openai:gpt-5-mini?temperature=0", "You describe." * 50, "x" * size, SCHEMA, ("0" * 64,)
    )


def keep(text: str) -> Answer:
    return Answer(text, 900, 120)


def revive(answer: Answer) -> str:
    return answer.text


def hit_cost(folder: Path, size: int) -> tuple[float, float]:
    """Return the seconds of a bare read and of a hit, medians of interleaved rounds."""
    cache, asked = LlmCache(folder / "llm"), request(size)
    answer = json.dumps(dict.fromkeys(SCHEMA["properties"], "dark blue"))
    cache.get_or_ask(asked, lambda: answer, keep=keep, revive=revive)
    (record,) = cache.entries()
    bare = diskcache.Cache(str(folder / "bare"), eviction_policy="none")
    bare[record.key] = record.model_dump_json()

    def hit() -> None:
        assert cache.get_or_ask(asked, lambda: "", keep=keep, revive=revive) == answer

    def read() -> None:
        assert json.loads(bare[record.key])["text"] == answer

    def seconds(work: Callable[[], None]) -> float:
        started = time.perf_counter()
        for _ in range(READS):
            work()
        return (time.perf_counter() - started) / READS

    rounds = [(seconds(read), seconds(hit)) for _ in range(ROUNDS)]
    bare.close()
    reads, hits = zip(*rounds, strict=True)
    return statistics.median(reads), statistics.median(hits)


def ask_at_once(folder: Path, barrier: Any) -> None:
    cache = LlmCache(folder / "llm")

    def ask() -> str:
        with (folder / "calls").open("a") as calls:
            calls.write("call\n")
        time.sleep(0.5)
        return "an answer"

    def work() -> None:
        barrier.wait()
        found = cache.get_or_ask(request(2000), ask, keep=keep, revive=revive)
        assert found == "an answer"

    threads = [threading.Thread(target=work) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def main() -> None:
    write = sys.stdout.write
    for size in (200, 2_000, 20_000, 200_000):
        with tempfile.TemporaryDirectory() as folder:
            bare, hit = hit_cost(Path(folder), size)
        write(
            f"prompt of {size} characters: bare read {bare * 1e6:.0f} us, hit {hit * 1e6:.0f} us, "
            f"ratio {hit / bare:.2f}\n"
        )
    with tempfile.TemporaryDirectory() as folder:
        context = multiprocessing.get_context("spawn")
        barrier = context.Barrier(PROCESSES * THREADS)
        workers = [
            context.Process(target=ask_at_once, args=(Path(folder), barrier))
            for _ in range(PROCESSES)
        ]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        calls = len((Path(folder) / "calls").read_text().splitlines())
        assert [worker.exitcode for worker in workers] == [0] * PROCESSES
    write(f"{PROCESSES * THREADS} identical calls from {PROCESSES} processes: {calls} asked\n")


if __name__ == "__main__":
    main()
