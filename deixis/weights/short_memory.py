"""Batches that memory may not suffice for: they are run in halves, which is told."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, TypeVar

from deixis.base.printable import first_line
from deixis.errors import ToolError
from deixis.weights.torch_models import packages

R = TypeVar("R")
T = TypeVar("T")


class Done(NamedTuple):
    """Results in the order of what was asked, and what the user should know of the way there."""

    results: list[Any]
    warning: str | None


def in_halves(run: Callable[[Sequence[T]], Sequence[R]], items: Sequence[T], what: str) -> Done:
    """Run a batch; when memory does not suffice, run it in two halves.

    Args:
        run: takes some of the items and returns one result for each.
        items: the batch.
        what: the tool's name, for messages.

    Returns:
        One result an item, and a warning when the batch had to be halved.

    Raises:
        ToolError: memory does not suffice for half of the batch either, or for the only item;
            or torch failed otherwise.
    """
    torch, _ = packages()
    if not items:
        return Done([], None)
    try:
        return Done(list(run(items)), None)
    except Exception as error:
        first = _told(error, what)
    # Out of the except clause: what the failed run held hangs on its traceback until here.
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
    advice = "give a smaller batch, a smaller picture or another device"
    if len(items) == 1:
        raise ToolError(f"{what}: out of memory with one item; {advice} ({first})")
    middle = (len(items) + 1) // 2
    try:
        results = [*run(items[:middle]), *run(items[middle:])]
    except Exception as error:
        _told(error, what)
        raise ToolError(f"{what}: out of memory, also with {middle} items; {advice}") from error
    return Done(results, f"{what}: out of memory with {len(items)} items; went on with {middle}")


def in_batches(
    run: Callable[[Sequence[T]], Sequence[R]], items: Sequence[T], size: int, what: str
) -> Done:
    """Run items in batches of at most `size`, each as `in_halves` does; warnings are joined.

    Once a batch had to be halved, those after it are half as large.

    Raises:
        ToolError: as `in_halves`.
    """
    results: list[Any] = []
    warnings: dict[str, None] = {}
    while len(results) < len(items):
        done = in_halves(run, items[len(results) : len(results) + size], what)
        results += done.results
        if done.warning:
            warnings[done.warning] = None
            size = (size + 1) // 2
    return Done(results, "; ".join(warnings) or None)


def _told(error: Exception, what: str) -> str:
    """Return what torch said of memory; raise all else, torch's own errors as a `ToolError`."""
    if is_out_of_memory(error):
        return first_line(error)
    if not isinstance(error, RuntimeError):
        raise error
    raise ToolError(f"{what} failed: {first_line(error)}") from error


def is_out_of_memory(error: Exception) -> bool:
    """Say whether memory, of the device or of the machine, did not suffice."""
    torch, _ = packages()
    line = first_line(error)
    return isinstance(error, torch.OutOfMemoryError | MemoryError) or (
        # MPS and CPU have no type for it
        isinstance(error, RuntimeError) and ("out of memory" in line or "allocate memory" in line)
    )
