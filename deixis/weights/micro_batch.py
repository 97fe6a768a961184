"""One model for many threads: one pass at a time, and in one pass all who wait for the same.

Whoever finds the model idle runs at once. Whoever comes while a pass runs waits, and when it
ends, the one who waited longest takes along all that can share a pass. So nobody waits for
requests that may never come, and the busier the model, the fuller its passes.
"""

import threading
from collections.abc import Callable, Hashable, Sequence
from typing import Any, TypeVar

from deixis.base.forks import in_child
from deixis.weights.short_memory import Done

Item = TypeVar("Item")

AT_ONCE = {"cpu": 1, "cuda": 8, "mps": 4}
"""Most items of a pass, by kind of device. A GPU is idle for most of a pass of one picture, so
more cost little. On a CPU larger tensors cost more than they save: eight phrases of Grounding DINO
took 24 s one by one and 119 s at once (full-size model, 2 cores)."""


class _Request:
    """What one thread wants, and what came of it."""

    def __init__(self, kind: Hashable, items: Sequence[Any]) -> None:
        self.kind = kind
        self.items = items
        self.done: Done | None = None
        self.error: Exception | None = None

    @property
    def waits(self) -> bool:
        return self.done is None and self.error is None


class MicroBatch:
    """The turns that threads take at a model.

    Args:
        most: most items of a pass that several requests share; with 1, each goes alone. A
            request of more items goes alone, whole.
    """

    def __init__(self, most: int) -> None:
        self.most = most
        self._begin()
        in_child(self, MicroBatch._begin)

    def _begin(self) -> None:
        """Have no request: also in a forked child, where the threads that wait are not."""
        # Entered itself: in a Condition's own code an interrupt could leave it locked for ever.
        self._guard = threading.RLock()
        self._changed = threading.Condition(self._guard)
        self._requests: list[_Request] = []  # in the order in which they came
        self._leader: _Request | None = None

    def run(
        self, kind: Hashable, items: Sequence[Item], run_all: Callable[[Sequence[Item]], Done]
    ) -> Done:
        """Return the results of some items, which may share a pass with those of other threads.

        Args:
            kind: requests of one kind may share a pass; a new ``object()`` shares with none.
            items: what is wanted, checked already: what is wrong with one is not to fail others.
            run_all: runs items of this kind, of this request or of several. It is never called
                by two threads at a time, whatever the kind.

        Returns:
            One result an item, and the warning of the pass: what its size led to concerns all
            who shared it.

        Raises:
            What `run_all` raises for these items. If it fails for several requests together,
            it is called for each of them.
        """
        request = _Request(kind, items)
        group: list[_Request] = []
        try:
            with self._guard:
                self._requests.append(request)
                self._changed.wait_for(lambda: self._may_go(request))
                if request.waits:
                    self._leader = request
                    group = self._group(request)
            if group:
                _serve(group, run_all)
        finally:  # also when interrupted: the next in the row then leads those not served yet
            with self._guard:
                if self._leader is request:
                    self._leader = None
                if request in self._requests:
                    self._requests.remove(request)
                self._changed.notify_all()
        if request.error is not None:
            try:
                raise request.error
            finally:  # its traceback leads to the request, and would keep what the pass held
                request.error = None
        assert request.done is not None, "neither served nor failed"
        return request.done

    def _may_go(self, request: _Request) -> bool:
        """Say whether a request is served, or the first of those that are not."""
        if not request.waits:
            return True
        return self._leader is None and request is next(
            waiting for waiting in self._requests if waiting.waits
        )

    def _group(self, first: _Request) -> list[_Request]:
        """Return `first` and those that share its pass, the oldest first."""
        group, count = [first], len(first.items)
        for request in self._requests:
            fits = (
                request.waits
                and request.kind == first.kind
                and count + len(request.items) <= self.most
            )
            if fits and request is not first:
                group.append(request)
                count += len(request.items)
        return group


def _serve(group: list[_Request], run_all: Callable[[Sequence[Any]], Done]) -> None:
    """Run requests in one pass; if that fails, each in one of its own."""
    warning = None
    if len(group) > 1:
        try:
            done = run_all([item for request in group for item in request.items])
        except Exception as error:
            warning = f"{error}; its {len(group)} requests were then run one by one"
        else:
            results = iter(done.results)
            for request in group:
                request.done = Done([next(results) for _ in request.items], done.warning)
            return
    for request in group:
        try:
            done = run_all(request.items)
        except Exception as error:
            request.error = error
        else:
            warnings = [text for text in (warning, done.warning) if text]
            request.done = Done(done.results, "; ".join(warnings) or None)
