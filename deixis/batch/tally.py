"""How far a batch run is, and what it has asked."""

from dataclasses import dataclass
from typing import Any

from deixis.base.records import TOKENS

_ADDED = ("calls", "cached", "shared", *TOKENS)


@dataclass
class Tally:
    """How far a run is.

    ``earlier`` rows were finished by an earlier run, ``done`` and ``failed`` by this one;
    ``wrong`` of those failed stand wrong in the input, ``changed`` of the earlier ones have
    changed there since. ``warned`` rows are done, with a
    warning. What was asked is as in `deixis.schema.Usage`; ``cost`` is None without prices.
    ``waiting`` rows wait for batches of a provider, in which there are ``posted`` requests;
    ``trouble`` is what it says instead of an answer, "" for nothing.
    ``stopped`` is ``interrupted``, ``budget`` or ``waiting`` for a run that ended early, else "".
    """

    rows: int
    earlier: int = 0
    done: int = 0
    failed: int = 0
    wrong: int = 0
    changed: int = 0
    warned: int = 0
    calls: int = 0
    cached: int = 0
    shared: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cached_input_tokens: int = 0
    cache_write_tokens: int = 0
    cost: float | None = None
    seconds: float = 0.0
    waiting: int = 0
    posted: int = 0
    trouble: str = ""
    stopped: str = ""

    @property
    def left(self) -> int:
        """Rows that are still to be run."""
        return self.rows - self.earlier - self.done - self.failed

    @property
    def rate(self) -> float:
        """Rows per second."""
        return (self.done + self.failed - self.wrong) / self.seconds if self.seconds else 0.0

    def add_usage(self, used: list[dict[str, Any]]) -> None:
        """Add what one row has asked."""
        for sums in used:  # of one role and model
            for name in _ADDED:
                setattr(self, name, getattr(self, name) + sums[name])
            if sums["cost"] is not None:
                self.cost = (self.cost or 0.0) + sums["cost"]
