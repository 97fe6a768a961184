"""Entries of a registry that hold while blocks are open, in whatever order the blocks end."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple


class _Block(NamedTuple):
    entry: Any
    part: Any


class Blocks:
    """The open blocks of each name; may be shared by threads.

    Args:
        registry: where the entry of the block that was opened last stands. What stood there
            before the first block comes back after the last.
    """

    def __init__(self, registry: dict[str, Any]) -> None:
        self._registry = registry
        self._before: dict[str, Any] = {}
        self._open: dict[str, list[_Block]] = {}
        self._guard = threading.Lock()

    @contextmanager
    def playing(self, name: str, entry: Any, part: Any) -> Iterator[None]:
        """Register an entry within a block, and what it plays."""
        block = _Block(entry, part)
        with self._guard:
            blocks = self._open.setdefault(name, [])
            if not blocks and name in self._registry:
                self._before[name] = self._registry[name]
            blocks.append(block)
            self._registry[name] = entry
        try:
            yield
        finally:
            with self._guard:
                blocks[:] = [other for other in blocks if other is not block]
                if blocks:
                    self._registry[name] = blocks[-1].entry
                else:
                    del self._open[name], self._registry[name]
                    if name in self._before:
                        self._registry[name] = self._before.pop(name)

    def now(self, name: str) -> Any:
        """Return what the block that was opened last plays under a name, None outside of all."""
        with self._guard:
            blocks = self._open.get(name)
            return blocks[-1].part if blocks else None
