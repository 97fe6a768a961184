"""Score recognised mentions: exact text and type, as a multiset for each sample.

With exact matching, the best one-to-one assignment of predictions to gold is the intersection
of the two multisets, so nothing has to be searched. A duplicate prediction beyond the gold
count is an error, and case counts.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

Pair = tuple[str, str]
"""The text of a mention and its type."""


class Score(NamedTuple):
    """Counts over samples, and the three shares (0..1; 0 where nothing can be divided)."""

    correct: int
    predicted: int
    gold: int

    @property
    def precision(self) -> float:
        """Share of the predictions that are right."""
        return self.correct / self.predicted if self.predicted else 0.0

    @property
    def recall(self) -> float:
        """Share of the gold mentions that were found."""
        return self.correct / self.gold if self.gold else 0.0

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall."""
        both = self.predicted + self.gold
        return 2 * self.correct / both if both else 0.0


def score_mentions(
    gold: Sequence[Iterable[Pair]], predicted: Sequence[Iterable[Pair]]
) -> dict[str, Score]:
    """Score samples; the key ``all`` holds the micro average, every other key one type.

    Args:
        gold: for each sample its ``(text, type)`` pairs; duplicates count.
        predicted: the same samples in the same order.

    Raises:
        ValueError: the two do not have the same number of samples.
    """
    if len(gold) != len(predicted):
        raise ValueError(f"{len(gold)} gold samples but {len(predicted)} predicted ones")
    counts: list[Counter[str]] = [Counter(), Counter(), Counter()]
    for wanted, got in zip(gold, predicted, strict=True):
        sides = Counter(wanted), Counter(got)
        for total, pairs in zip(counts, (sides[0] & sides[1], sides[1], sides[0]), strict=True):
            for (_, kind), number in pairs.items():
                total[kind] += number
                total["all"] += number
    kinds = ["all", *sorted((counts[1].keys() | counts[2].keys()) - {"all"})]
    return {kind: Score(counts[0][kind], counts[1][kind], counts[2][kind]) for kind in kinds}


def pair_counts(
    gold: Sequence[Iterable[Pair]], predicted: Sequence[Iterable[Pair]]
) -> NDArray[np.int64]:
    """Count the correct, predicted and gold pairs of each sample, shape ``(N, 3)``.

    Raises:
        ValueError: the two do not have the same number of samples.
    """
    rows = []
    for wanted, got in zip(gold, predicted, strict=True):
        right, told = Counter(wanted), Counter(got)
        rows.append(((right & told).total(), told.total(), right.total()))
    return np.array(rows, dtype=np.int64).reshape(-1, 3)


def correct_flags(gold: Iterable[Pair], predicted: Sequence[Pair]) -> list[bool]:
    """Say for each prediction of one sample whether it is matched, first come first served."""
    left = Counter(gold)
    flags: list[bool] = []
    for pair in predicted:
        flags.append(left[pair] > 0)
        left[pair] -= 1
    return flags


def expected_calibration_error(confidence: ArrayLike, correct: ArrayLike, bins: int = 10) -> float:
    """Mean of ``|accuracy - mean confidence|`` over equal-width bins, weighted by their size.

    Args:
        confidence: shape ``(N,)``, 0..1; a value of exactly 1 falls into the last bin.
        correct: shape ``(N,)``, 0 or 1.
        bins: number of equal-width bins over 0..1.

    Returns:
        0..1; 0 when ``N`` is 0.

    Raises:
        ValueError: the shapes differ, or a confidence lies outside 0..1.
    """
    sure = np.asarray(confidence, dtype=np.float64)
    right = np.asarray(correct, dtype=np.float64)
    if sure.ndim != 1 or sure.shape != right.shape:
        raise ValueError(f"expected two arrays of shape (N,), got {sure.shape} and {right.shape}")
    if not ((sure >= 0) & (sure <= 1)).all():
        raise ValueError("a confidence lies outside 0..1")
    if not sure.size:
        return 0.0
    bin_of = np.minimum((sure * bins).astype(np.int64), bins - 1)
    gaps = np.bincount(bin_of, weights=right - sure, minlength=bins)
    return float(np.abs(gaps).sum() / sure.size)
