"""Measure how near to its bound a limited provider is used.

Run with ``python tests/benchmarks/llm_concurrency.py``. 200 samples go through the whole graph
at once; every reply takes 0.2 s and the provider takes 20 requests at a time. No schedule can
be shorter than requests / 20 x 0.2 s, plus what a first sample waits for before its first
request and a last one after the rest are done: one chain of consult, vote and expand.
"""

import time

import stand_ins

from deixis import build_graph

SAMPLES, SECONDS, AT_ONCE, CHAIN = 200, 0.2, 20, 3


def main() -> None:
    stand_ins.SETUP["seconds"] = SECONDS
    limits = {"bench": {"concurrency": AT_ONCE}}
    graph = build_graph(stand_ins.settings(limits=limits, cache="off"))
    posts = [{"text": f"Grace Hopper {n} of the US Navy at Harvard University"} for n in range(200)]
    graph.invoke({"text": "Eileen Collins of NASA"})  # loads the recognizer
    stand_ins.TRAFFIC.clear()
    started = time.perf_counter()
    out = graph.batch(posts, config={"max_concurrency": 64})
    seconds = time.perf_counter() - started
    requests = sum(stand_ins.TRAFFIC.calls.values())
    assert len(out) == SAMPLES and all(each["entities"] for each in out)
    assert stand_ins.TRAFFIC.most_running <= AT_ONCE
    bound = requests / AT_ONCE * SECONDS + (CHAIN - 1) * SECONDS
    print(
        f"{SAMPLES} samples, {requests} requests, at most {stand_ins.TRAFFIC.most_running} at a "
        f"time: {seconds:.2f} s, bound {bound:.2f} s, ratio {seconds / bound:.3f}"
    )


if __name__ == "__main__":
    main()
