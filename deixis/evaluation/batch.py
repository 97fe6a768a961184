"""Run many rows through the graph, a few at once, and lose none of them, whatever happens.

A row is finished when its line stands in the output. A run that ends early, by a kill, by
Ctrl-C or because its budget is used up, is continued by the same call: finished rows are
not run again, and what was answered for those in flight is in the cache of answers.
"""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue
from time import monotonic
from typing import Any, NamedTuple

from deixis.agents.structure import usage
from deixis.errors import (
    DeixisError,
    InputError,
    MissingExtraError,
    MissingKeyError,
    ModelFileError,
    SettingsError,
)
from deixis.evaluation.batch_input import Problem, Rows, Task
from deixis.evaluation.batch_output import Output, line_of
from deixis.evaluation.batch_settings import fingerprint, identity, write_templates
from deixis.graphs.main import Graph, build_graph
from deixis.settings import Settings

_FOR_ALL = (SettingsError, MissingExtraError, MissingKeyError, ModelFileError)
"""What would fail in every row that is still to come: the run stops."""
_OVER_BUDGET = "gave no answer (budget)"
"""How the graph's warnings speak of a question that the budget did not allow."""


@dataclass
class Tally:
    """How far a run is.

    ``earlier`` rows were finished by an earlier run, ``done`` and ``failed`` by this one;
    ``wrong`` of those failed stand wrong in the input. ``warned`` rows are done, with a
    warning. What was asked is as in `deixis.schema.Usage`; ``cost`` is None without prices.
    ``stopped`` is ``interrupted`` or ``budget`` for a run that ended early, else "".
    """

    rows: int
    earlier: int = 0
    done: int = 0
    failed: int = 0
    wrong: int = 0
    warned: int = 0
    calls: int = 0
    cached: int = 0
    shared: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cost: float | None = None
    seconds: float = 0.0
    stopped: str = ""

    @property
    def left(self) -> int:
        """Rows that are still to be run."""
        return self.rows - self.earlier - self.done - self.failed

    @property
    def rate(self) -> float:
        """Rows a second."""
        return (self.done + self.failed - self.wrong) / self.seconds if self.seconds else 0.0

    def add_usage(self, used: list[dict[str, Any]]) -> None:
        """Add what one row has asked."""
        for each in used:
            for name in ("calls", "cached", "shared", "input_tokens", "output_tokens"):
                setattr(self, name, getattr(self, name) + each[name])
            if each["cost"] is not None:
                self.cost = (self.cost or 0.0) + each["cost"]


class _Result(NamedTuple):
    """What came of a task: its result and that as a line, or an error, or nothing if not run."""

    task: Task
    out: dict[str, Any] | None = None
    line: bytes = b""
    error: BaseException | None = None


class Batch:
    """A run: checks its input and takes hold of its output when made, works when `run`.

    Args:
        settings: the stack; its budget is for this run, and what templates for new types cost
            comes on top.
        source: rows, one JSON object a line, with ``id``, ``text`` and maybe ``image``.
        out: where the results go, one a line: ``id``, ``settings`` and the fields of
            `Extraction`; a relative ``image.source`` is relative to this file.
        concurrency: rows that run at once.
        shuffle_seed: takes the rows in an order of its own.
        limit: only the first so many rows of that order.
        report: is told of every row that is wrong, before anything is asked.

    Raises:
        InputError: no row can be used, or the output cannot be written, or is being written.
        DataError: the output holds what no run has written.
        SettingsError: as for `build_graph`; or the output was made with other settings.
    """

    def __init__(
        self,
        settings: Settings,
        source: Path,
        out: Path,
        *,
        concurrency: int = 4,
        shuffle_seed: int | None = None,
        limit: int | None = None,
        report: Callable[[Problem], None] = lambda problem: None,
    ) -> None:
        if out.exists() and source.exists() and out.samefile(source):
            raise InputError(f"{out} is the input; give another --out")
        self._concurrency = concurrency
        self._graph: Graph = build_graph(settings)
        self._config: Any = {"max_concurrency": max(2, len(settings.roles.committee))}
        self._done: SimpleQueue[_Result] = SimpleQueue()
        self._stopped = ""
        with ExitStack() as opened:
            self._rows = Rows(source, settings.options.max_text)
            opened.callback(self._rows.close)
            self._rows.scan(shuffle_seed, limit)
            count, problems = len(self._rows), 0
            for problem in self._rows.problems():
                problems += 1
                report(problem)
            if not count:
                bad = f"{problems} are wrong" if problems else "there is none"
                raise InputError(f"{source} holds no row that can be run: {bad}")
            asked = write_templates(settings)
            known = identity(settings)
            self.output = Output(out, known, fingerprint(known))
            opened.callback(self.output.close)
            self._rows.drop(self.output.finished())
            earlier = count - len(self._rows)
            self.tally = Tally(count + problems, earlier=earlier, wrong=problems)
            calls = usage(asked.get("calls", {}), settings.options.prices)
            self.tally.add_usage([each.model_dump() for each in calls])
            for problem in self._rows.problems():
                self._fail(problem.id, problem.line, problem.error)
            self._opened = opened.pop_all()

    def stop(self, why: str = "interrupted") -> None:
        """Begin no more rows; `run` returns when those in flight are finished.

        May be called from a signal handler or another thread.
        """
        self._stopped = self._stopped or why

    def close(self) -> None:
        """Let go of the input and the output; `run` does so when it ends."""
        self._opened.close()

    def run(self, tell: Callable[[Tally], None] = lambda tally: None) -> Tally:
        """Run what is left; close the output.

        Args:
            tell: is called with the tally after every row.

        Raises:
            InputError: the output cannot be written any more.
            SettingsError, MissingExtraError, MissingKeyError, ModelFileError: no row can be run.
        """
        try:
            with ThreadPoolExecutor(self._concurrency, thread_name_prefix="row") as pool:
                try:
                    trouble = self._feed(pool, tell)
                    self.tally.stopped = self._stopped if self.tally.left else ""
                finally:
                    self.stop()  # after an error here, what waits in the pool is not begun
        finally:
            self.close()
        if trouble is not None:
            raise trouble
        return self.tally

    def _feed(
        self, pool: ThreadPoolExecutor, tell: Callable[[Tally], None]
    ) -> BaseException | None:
        """Give the tasks to the pool and take what comes of them, until a stop or the end.

        Returns:
            The error that no row could escape, if there was one.
        """
        began = monotonic()
        waiting = iter(self._rows)
        in_flight = 0
        trouble: BaseException | None = None
        while True:
            # Twice as many as run at once: a worker never waits for the next row.
            while in_flight < 2 * self._concurrency and not self._stopped:
                task = next(waiting, None)
                if task is None:
                    break
                if isinstance(task, Problem):
                    self._fail(task.id, task.line, task.error)
                    continue
                pool.submit(self._work, task)
                in_flight += 1
            if not in_flight:
                return trouble
            result = self._done.get()
            in_flight -= 1
            trouble = trouble or self._take(result)
            self.tally.seconds = monotonic() - began
            tell(self.tally)

    def _work(self, task: Task) -> None:
        result = _Result(task)
        if not self._stopped:
            try:
                given: Any = {"text": task.text, "image": task.image}
                out = self._graph.invoke(given, self._config)
                if out["image"] is not None:
                    out["image"]["source"] = self._from_output(task.image)
                head = {"id": task.id, "settings": self.output.settings}
                result = _Result(task, out, line_of({**head, **out}))
            except BaseException as error:  # told by the main thread, which waits for it
                result = _Result(task, error=error)
        self._done.put(result)

    def _take(self, result: _Result) -> BaseException | None:
        """Write down what came of a task; return an error that no other row could escape."""
        task, out, line, error = result
        if error is not None:
            if isinstance(error, _FOR_ALL) or not isinstance(error, Exception):
                self.stop("error")
                return error
            bug = "" if isinstance(error, DeixisError) else f"a bug, {type(error).__name__}: "
            self._fail(task.id, task.line, bug + " ".join(str(error).split()))
        elif out is not None:
            self.tally.add_usage(out["usage"])
            if any(_OVER_BUDGET in each["message"] for each in out["warnings"]):
                self.stop("budget")  # not written, so not finished: it is run again, and whole
            else:
                self.output.add(line)
                self.tally.done += 1
                self.tally.warned += bool(out["warnings"])
        return None

    def _fail(self, id_: str | None, line: int, error: str) -> None:
        self.output.fail(id_, line, error)
        self.tally.failed += 1

    def _from_output(self, image: str | None) -> str | None:
        """Return a picture's source as it stands in the output: a path relative to that."""
        if image is None or "://" in image:
            return image
        try:
            return os.path.relpath(image, self.output.path.parent)
        except ValueError:  # another drive
            return image
