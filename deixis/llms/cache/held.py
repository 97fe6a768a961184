"""Records that are kept back until the row that brought them is finished."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

HELD: ContextVar[dict[str, bytes] | None] = ContextVar("held", default=None)
"""Records by their keys; None where they are stored at once."""


@contextmanager
def holding(put: Callable[[str, bytes], None]) -> Iterator[Callable[[], None]]:
    """Keep what is stored within a block from all others, until what it yields is called.

    A row that is run several times, until its last answer is there, so has each of its questions
    among what it has asked, and not in the cache where it had put them itself. LangGraph hands the
    context on to the threads of its nodes.

    Args:
        put: stores a record.
    """
    held: dict[str, bytes] = {}

    def let_go() -> None:
        for record in held.items():
            put(*record)

    token = HELD.set(held)
    try:
        yield let_go
    finally:
        HELD.reset(token)
