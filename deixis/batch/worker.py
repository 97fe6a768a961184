"""What runs the rows of a batch: a worker with one graph, and threads that share it."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import Any, NamedTuple, Protocol, TypeVar

from deixis.agents.context.toolbox import Toolbox
from deixis.base.printable import one_line
from deixis.batch.row import Task
from deixis.errors import (
    DeixisError,
    MissingExtraError,
    MissingKeyError,
    ModelFileError,
    SettingsError,
)
from deixis.graphs.build import Graph, Waiting, graph_of

Item = TypeVar("Item")

_PATIENCE = 0.2  # seconds after which a signal is noticed at the latest
_FOR_ALL = (SettingsError, MissingExtraError, MissingKeyError, ModelFileError)
"""What would fail in every row that is still to come."""


class Result(NamedTuple):
    """What came of a row: the graph's result, why it failed, or neither if it was not begun.

    ``waits``: it is run again when a batch of a provider has brought what it has asked.
    ``fatal`` is an error that no other row could escape; the row itself may be fine.
    """

    out: dict[str, Any] | None = None
    error: str = ""
    fatal: BaseException | None = None
    waits: bool = False


class Worker:
    """Runs rows through a graph of its own; may be shared by threads.

    Raises:
        SettingsError: as for `build_graph`.
    """

    def __init__(self, toolbox: Toolbox) -> None:
        self._graph: Graph = graph_of(toolbox)
        self._asker = toolbox.asker
        self._config: Any = {"max_concurrency": max(2, len(toolbox.settings.roles.committee))}

    def run(self, task: Task) -> Result:
        """Run one row; whatever happens is in the result."""
        if self._asker.post is None:
            return self._run(task)
        with self._asker.cache.holding() as keep:
            result = self._run(task)
            if not result.waits:
                keep()
        return result

    def _run(self, task: Task) -> Result:
        given: Any = task.given
        try:
            return Result(self._graph.invoke(given, self._config))
        except Waiting:
            return Result(waits=True)
        except BaseException as error:  # told by the main thread, which waits for it
            if isinstance(error, _FOR_ALL) or not isinstance(error, Exception):
                return Result(fatal=error)
            bug = "" if isinstance(error, DeixisError) else f"a bug, {type(error).__name__}: "
            return Result(error=bug + one_line(str(error)))


def next_of(queue: SimpleQueue[Item]) -> Item:
    """Wait for the next item, and let handlers of signals run meanwhile.

    Python runs them in the main thread, and the system may wake another one for a signal.
    """
    while True:
        with suppress(Empty):
            return queue.get(timeout=_PATIENCE)


class Engine(Protocol):
    """Runs tasks at once; for one thread, which gives them and takes what comes of them."""

    @property
    def room(self) -> int:
        """How many tasks it may be given before one is taken back."""

    def start(self, known: str) -> None:
        """Make ready to run tasks with the settings whose hash is `known`."""

    def give(self, task: Task) -> None:
        """Have a task run."""

    def take(self) -> tuple[Task, Result]:
        """Wait for the next task to end, in whatever order."""

    def stop(self) -> None:
        """Begin no more tasks; may be called from a signal handler."""

    def close(self) -> None:
        """Wait for what is begun, and let go of everything."""


class Threads:
    """Rows in threads of this process, all with one graph.

    Raises:
        SettingsError: as for `build_graph`.
    """

    def __init__(self, toolbox: Toolbox, concurrency: int) -> None:
        self.room = 2 * concurrency  # a thread never waits for the next row
        self._worker = Worker(toolbox)
        self._pool = ThreadPoolExecutor(concurrency, thread_name_prefix="row")
        self._done: SimpleQueue[tuple[Task, Result]] = SimpleQueue()
        self._stopped = False

    def start(self, known: str) -> None:
        """Do nothing: threads are made as they are needed."""

    def give(self, task: Task) -> None:
        """Have a task run as soon as a thread is free."""
        self._pool.submit(self._work, task)

    def take(self) -> tuple[Task, Result]:
        """Wait for the next task to end."""
        return next_of(self._done)

    def stop(self) -> None:
        """Begin no more tasks: those that wait for a thread end without a result."""
        self._stopped = True

    def close(self) -> None:
        """Wait for what is begun."""
        self.stop()
        self._pool.shutdown()

    def _work(self, task: Task) -> None:
        self._done.put((task, Result() if self._stopped else self._worker.run(task)))
