"""How long a run took, and what for; and how times are written.

No result has this in it: a replay is the same to the byte.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

REST = "the rest"
_LONGEST = 1e12  # seconds that are written out; a record may claim any
_LEAST = 0.05  # seconds: less than that is no part of its own

Seconds = Mapping[str, float]
"""What was done, in words, and the seconds that it took."""


class Timing(NamedTuple):
    """How long some posts took: `posts` has one entry for each, `once` what came before them."""

    posts: list[Seconds]
    once: Seconds

    def in_all(self) -> Seconds:
        """Return the seconds of all posts together, without what came before them."""
        sums: dict[str, float] = {}
        for seconds in self.posts:
            for part, took in seconds.items():
                sums[part] = sums.get(part, 0.0) + took
        return sums


class Stopwatch:
    """Shares out the time since it was made among the parts of the work that are going on.

    Args:
        now: tells the time in seconds.
    """

    def __init__(self, now: Callable[[], float] = time.perf_counter) -> None:
        self._now = now
        self._last = now()
        self._going: Counter[str] = Counter()
        self._shares: dict[str, float] = {}

    def start(self, part: str) -> None:
        """Note that a part begins; it may go on several times at once."""
        self._share()
        self._going[part] += 1

    def stop(self, part: str) -> None:
        """Note that a part ends that was started."""
        self._share()
        self._going[part] -= 1

    def read(self, order: Iterable[str]) -> Seconds:
        """Return the shares of all the time so far: parts in this order, then any others."""
        self._share()
        parts = dict.fromkeys((*order, *self._shares))
        return {part: self._shares[part] for part in parts if part in self._shares}

    def _share(self) -> None:
        now = self._now()
        going = [part for part, times in self._going.items() if times] or [REST]
        for part in going:
            self._shares[part] = self._shares.get(part, 0.0) + (now - self._last) / len(going)
        self._last = now


def spelled(seconds: Seconds) -> str:
    """Say how long it took in all and, part by part, what for; short parts count to the rest."""
    long = {part: took for part, took in seconds.items() if took >= _LEAST and part != REST}
    rest = sum(seconds.values()) - sum(long.values())
    if long and rest >= _LEAST:
        long[REST] = rest
    parts = ", ".join(f"{part} {took:.1f}" for part, took in long.items())
    return f"{sum(seconds.values()):.1f} s{f': {parts}' if parts else ''}"


def clock(seconds: float) -> str:
    """Write a time of a sound or a video: minutes, seconds and hundredths, from an hour on hours.

    That is ``0:02.40``, or ``1:00:02.40``.
    """
    hundredths = round(min(seconds, _LONGEST) * 100)
    minutes, rest = divmod(hundredths, 6000)
    hours, of_hour = divmod(minutes, 60)
    start = f"{hours}:{of_hour:02d}" if hours else f"{minutes}"
    return f"{start}:{rest // 100:02d}.{rest % 100:02d}"
