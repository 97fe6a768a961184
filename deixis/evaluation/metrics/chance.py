"""What luck could do: intervals by the bootstrap, significance by approximate randomisation.

Both draw whole samples, as mentions of one sample are not independent, and are repeatable by
their seed.
"""

import warnings
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Sums = NDArray[np.number[Any]]
"""Shape ``(N, k)``: of each of N samples, k numbers whose sums over samples make the values.

For precision, recall and F1 they are three: correct, predicted and gold mentions.
"""

Shares = NDArray[np.float64]
"""Last axis m: the values, such as precision, recall and F1; NaN where one is not defined."""

Values = Callable[[NDArray[np.float64]], Shares]
"""Turns sums ``(..., k)`` into values ``(..., m)``."""

_AT_ONCE = 500
"""Rounds that are drawn together: what they need of memory has a limit."""


class Difference(NamedTuple):
    """What the second of two predictions scores above the first.

    Attributes:
        value: the values of the second minus those of the first, -1..1.
        low: where the middle 95% of the bootstrapped values begin, for each.
        high: where they end.
        p: two-sided, for each: how often predictions swapped at random differ as much.
    """

    value: Shares
    low: Shares
    high: Shares
    p: Shares


def shares(totals: Sums) -> Shares:
    """Turn counts ``(..., 3)`` into precision, recall and F1 ``(..., 3)``.

    They are 0 where nothing can be divided.
    """
    correct, predicted, gold = np.moveaxis(np.asarray(totals, dtype=np.float64), -1, 0)
    above = np.stack([correct, correct, 2 * correct], axis=-1)
    below = np.stack([predicted, gold, predicted + gold], axis=-1)
    quotients: Shares = np.divide(above, below, out=np.zeros_like(above), where=below > 0)
    return quotients


def interval(sums: Sums, rounds: int, seed: int, values: Values = shares) -> tuple[Shares, Shares]:
    """Return where the middle 95% of the bootstrapped values begin and end.

    Samples are drawn with replacement, as many as there are (Efron and Tibshirani 1993,
    chapter 13: the percentile interval).
    """
    random = np.random.default_rng(seed)
    return _middle(np.concatenate([*map(values, _redrawn(sums, rounds, random))]))


def difference(
    first: Sums, second: Sums, rounds: int, seed: int, values: Values = shares
) -> Difference:
    """Compare two predictions of the same samples, paired by sample.

    The interval draws the samples of both together. For p, the two predictions of a sample
    swap places with a chance of one half, and ``p = (1 + hits) / (1 + rounds)``, where a hit
    is an absolute difference at least as large as the one seen (Noreen 1989; Yeh 2000).
    """
    random = np.random.default_rng(seed)
    width = first.shape[1]
    totals = [np.asarray(side.sum(0), dtype=np.float64) for side in (first, second)]
    value = values(totals[1]) - values(totals[0])
    both = _redrawn(np.hstack([first, second]), rounds, random)
    drawn = [values(each[:, width:]) - values(each[:, :width]) for each in both]
    low, high = _middle(np.concatenate(drawn))
    # Which of the samples with one gain swap is a coin each: how many do is binomial.
    gains, times = np.unique(second - first, axis=0, return_counts=True)
    hits = np.zeros(len(value))
    for number in _portions(rounds):
        swaps = random.binomial(times, 0.5, (number, len(gains)))
        moved = _product(swaps, gains)
        swapped = values(totals[1] - moved) - values(totals[0] + moved)
        # A hair less than seen, so that what is equal but for rounding is a hit.
        hits += (np.abs(swapped) >= np.abs(value) - 1e-12).sum(0)
    p = np.where(np.isnan(value), np.nan, (1 + hits) / (1 + rounds))
    return Difference(value, low, high, p)


def _portions(rounds: int) -> Iterator[int]:
    for begin in range(0, rounds, _AT_ONCE):
        yield min(_AT_ONCE, rounds - begin)


def _redrawn(sums: Sums, rounds: int, random: np.random.Generator) -> Iterator[NDArray[np.float64]]:
    """Yield the totals of as many samples, drawn with replacement; a row for each round.

    Only how often each distinct row is drawn matters, and that is multinomial: the same draw
    as of N samples one by one, for a fraction of the work.
    """
    if not len(sums):
        yield np.zeros((rounds, sums.shape[1]))
        return
    kinds, times = np.unique(sums, axis=0, return_counts=True)
    for number in _portions(rounds):
        yield _product(random.multinomial(len(sums), times / len(sums), number), kinds)


def _product(times: NDArray[np.int64], kinds: Sums) -> NDArray[np.float64]:
    """Return ``times @ kinds``; columns without anything cost nothing."""
    totals = np.zeros((len(times), kinds.shape[1]))
    used = kinds.any(0)
    totals[:, used] = times.astype(np.float64) @ kinds[:, used].astype(np.float64)
    return totals


def _middle(drawn: Shares) -> tuple[Shares, Shares]:
    """Return where the middle 95% of each value begin and end; NaN where none is defined."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "All-NaN slice", RuntimeWarning)
        low, high = np.nanquantile(drawn, (0.025, 0.975), axis=0)
    return low, high
