"""What luck could do: intervals by the bootstrap, significance by approximate randomisation.

Both draw whole samples, as mentions of one sample are not independent, and are repeatable by
their seed.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Counts = NDArray[np.int64]
"""Shape ``(N, 3)``: the correct, predicted and gold mentions of each of N samples."""

Shares = NDArray[np.float64]
"""Last axis 3: precision, recall and F1, 0..1; 0 where nothing can be divided."""


class Difference(NamedTuple):
    """What the second of two predictions scores above the first.

    Attributes:
        value: precision, recall and F1 of the second minus those of the first, -1..1.
        low: where the middle 95% of the bootstrapped values begin, for each.
        high: where they end.
        p: two-sided, for each: how often predictions swapped at random differ as much.
    """

    value: Shares
    low: Shares
    high: Shares
    p: Shares


def shares(totals: NDArray[np.int64]) -> Shares:
    """Turn counts ``(..., 3)`` into precision, recall and F1 ``(..., 3)``."""
    correct, predicted, gold = np.moveaxis(totals, -1, 0)
    above = np.stack([correct, correct, 2 * correct], axis=-1).astype(np.float64)
    below = np.stack([predicted, gold, predicted + gold], axis=-1)
    quotients: Shares = np.divide(above, below, out=np.zeros_like(above), where=below > 0)
    return quotients


def interval(counts: Counts, rounds: int, seed: int) -> tuple[Shares, Shares]:
    """Return where the middle 95% of the bootstrapped precision, recall and F1 begin and end.

    Samples are drawn with replacement, as many as there are (Efron and Tibshirani 1993,
    chapter 13: the percentile interval).
    """
    return _middle(shares(_redrawn(counts, rounds, np.random.default_rng(seed))))


def difference(first: Counts, second: Counts, rounds: int, seed: int) -> Difference:
    """Compare two predictions of the same samples, paired by sample.

    The interval draws the samples of both together. For p, the two predictions of a sample
    swap places with a chance of one half, and ``p = (1 + hits) / (1 + rounds)``, where a hit
    is an absolute difference at least as large as the one seen (Noreen 1989; Yeh 2000).
    """
    random = np.random.default_rng(seed)
    value = shares(second.sum(0)) - shares(first.sum(0))
    both = _redrawn(np.hstack([first, second]), rounds, random)
    low, high = _middle(shares(both[:, 3:]) - shares(both[:, :3]))
    # Which of the samples with one gain swap is a coin each: how many do is binomial.
    gains, times = np.unique(second - first, axis=0, return_counts=True)
    moved = random.binomial(times, 0.5, (rounds, len(gains))) @ gains
    swapped = shares(second.sum(0) - moved) - shares(first.sum(0) + moved)
    # A hair less than seen, so that what is equal but for rounding is a hit.
    hits = (np.abs(swapped) >= np.abs(value) - 1e-12).sum(0)
    return Difference(value, low, high, (1 + hits) / (1 + rounds))


def _redrawn(counts: Counts, rounds: int, random: np.random.Generator) -> Counts:
    """Return the totals of as many samples, drawn with replacement; shape ``(rounds, ...)``.

    Only how often each distinct row is drawn matters, and that is multinomial: the same draw
    as of N samples one by one, for a fraction of the work.
    """
    if not len(counts):
        return np.zeros((rounds, counts.shape[1]), dtype=np.int64)
    kinds, times = np.unique(counts, axis=0, return_counts=True)
    return random.multinomial(len(counts), times / len(counts), rounds) @ kinds


def _middle(drawn: Shares) -> tuple[Shares, Shares]:
    low, high = np.quantile(drawn, (0.025, 0.975), axis=0)
    return low, high
