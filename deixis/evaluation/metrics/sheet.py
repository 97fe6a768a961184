"""What predictions score, row by row, whatever the task: values, intervals, differences."""

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from deixis.evaluation.metrics.chance import Shares, Values, difference, interval, shares

NAMES = ("precision", "recall", "f1")


class Measured(NamedTuple):
    """A value with its 95% interval; None where it is not defined."""

    value: float | None
    low: float | None
    high: float | None

    def document(self) -> dict[str, Any]:
        """Return JSON-ready data."""
        return {"value": self.value, "interval": [self.low, self.high]}


class Contrasted(NamedTuple):
    """What the second of two files has above the first: the difference, and its p."""

    first: Measured
    second: Measured
    difference: Measured
    p: float | None

    def document(self) -> dict[str, Any]:
        """Return the difference as JSON-ready data."""
        return {**self.difference.document(), "p": self.p}


class Sheet(NamedTuple):
    """Numbers of every row, whose sums over rows make the values of all measures.

    Attributes:
        names: of the m measures.
        sums: shape ``(N, k)``, a row for each row of the gold.
        values: turns sums over rows, ``(..., k)``, into measures, ``(..., m)``; most run 0..1,
            and NaN is a measure that is not defined.
    """

    names: tuple[str, ...]
    sums: NDArray[np.float64]
    values: Values

    def measured(self, rounds: int, seed: int) -> dict[str, Measured]:
        """Return every measure with its interval (see `chance.interval`)."""
        low, high = interval(self.sums, rounds, seed, self.values)
        return _by_name(self.names, self.values(self.sums.sum(0)), low, high)

    def plain(self) -> dict[str, float | None]:
        """Return every measure without its interval."""
        values = map(_defined, self.values(self.sums.sum(0)).tolist())
        return dict(zip(self.names, values, strict=True))

    def prefixed(self, prefix: str) -> "Sheet":
        """Return the same with longer names."""
        return self._replace(names=tuple(f"{prefix}{name}" for name in self.names))

    def pick(self, *names: str) -> "Sheet":
        """Return the sheet of some of the measures alone."""
        places = [self.names.index(name) for name in names]
        return Sheet(names, self.sums, lambda totals: self.values(totals)[..., places])

    def only(self, rows: Sequence[int]) -> "Sheet":
        """Return the sheet of some of the rows, by their places."""
        return self._replace(sums=self.sums[list(rows)])


def contrast(first: Sheet, second: Sheet, rounds: int, seed: int) -> dict[str, Contrasted]:
    """Compare two predictions of the same rows, measure by measure (see `chance.difference`)."""
    sides = [sheet.measured(rounds, seed) for sheet in (first, second)]
    *gap, p = difference(first.sums, second.sums, rounds, seed, second.values)
    apart = _by_name(first.names, *gap)
    return {
        name: Contrasted(sides[0][name], sides[1][name], apart[name], _defined(each))
        for name, each in zip(first.names, p.tolist(), strict=True)
    }


def counted(counts: NDArray[np.int64]) -> Sheet:
    """Return the sheet of correct, predicted and gold mentions, shape ``(N, 3)``."""
    return Sheet(NAMES, counts.astype(np.float64), shares)


def mean_of(names: tuple[str, ...], values: NDArray[np.float64]) -> Sheet:
    """Return the sheet of means over rows; shape ``(N, m)``, NaN where a row has no value."""
    here = ~np.isnan(values)
    return ratios(names, np.where(here, values, 0.0), here.astype(np.float64))


def ratios(names: tuple[str, ...], above: NDArray[np.float64], below: NDArray[np.float64]) -> Sheet:
    """Return the sheet of sums divided by sums, each of shape ``(N, m)``."""
    width = len(names)

    def divided(totals: NDArray[np.float64]) -> Shares:
        over, under = totals[..., :width], totals[..., width:]
        undefined = np.full_like(over, np.nan)
        quotients: Shares = np.divide(over, under, out=undefined, where=under > 0)
        return quotients

    return Sheet(names, np.hstack([above, below]), divided)


def side_by_side(*sheets: Sheet) -> Sheet:
    """Make one sheet of several of the same rows; no name may stand twice."""
    edges = np.cumsum([0, *(sheet.sums.shape[1] for sheet in sheets)]).tolist()
    spans = list(zip(sheets, pairwise(edges), strict=True))

    def values(totals: NDArray[np.float64]) -> Shares:
        parts = [sheet.values(totals[..., begin:end]) for sheet, (begin, end) in spans]
        return np.concatenate(parts, axis=-1)

    names = tuple(name for sheet in sheets for name in sheet.names)
    return Sheet(names, np.hstack([sheet.sums for sheet in sheets]), values)


def _by_name(names: Sequence[str], value: Shares, low: Shares, high: Shares) -> dict[str, Measured]:
    columns = zip(*(map(_defined, each.tolist()) for each in (value, low, high)), strict=True)
    return {name: Measured(*column) for name, column in zip(names, columns, strict=True)}


def _defined(value: float) -> float | None:
    return None if math.isnan(value) else value
