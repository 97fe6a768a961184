"""Several jobs at the same time, whose results come in order."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import TypeVar

T = TypeVar("T")


def at_once(jobs: Sequence[Callable[[], T]], most: int) -> Iterator[T]:
    """Yield what comes of each job, in order; who stops asking waits for those at work alone.

    Args:
        jobs: each runs in a context of its own.
        most: run at the same time.
    """
    pool = ThreadPoolExecutor(most)
    try:
        yield from pool.map(lambda job: copy_context().run(job), jobs)
    finally:
        pool.shutdown(cancel_futures=True)
