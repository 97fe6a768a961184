"""Measure a thousand requests in flight at once, from one process to a slow server.

Run with ``python tests/benchmarks/llm_in_flight.py``. A server in another process, which does
nothing but wait, answers each request after 2 s. From 1,000 threads, as many as there are rows at
once, the layer of language models asks it through OpenAI's client. With so many at once no way of
asking takes less than requests / 1,000 x 2 s. The budget allows fewer than are asked for: what the
server counts is what it allows, and never more at once than the limit.

``python tests/benchmarks/llm_in_flight.py batch`` does the same with ``deixis batch``, and
``... minute`` has as many threads wait for a limit by the minute: it is never passed.
"""

import asyncio
import json
import resource
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil

from deixis.batch.run import Batch
from deixis.llms.asking import Asker
from deixis.llms.cache.llm_cache import LlmCache
from deixis.prompts import Prompt
from deixis.schema import Record
from deixis.settings import Budget, Limit, Options, Settings

AT_ONCE, SECONDS, REQUESTS, ROUNDS = 1000, 2.0, 10_000, 3
PER_MINUTE = 3000
TOO_MANY = 100
"""Requests that are asked for beyond the budget."""
ROWS = 1000
SPEC = "openai:waits?base_url={}/v1&response_format=json_schema&limit_name=max_tokens"


class Waits(asyncio.Protocol):
    """One connection of the server: reads requests by their length alone, answers after a while."""

    asked = running = most = 0
    begun = 0.0  # when the first request came
    early = 0  # requests that came in the 55 s from then on: a moment's delay moves none there

    def connection_made(self, transport: Any) -> None:
        """Take a connection."""
        self.transport, self.got = transport, b""

    def data_received(self, data: bytes) -> None:
        """Take a piece of a request; count a whole one, and answer it later."""
        self.got += data
        head, end, body = self.got.partition(b"\r\n\r\n")
        if not end:
            return
        if head.startswith(b"GET"):
            self.got = b""
            self.reply({"asked": Waits.asked, "most": Waits.most, "early": Waits.early})
            Waits.asked = Waits.most = Waits.early = 0
            return
        _, _, rest = head.lower().partition(b"content-length:")
        if len(body) < int(rest.split(b"\r\n")[0]):
            return
        self.got = b""
        now = asyncio.get_running_loop().time()
        Waits.begun = Waits.begun if Waits.asked else now
        Waits.asked += 1
        Waits.early += now < Waits.begun + 55
        Waits.running += 1
        Waits.most = max(Waits.most, Waits.running)
        asyncio.get_running_loop().call_later(SECONDS, self.answer, body)

    def answer(self, body: bytes) -> None:
        """Answer what the schema of a request asks for."""
        Waits.running -= 1
        schema = json.loads(body)["response_format"]["json_schema"]["schema"]
        message = {"role": "assistant", "content": json.dumps(fill(schema, schema))}
        self.reply(
            {
                "id": "one",
                "object": "chat.completion",
                "created": 1,
                "model": "waits",
                "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
                "usage": {"prompt_tokens": 90, "completion_tokens": 10, "total_tokens": 100},
            }
        )

    def reply(self, record: Any) -> None:
        """Send JSON."""
        body = json.dumps(record).encode()
        head = f"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {len(body)}"
        self.transport.write(head.encode() + b"\r\n\r\n" + body)


def fill(node: dict[str, Any], schema: dict[str, Any]) -> Any:
    """Return the plainest value that fits a JSON schema."""
    if "$ref" in node:
        return fill(schema["$defs"][node["$ref"].rpartition("/")[2]], schema)
    if "enum" in node:
        return node["enum"][0]
    if node["type"] == "object":
        return {key: fill(each, schema) for key, each in node["properties"].items()}
    return {"string": "dark blue", "number": 0.5, "integer": 1, "boolean": True}[node["type"]]


async def serve() -> None:
    """Serve, until the process is ended."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Waits, "127.0.0.1", 0, backlog=2 * AT_ONCE)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await server.serve_forever()


@contextmanager
def server() -> Iterator[tuple[str, psutil.Process]]:
    """Yield the URL of a server in another process, and that."""
    process = subprocess.Popen(
        [sys.executable, __file__, "serve"], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    try:
        yield f"http://127.0.0.1:{int(process.stdout.readline())}", psutil.Process(process.pid)
    finally:
        process.terminate()
        process.wait()


def counted(url: str) -> dict[str, int]:
    """Return what the server has counted, which begins anew with it."""
    with urllib.request.urlopen(url) as reply:
        found: dict[str, int] = json.load(reply)
    return found


class Colour(Record):
    """What is asked for."""

    colour: str


class Peak:
    """The most memory of this process, looked at now and then, in MB."""

    def __init__(self) -> None:
        self._process, self._ended = psutil.Process(), threading.Event()
        self.before = self.most = self._process.memory_info().rss / 1e6
        self._thread = threading.Thread(target=self._look)

    def _look(self) -> None:
        while not self._ended.wait(0.1):
            self.most = max(self.most, self._process.memory_info().rss / 1e6)

    def __enter__(self) -> "Peak":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()


def asking(asker: Asker, spec: str, requests: int) -> list[str]:
    """Ask from as many threads as may be in flight; return what came of each request."""

    def ask(number: int) -> str:
        prompt = Prompt("You name colours.", f"Which is number {number}?", "colour", 1)
        return asker.ask(spec, prompt, Colour).status

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(ask, range(requests)))


def minute(url: str, serving: psutil.Process) -> None:
    """Ask for more than a minute may have."""
    limit = Limit(concurrency=AT_ONCE, requests_per_minute=PER_MINUTE)
    with tempfile.TemporaryDirectory() as folder:
        asker = Asker(Options(limits={"openai": limit}), LlmCache(Path(folder), "off"))
        started = time.perf_counter()
        status = asking(asker, SPEC.format(url), PER_MINUTE + TOO_MANY)
        seconds, found = time.perf_counter() - started, counted(url)
    assert set(status) == {"ok"} and found["asked"] == PER_MINUTE + TOO_MANY, found
    assert found["early"] == PER_MINUTE and found["most"] <= AT_ONCE and seconds > 60, found
    print(
        f"a limit of {PER_MINUTE} a minute: {found['early']} came in the first 55 s, the last of "
        f"{found['asked']} after {seconds:.1f} s, at most {found['most']} at once"
    )


def layer(url: str, serving: psutil.Process) -> None:
    """Ask from threads, without a graph."""
    spec, limit = SPEC.format(url), Limit(concurrency=AT_ONCE)
    with tempfile.TemporaryDirectory() as folder:
        cache = LlmCache(Path(folder), "off")
        asking(Asker(Options(), cache), spec, 2)
        for _ in range(ROUNDS):
            asker = Asker(Options(limits={"openai": limit}, budget=Budget(calls=REQUESTS)), cache)
            counted(url)
            served = sum(serving.cpu_times()[:2])
            started, worked = time.perf_counter(), time.process_time()
            with Peak() as peak:
                status = asking(asker, spec, REQUESTS + TOO_MANY)
            seconds, worked = time.perf_counter() - started, time.process_time() - worked
            served = sum(serving.cpu_times()[:2]) - served
            found = counted(url)
            assert status.count("ok") == REQUESTS == found["asked"], found
            assert status.count("budget") == TOO_MANY and found["most"] <= AT_ONCE, found
            say("the layer", REQUESTS, seconds, worked, served, found["most"], peak)


def rows(url: str, serving: psutil.Process) -> None:
    """Run a batch: each row asks a committee of three at once, and then an expander."""
    spec = SPEC.format(url)
    stack = Settings.load("fast").with_roles({"committee": [spec] * 3, "expander": spec})
    stack = stack.with_options(cache="off", limits={"openai": Limit(concurrency=AT_ONCE)})
    with tempfile.TemporaryDirectory() as name:
        source, out = Path(name, "in.jsonl"), Path(name, "out.jsonl")
        posts = [{"id": str(k), "text": f"Grace Hopper in Houston in {k:04}"} for k in range(ROWS)]
        source.write_text("".join(json.dumps(post) + "\n" for post in posts))
        batch = Batch(stack, source, out, concurrency=AT_ONCE)
        served = sum(serving.cpu_times()[:2])
        counted(url)
        started, worked = time.perf_counter(), time.process_time()
        with Peak() as peak:
            tally = batch.run()
        seconds, worked = time.perf_counter() - started, time.process_time() - worked
        served = sum(serving.cpu_times()[:2]) - served
        found = counted(url)
        assert tally.done == ROWS and tally.calls == found["asked"], (tally, found)
        say(f"batch of {ROWS} rows", tally.calls, seconds, worked, served, found["most"], peak)


def say(
    what: str, requests: int, seconds: float, worked: float, served: float, most: int, peak: Peak
) -> None:
    """Print a round."""
    bound = requests / AT_ONCE * SECONDS
    print(
        f"{what}: {requests} requests, at most {most} at once: {seconds:.2f} s, bound {bound:.2f} "
        f"s, throughput {bound / seconds:.3f} of it; processor {1000 * worked / requests:.2f} ms a "
        f"request ({worked / seconds:.2f} cores; the server {served / seconds:.2f}); memory "
        f"{peak.before:.0f} MB before, {peak.most:.0f} MB at most"
    )


def main() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 4 * AT_ONCE
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(wanted, hard)), hard))
    with server() as (url, serving):
        {"batch": rows, "minute": minute}.get("".join(sys.argv[1:]), layer)(url, serving)


if __name__ == "__main__":
    if sys.argv[1:] == ["serve"]:
        asyncio.run(serve())
    else:
        main()
