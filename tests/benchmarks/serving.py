"""Measure the service over HTTP: a server in a process of its own, and clients that are many.

``python tests/benchmarks/serving.py load``     200 samples at 50 at once, then 4,000 more: memory
``python tests/benchmarks/serving.py limit``    a server that is at its limit says so, and goes on
``python tests/benchmarks/serving.py vanish``   clients that leave in mid-stream leave nothing
``python tests/benchmarks/serving.py fuzz [SECONDS]``  what its own description allows, and more

Models answer at once, or as late as a mode says, without a network and without a cache.
"""

import asyncio
import base64
import json
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from statistics import quantiles
from typing import Any

import httpx
import uvicorn
from PIL import Image

from deixis import Settings
from deixis.serving.http.app import create_app
from deixis.serving.http.metrics import Metrics
from deixis.serving.jobs import Limits
from deixis.serving.offers import Offers
from deixis.serving.service import Service
from deixis.testing import Question, scripted, with_scripted_models

BARE = {"detector": None, "reader": None, "segmenter": None, "entailer": None}
EXTRACT, STREAM = "/v1/extract", "/v1/extract/stream"


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def resident() -> float:
    """Return the memory of this process in MB."""
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) / 1000


def serve(concurrency: int, queue: int, delay: float) -> None:
    """Serve until stdin ends; a line on it is answered with what the process holds."""
    stack = with_scripted_models("starter").with_roles({**BARE, "recognizer": "crf"})
    metrics = Metrics()
    service = Service(Offers([Settings.load(stack)]), Limits(concurrency, queue), metrics)
    app = create_app(service, metrics)
    config = uvicorn.Config(app, "127.0.0.1", 0, log_config=None, access_log=False, ws="none")
    server = uvicorn.Server(config)

    async def tasks() -> int:
        return len(asyncio.all_tasks())

    def asked(loop: asyncio.AbstractEventLoop) -> None:
        for _ in sys.stdin:
            held = {
                "tasks": asyncio.run_coroutine_threadsafe(tasks(), loop).result(),
                "threads": threading.active_count(),
                "jobs": len(service._jobs),
                "memory": resident(),
            }
            say(json.dumps(held))
        server.should_exit = True

    async def main() -> None:
        serving = asyncio.create_task(server.serve())
        while not server.started:
            await asyncio.sleep(0.01)
        say(str(server.servers[0].sockets[0].getsockname()[1]))
        threading.Thread(target=asked, args=[asyncio.get_running_loop()], daemon=True).start()
        await serving

    def answer(_: Question) -> None:
        questions.clear()  # which are kept for tests to look at, and would count as memory
        time.sleep(delay)

    with scripted(answer) as questions:
        asyncio.run(main())


class Server:
    """The server as its clients have it."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process
        self.url = f"http://127.0.0.1:{self._read().strip()}"

    def _read(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline()

    def held(self) -> dict[str, Any]:
        """Return how many tasks, threads and jobs it has, and MB of memory."""
        assert self._process.stdin is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        told: dict[str, Any] = json.loads(self._read())
        return told

    def idle(self) -> dict[str, Any]:
        """Wait until nothing runs."""
        while (held := self.held())["jobs"]:
            time.sleep(0.05)
        time.sleep(0.3)  # connections are closed
        return held | self.held()


@contextmanager
def started(concurrency: int = 4, queue: int = 100, delay: float = 0.0) -> Iterator[Server]:
    command = [sys.executable, __file__, "serve", *map(str, (concurrency, queue, delay))]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as process:
        yield Server(process)
        assert process.stdin is not None
        process.stdin.close()
        assert process.wait(60) == 0, "the server did not end as it should"


def post(number: int) -> dict[str, Any]:
    file = BytesIO()
    Image.new("RGB", (320, 240), (number % 256, 90, 200)).save(file, "PNG")
    encoded = base64.b64encode(file.getvalue()).decode()
    return {"text": f"Grace Hopper {number} of the US Navy", "image": {"base64": encoded}}


async def rush(url: str, count: int, at_once: int) -> tuple[Counter[str], list[float], list[int]]:
    """Post many; return what came of them, seconds of those done, and what Retry-After said."""
    came: Counter[str] = Counter()
    seconds: list[float] = []
    again: list[int] = []
    turn = asyncio.Semaphore(at_once)

    async def one(client: httpx.AsyncClient, number: int) -> None:
        async with turn:
            begun = time.perf_counter()
            body = post(number)
            answer = await client.post(EXTRACT, json=body)
        came[str(answer.status_code)] += 1
        if answer.status_code == 200:
            seconds.append(time.perf_counter() - begun)
            if answer.json()["text"] != body["text"]:
                came["of another"] += 1
        elif answer.status_code == 429:
            again.append(int(answer.headers["retry-after"]))

    async with httpx.AsyncClient(base_url=url, timeout=300) as client:
        await asyncio.gather(*(one(client, number) for number in range(count)))
    return came, seconds, again


def load() -> None:
    with started() as server:
        asyncio.run(rush(server.url, 4, 4))  # loads the recognizer
        first = server.idle()["memory"]
        begun = time.perf_counter()
        came, seconds, _ = asyncio.run(rush(server.url, 200, 50))
        took = time.perf_counter() - begun
        after = []
        for _ in range(4):
            after.append(server.idle()["memory"])
            more, _, _ = asyncio.run(rush(server.url, 1000, 50))
            assert more == {"200": 1000}, more
        after.append(server.idle()["memory"])
    assert came == {"200": 200}, came
    cuts = quantiles(seconds, n=20)
    say(
        f"200 samples at 50 at once: all answered, {200 / took:.1f} a second, p50 {cuts[9]:.2f} s, "
        f"p95 {cuts[18]:.2f} s; memory {first:.0f} MB before, {after[0]:.0f} MB after 200, then "
        f"{', '.join(f'{held:.1f}' for held in after[1:])} MB after each 1,000 more"
    )


def limit() -> None:
    with started(concurrency=2, queue=4, delay=0.05) as server:
        asyncio.run(rush(server.url, 2, 2))  # loads the recognizer
        came, seconds, again = asyncio.run(rush(server.url, 200, 50))
        server.idle()
        after, _, _ = asyncio.run(rush(server.url, 4, 2))
    assert came["200"] + came["429"] == 200 and came["200"] and came["429"], came
    assert after == {"200": 4}, after
    say(
        f"200 samples at 50 at once where 2 run and 4 wait: {came['200']} done (median "
        f"{sorted(seconds)[len(seconds) // 2]:.2f} s), {came['429']} told to come again after "
        f"{min(again)} to {max(again)} s; then 4 of 4 done"
    )


def vanish() -> None:
    async def leave(client: httpx.AsyncClient, number: int) -> None:
        async with client.stream("POST", STREAM, json=post(number)) as answer:
            async for line in answer.aiter_lines():
                if line.startswith("event: node" if number % 2 else ":"):
                    return

    async def all_leave(url: str) -> None:
        async with httpx.AsyncClient(base_url=url, timeout=60) as client:
            await asyncio.gather(*(leave(client, number) for number in range(20)))

    with started(delay=0.1) as server:
        asyncio.run(all_leave(server.url))  # pools of threads grow to what they may be
        before = server.idle()
        asyncio.run(all_leave(server.url))
        begun = time.perf_counter()
        after = server.idle()
        took = time.perf_counter() - begun
    for what in ("tasks", "threads", "jobs"):
        assert after[what] <= before[what], (before, after)
    say(
        f"20 clients left in mid-stream: {took:.1f} s later {after['jobs']} jobs, {after['tasks']} "
        f"tasks ({before['tasks']} before), {after['threads']} threads ({before['threads']} before)"
    )


def fuzz(seconds: int) -> None:
    tool = Path(sys.executable).with_name("schemathesis")
    checks = "content_type_conformance,status_code_conformance"  # 504 is what one may ask for
    with started() as server:
        how = ["--phases", "examples,coverage,fuzzing", "--checks", checks, "--max-time"]
        how += [str(seconds), "--max-examples", "100000", "--continue-on-failure", "--no-color"]
        command = [str(tool), "run", f"{server.url}/openapi.json", *how]
        subprocess.run(command, check=False)
        text = httpx.get(f"{server.url}/metrics").text
        held = server.idle()
    came: Counter[str] = Counter()
    for line in text.splitlines():
        if line.startswith("deixis_http_requests_total{"):
            came[line.split('status="')[1].split('"')[0]] += int(float(line.split()[-1]))
    said = ", ".join(f"{number} x {status}" for status, number in sorted(came.items()))
    say(f"{seconds} s: {said}; {held['memory']:.0f} MB, {held['threads']} threads")
    assert not came["500"], "the server has a bug"


def main() -> None:
    match sys.argv[1:]:
        case ["serve", concurrency, queue, delay]:
            serve(int(concurrency), int(queue), float(delay))
        case ["load"]:
            load()
        case ["limit"]:
            limit()
        case ["vanish"]:
            vanish()
        case ["fuzz", *seconds]:
            fuzz(int(seconds[0]) if seconds else 300)
        case _:
            sys.exit(__doc__)


if __name__ == "__main__":
    main()
