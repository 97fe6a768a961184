"""Rows on a cluster of Ray: workers in other processes, on any of its machines.

The input, the output, its lock and the failures stay with the process that was started, so a
run goes on where the last one ended whatever ran that. Plain actors, and not Ray Data: its
blocks are written when they are full, so that a kill would lose what they hold, and a data set
cannot be stopped after the rows in flight.
"""

import os
import signal
import threading
from collections import deque
from queue import SimpleQueue
from typing import Any, NamedTuple, TypeVar

from pydantic import BaseModel

from deixis.agents.context.toolbox import Toolbox
from deixis.base.printable import one_line
from deixis.batch.row import Task
from deixis.batch.settings import fingerprint, identity
from deixis.batch.worker import Result, Worker, next_of
from deixis.errors import DeixisError, InputError, MissingExtraError, SettingsError
from deixis.graphs.build import toolbox_of
from deixis.settings import Settings

Numbers = TypeVar("Numbers", bound=BaseModel)
_START = 300.0  # seconds that a worker has to start: machines may read Deixis from a slow disk


class Cluster(NamedTuple):
    """Workers on a cluster; each has one CPU core, and as many GPUs, or as much of one."""

    workers: int = 1
    gpus_per_worker: float = 0.0


def share_of(settings: Settings, workers: int) -> Settings:
    """Return the settings of one worker: limits and the budget, divided by their number.

    What all workers ask together stays within both. A prompt of more tokens than a worker's
    share of a minute is let through once a minute, as everywhere (`deixis.llms.limits`).

    Raises:
        SettingsError: something is too little to be divided.
    """
    options = settings.options
    limits = {
        name: _divided(limit, workers, f"options.limits.{name}")
        for name, limit in options.limits.items()
    }
    budget = _divided(options.budget, workers, "options.budget")
    return settings.with_options(limits=limits, budget=budget)


def _divided(numbers: Numbers, workers: int, where: str) -> Numbers:
    given = {name: most for name, most in numbers.model_dump().items() if most is not None}
    for name, most in given.items():
        if 0 < most < workers:
            raise SettingsError(
                f"{where}.{name}: {most} cannot be divided among {workers} workers; raise it, or "
                "take fewer workers"
            )
    return numbers.model_copy(update={name: most // workers for name, most in given.items()})


class RayWorkers:
    """Rows in workers on a cluster: the one that runs or is named by RAY_ADDRESS, or one here.

    A worker that dies is not replaced: its rows fail, and the others go on.

    Args:
        settings: the stack; its limits, and what is left of its budget when they start, are
            divided among the workers.
        toolbox: of this process, which has spent from the budget.
        concurrency: rows that run at once in each worker.
        cluster: how many workers, and what each gets.

    Raises:
        MissingExtraError: Ray is not installed.
        InputError: a worker is to have more than one GPU, but no whole number of them.
        SettingsError: as for `build_graph` and `share_of`.
    """

    def __init__(
        self, settings: Settings, toolbox: Toolbox, concurrency: int, cluster: Cluster
    ) -> None:
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # it would tell its makers
        try:
            import ray
        except ImportError:
            raise MissingExtraError("ray", "ray") from None
        if cluster.gpus_per_worker > 1 and cluster.gpus_per_worker % 1:
            raise InputError("GPUs per worker: a whole number, or a part of one")
        self._ray: Any = ray
        share_of(settings, cluster.workers)  # what is wrong for all is told here, and at once
        Worker(toolbox)
        self._settings, self._toolbox = settings, toolbox
        self._cluster = cluster
        self._concurrency = concurrency
        self._actors: list[Any] = []
        self._free: deque[Any] = deque()  # a worker stands here once for every row it has room for
        self._done: SimpleQueue[tuple[Task, Any, Any]] = SimpleQueue()
        self._own_cluster = False

    @property
    def room(self) -> int:
        """As many rows as run at once: what is given is begun."""
        return len(self._actors) * self._concurrency

    def start(self, known: str) -> None:
        """Start the workers, and the cluster where there is none.

        Raises:
            InputError: the cluster has no room for them, or cannot be reached.
            SettingsError: a worker would not run the rows with these settings, or what is left of
                the budget cannot be divided.
        """
        ray, (workers, gpus) = self._ray, self._cluster
        left = self._toolbox.asker.spending.left()
        share = share_of(self._settings.with_options(budget=left), workers)
        if not ray.is_initialized():
            handler = signal.getsignal(signal.SIGTERM)
            try:
                # What workers print stays in Ray's logs: stdout is for results.
                ray.init(include_dashboard=False, log_to_driver=False, logging_level="ERROR")
            except (ConnectionError, ValueError, RuntimeError) as error:
                raise InputError(f"cannot reach or start Ray: {one_line(error)}") from None
            finally:
                if threading.current_thread() is threading.main_thread():
                    signal.signal(signal.SIGTERM, handler)  # Ray has set its own
            self._own_cluster = True
        has = ray.cluster_resources()
        for name, wanted in (("CPU", 1), ("GPU", gpus)):
            if workers * wanted > has.get(name, 0):
                raise InputError(
                    f"{workers} workers need {workers * wanted:g} {name}s, and the cluster has "
                    f"{has.get(name, 0):g}; take fewer workers, or add machines"
                )
        made = ray.remote(num_cpus=1, num_gpus=gpus, max_concurrency=self._concurrency)(_Actor)
        self._actors = [made.remote() for _ in range(workers)]
        begun = [actor.start.remote(os.getcwd(), share, known) for actor in self._actors]
        ready, waiting = ray.wait(begun, num_returns=workers, timeout=_START)
        try:
            wrong = next(filter(None, ray.get(ready)), "")
        except ray.exceptions.RayError as error:
            wrong = one_line(error)
        if wrong:
            raise SettingsError(f"a worker cannot run the rows as this process would: {wrong}")
        if waiting:
            raise InputError(f"{len(waiting)} of {workers} workers found no room on the cluster")
        self._free.extend(self._actors * self._concurrency)

    def give(self, task: Task) -> None:
        """Have a task run by the worker that has waited longest."""
        actor = self._free.popleft()
        future = actor.run.remote(task).future()
        future.add_done_callback(lambda done: self._done.put((task, actor, done)))

    def take(self) -> tuple[Task, Result]:
        """Wait for the next task to end; one whose worker died has failed."""
        task, actor, done = next_of(self._done)
        try:
            result: Result = done.result()
        except self._ray.exceptions.RayError as error:
            self._actors = [other for other in self._actors if other is not actor]
            self._free = deque(other for other in self._free if other is not actor)
            death = f"its worker died: {one_line(error)}"
            fatal = None if self._actors else SettingsError(f"no worker is left; the last: {death}")
            return task, Result(error=death, fatal=fatal)
        self._free.append(actor)
        return task, result

    def stop(self) -> None:
        """Do nothing: no task waits to be begun."""

    def close(self) -> None:
        """End the workers, and the cluster if it was started here."""
        for actor in self._actors:
            self._ray.kill(actor)
        self._actors = []
        if self._own_cluster:
            self._ray.shutdown()
            self._own_cluster = False


class _Actor:
    """A worker in a process of its own."""

    def start(self, folder: str, settings: Settings, known: str) -> str:
        """Load the stack; return why the rows cannot be run here, "" if they can."""
        try:
            os.chdir(folder)  # what the settings name may be relative to it
            if fingerprint(identity(settings)) != known:
                return "it has another version of Deixis, or other prompts or templates"
            self._worker = Worker(toolbox_of(settings))
        except (OSError, DeixisError) as error:
            return one_line(error)
        return ""

    def run(self, task: Task) -> Result:
        return self._worker.run(task)
