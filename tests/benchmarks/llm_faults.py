"""Measure what faults of a provider cost: 300 samples, three calls in ten of which go wrong.

Run with ``python tests/benchmarks/llm_faults.py``. A server on the loopback device speaks the
protocol of OpenAI; the same samples go through the whole graph once without and once with
faults. Every sample must have a valid result, and a warning must name what it lacks.
"""

import json
import random
import socket
import struct
import threading
import time
from collections import Counter
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import stand_ins

from deixis import Extraction, Settings, build_graph

SAMPLES, SHARE = 300, 0.3
KINDS = ("429 later", "429", "500", "timeout", "reset", "garbage", "refusal", "truncation")
REPLACED = {"invalid", "empty", "truncated", "refused", "failed"}


class Provider(ThreadingHTTPServer):
    """Answers every schema; does what `fault` says first."""

    daemon_threads = True
    request_queue_size = 256

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.share = 0.0
        self.calls = 0
        self.faults: Counter[str] = Counter()
        self._chance = random.Random(7)
        self._guard = threading.Lock()

    def fault(self) -> str | None:
        """Count a call; say what goes wrong with it."""
        with self._guard:
            self.calls += 1
            kind = self._chance.choice(KINDS) if self._chance.random() < self.share else None
            if kind:
                self.faults[kind] += 1
            return kind


class _Handler(BaseHTTPRequestHandler):
    server: Provider
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        kind = self.server.fault()
        if kind == "timeout":
            time.sleep(1.5)
        elif kind == "reset":
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.close_connection = True
            self.connection.close()
            self.wfile = open("/dev/null", "wb")  # noqa: SIM115 - the handler flushes it
            return
        schema = body["response_format"]["json_schema"]["schema"]
        text = json.dumps(
            stand_ins.answer_to(schema, body["model"], body["messages"][-1]["content"])
        )
        message: dict[str, Any] = {"role": "assistant", "content": text}
        reason = "stop"
        if kind == "garbage":
            message["content"] = text[: len(text) // 2] + "!!"
        elif kind == "refusal":
            message |= {"content": None, "refusal": "I cannot describe people."}
        elif kind == "truncation":
            message["content"], reason = text[: len(text) // 2], "length"
        status = {"429 later": 429, "429": 429, "500": 500}.get(kind or "", 200)
        reply: dict[str, Any] = {
            "id": "1",
            "object": "chat.completion",
            "created": 1,
            "model": body["model"],
            "choices": [{"index": 0, "message": message, "finish_reason": reason}],
            "usage": {"prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10},
        }
        data = json.dumps({"error": {"message": "not now"}} if status != 200 else reply).encode()
        with suppress(OSError):  # who has timed out does not listen any more
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            if kind == "429 later":
                self.send_header("Retry-After", "0.2")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


def main() -> None:
    with Provider() as provider:
        threading.Thread(target=provider.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{provider.server_port}/v1"
        models = [f"openai:{name}?base_url={url}&timeout=0.75" for name in "abc"]
        plain = stand_ins.settings(cache="off")
        settings: Settings = plain.with_roles(
            {"committee": models, **dict.fromkeys(("voter", "expander", "templater"), models[0])}
        )
        graph = build_graph(settings)
        posts = [
            {"text": f"Grace Hopper {n} of the US Navy at Harvard University"}
            for n in range(SAMPLES)
        ]
        calls = []
        for share in (0.0, SHARE):
            provider.share, provider.calls = share, 0
            started = time.perf_counter()
            results = [
                Extraction.model_validate(out)
                for out in graph.batch(posts, config={"max_concurrency": 16})
            ]
            calls.append(provider.calls)
            seconds = time.perf_counter() - started
            lacking = 0
            for result in results:
                assert result.entities
                last = {reply.id.rpartition("/")[0]: reply.status for reply in result.replies}
                bad = [step for step, status in last.items() if status in REPLACED]
                told = {warning.step for warning in result.warnings}
                assert {step.partition("/")[0] for step in bad} <= told, "what failed is told"
                assert bool(told) == bool(bad), "and nothing else"
                lacking += bool(bad)
            print(
                f"faults in {share:.0%} of the calls: {len(results)} results, {provider.calls} "
                f"calls, {lacking} samples with a warning, {seconds:.1f} s"
            )
        print("faults: " + ", ".join(f"{kind} {n}" for kind, n in sorted(provider.faults.items())))
        print(f"calls with faults / without: {calls[1] / calls[0]:.3f}")
        provider.shutdown()


if __name__ == "__main__":
    main()
