"""What a forked child makes anew: it has one thread, and the locks that others held stay locked."""

import os
import threading
from collections.abc import Callable
from typing import Any, TypeVar
from weakref import WeakKeyDictionary, WeakSet

T = TypeVar("T")
_renewals: WeakKeyDictionary[Any, Callable[[Any], None]] = WeakKeyDictionary()
_locks: "WeakSet[Lock]" = WeakSet()


class Lock:
    """A lock that is open in a forked child, whoever held it when that was forked."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        _locks.add(self)

    def __enter__(self) -> None:  # noqa: D105
        self._lock.acquire()

    def __exit__(self, *_: object) -> None:  # noqa: D105
        self._lock.release()

    def renew(self) -> None:
        """Be open."""
        self._lock = threading.Lock()


def in_child(thing: T, renew: Callable[[T], None]) -> None:
    """Have a function called with a thing in every forked child, as long as the thing lives."""
    _renewals[thing] = renew


def _renew() -> None:
    for lock in list(_locks):
        lock.renew()
    for thing, renew in list(_renewals.items()):
        renew(thing)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew)
