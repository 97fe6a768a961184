"""Several questions of one node, none of which depends on another."""

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from langchain_core.runnables.config import ContextThreadPoolExecutor

from deixis.llms.servers.awaited import Awaited

T = TypeVar("T")
AT_ONCE = 16
"""Most questions of one node that are asked at once; a provider may be asked fewer
(`options.limits`)."""


def side_by_side(ask: Callable[..., T], *columns: Iterable[Any], most: int = AT_ONCE) -> list[T]:
    """Return what comes of each question, in order; ``map`` with threads.

    Args:
        ask: asks one.
        columns: its arguments.
        most: questions that are asked at once.

    Raises:
        Awaited: the answer to one is still to come; all have been asked then.
        Exception: the first that `ask` raises.
    """

    def asked(*row: Any) -> T | Awaited:
        try:
            return ask(*row)
        except Awaited as error:  # so that the others are asked for in the same batch
            return error

    rows = list(zip(*columns, strict=True))
    threads = min(len(rows), most)
    if threads > 1:
        with ContextThreadPoolExecutor(threads) as pool:
            found = list(pool.map(lambda row: asked(*row), rows))
    else:
        found = [asked(*row) for row in rows]
    answers: list[T] = []
    for each in found:
        if isinstance(each, Awaited):
            raise each
        answers.append(each)
    return answers
