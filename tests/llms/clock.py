"""A clock that only moves when somebody sleeps."""

from collections.abc import Callable


class Clock:
    """Stands for the module `time` in all that waits; `on_sleep` is called before every sleep."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.on_sleep: Callable[[], None] = lambda: None

    def monotonic(self) -> float:
        return self.now

    perf_counter = monotonic

    def sleep(self, seconds: float) -> None:
        self.on_sleep()
        self.now += seconds
