"""What is counted, in the form that Prometheus reads."""

from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from deixis.serving.jobs import Job

_SECONDS = (0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0, 300.0)


class Metrics:
    """Counts what a service tells of, and requests; a `deixis.serving.service.Watch`."""

    def __init__(self) -> None:
        self._registry = registry = CollectorRegistry()
        self.requests = Counter(
            "deixis_http_requests", "Answers", ["route", "status"], registry=registry
        )
        self._orders = Counter(
            "deixis_orders", "Samples, by what came of them", ["outcome"], registry=registry
        )
        self._seconds = Histogram(
            "deixis_order_seconds", "Time of a sample", buckets=_SECONDS, registry=registry
        )
        self._nodes = Histogram(
            "deixis_node_seconds", "Time of a node", ["node"], buckets=_SECONDS, registry=registry
        )
        self._queued = Gauge("deixis_orders_queued", "Samples that wait", registry=registry)
        self._running = Gauge("deixis_orders_running", "Samples at work", registry=registry)
        by = ["role", "model"]
        self._calls = Counter("deixis_model_calls", "Requests to models", by, registry=registry)
        self._cached = Counter("deixis_model_cached", "Answers kept", by, registry=registry)
        self._tokens = Counter(
            "deixis_model_tokens", "Tokens of models", [*by, "kind"], registry=registry
        )
        self._prompts = Counter(
            "deixis_model_prompt_cache_tokens",
            "Input tokens that the provider's cache of prompts had (read) or was given (write)",
            [*by, "kind"],
            registry=registry,
        )
        self._cost = Counter("deixis_model_cost", "Cost, where priced", by, registry=registry)

    def text(self) -> bytes:
        """Return all figures."""
        return generate_latest(self._registry)

    def waits(self, queued: int, running: int) -> None:
        """So many orders wait, and so many run."""
        self._queued.set(queued)
        self._running.set(running)

    def node(self, name: str, seconds: float) -> None:
        """A node has run for so long."""
        self._nodes.labels(name).observe(seconds)

    def ended(self, job: Job, outcome: str, seconds: float, result: dict[str, Any] | None) -> None:
        """A job has ended."""
        self._orders.labels(outcome).inc()
        self._seconds.observe(seconds)
        for usage in result["usage"] if result else ():
            who = usage["role"], usage["model"]
            self._calls.labels(*who).inc(usage["calls"])
            self._cached.labels(*who).inc(usage["cached"])
            for kind in ("input", "output"):
                self._tokens.labels(*who, kind).inc(usage[f"{kind}_tokens"])
            self._prompts.labels(*who, "read").inc(usage["cached_input_tokens"])
            self._prompts.labels(*who, "write").inc(usage["cache_write_tokens"])
            if usage["cost"]:
                self._cost.labels(*who).inc(usage["cost"])
