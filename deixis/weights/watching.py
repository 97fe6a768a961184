"""How far a fetch is: the bytes that have come into a folder, told while it goes on.

What fetches (pip, the hub's library) tells of it in ways that differ from version to version;
that bytes come into a folder is the same in all.
"""

import os
import stat
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

Tell = Callable[[int, int | None], None]
"""Is told how many bytes have come, and of how many; None if nobody has said."""

_EVERY = 0.25  # seconds


@contextmanager
def watching(folder: Path, tell: Tell | None, total: Callable[[], int | None]) -> Iterator[None]:
    """Tell, from a thread of its own, how many bytes have come into a folder since the beginning.

    Args:
        folder: need not exist yet.
        tell: may be None, for nobody who wants to know.
        total: returns how many there will be, as far as is known by then.
    """
    if tell is None:
        yield
        return
    before = _bytes_in(folder)
    ended = threading.Event()

    def look() -> None:
        last = False
        while not last:
            last = ended.wait(_EVERY)
            most = total()
            come = max(0, _bytes_in(folder) - before)
            tell(come if most is None else min(come, most), most)

    thread = threading.Thread(target=look, name="watching")
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def _bytes_in(folder: Path) -> int:
    count = 0
    for place, _, names in os.walk(folder):
        for name in names:
            with suppress(OSError):  # it is gone again
                about = os.lstat(os.path.join(place, name))
                count += about.st_size if stat.S_ISREG(about.st_mode) else 0
    return count
