"""Measure what faults of a provider cost: 300 samples, three calls in ten of which go wrong.

Run with ``python tests/benchmarks/llm_faults.py``. A server on the loopback device speaks the
protocol of OpenAI; the same samples go through the whole graph once without and once with
faults. Every sample must have a valid result, and a warning must name what it lacks.
"""

import json
import random
import threading
import time
from collections import Counter
from typing import Any

import stand_ins

from deixis import Extraction, Settings, build_graph
from deixis.testing import After, Cut, Question, Refused, fault, openai_server

SAMPLES, SHARE = 300, 0.3
REPLACED = {"invalid", "empty", "truncated", "refused", "failed"}


class Provider:
    """Answers every schema, or does what goes wrong instead."""

    def __init__(self) -> None:
        self.share = 0.0
        self.calls = 0
        self.faults: Counter[str] = Counter()
        self._chance = random.Random(7)
        self._guard = threading.Lock()

    def __call__(self, question: Question) -> Any:
        """Return what the server says."""
        last = question.messages[-1]["content"]
        text = json.dumps(stand_ins.answer_to(question.schema or {}, question.model, last))
        half = text[: len(text) // 2]
        wrong = {
            "429 later": fault(429, retry_after=0.2),
            "429": fault(429),
            "500": fault(500),
            "timeout": After(1.5, text),
            "reset": ConnectionError(),
            "garbage": f"{half}!!",
            "refusal": Refused("I cannot describe people."),
            "truncation": Cut(half),
        }
        with self._guard:
            self.calls += 1
            if self._chance.random() >= self.share:
                return text
            kind = self._chance.choice(list(wrong))
            self.faults[kind] += 1
        return wrong[kind]


def main() -> None:
    provider = Provider()
    with openai_server(provider) as server:
        models = [server.spec(name, timeout=0.75) for name in "abc"]
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


if __name__ == "__main__":
    main()
