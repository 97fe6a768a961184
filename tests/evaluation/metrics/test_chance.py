"""Intervals and p against what can be worked out."""

from itertools import product

import numpy as np
import pytest

from deixis.evaluation.metrics.chance import difference, interval, shares


def counts(*rows: tuple[int, int, int], times: int = 1) -> np.ndarray:
    return np.array(rows * times, dtype=np.int64).reshape(-1, 3)


def test_shares() -> None:
    found = shares(counts((3, 4, 6), (0, 0, 0), (0, 5, 0)))
    assert found.tolist() == [[3 / 4, 1 / 2, 6 / 10], [0, 0, 0], [0, 0, 0]]


def test_interval_is_that_of_a_binomial_share() -> None:
    # One prediction and one gold mention a sample: precision is the share of right samples,
    # whose bootstrap is binomial with a deviation of sqrt(0.7 * 0.3 / 400).
    low, high = interval(counts(*[(1, 1, 1)] * 7, *[(0, 1, 1)] * 3, times=40), 20_000, 3)
    half = 1.96 * np.sqrt(0.7 * 0.3 / 400)
    assert low == pytest.approx([0.7 - half] * 3, abs=0.004)
    assert high == pytest.approx([0.7 + half] * 3, abs=0.004)


def test_interval_is_seeded_and_does_not_depend_on_order() -> None:
    rows = counts((1, 2, 3), (0, 1, 1), (2, 2, 2), times=10)
    first = interval(rows, 500, 7)
    assert np.array_equal(first, interval(rows[::-1], 500, 7))
    assert not np.array_equal(first, interval(rows, 500, 8))


def test_nothing_to_draw() -> None:
    assert np.array_equal(interval(counts(), 10, 0), np.zeros((2, 3)))
    found = difference(counts(), counts(), 10, 0)
    assert found.value.tolist() == [0, 0, 0] and found.p.tolist() == [1, 1, 1]


def test_interval_of_equal_samples_has_no_width() -> None:
    low, high = interval(counts((1, 2, 1), times=9), 100, 0)
    assert low.tolist() == high.tolist() == [1 / 2, 1, 2 / 3]


def test_p_is_that_of_all_swaps() -> None:
    first = counts((0, 2, 1), (1, 1, 2), (1, 3, 3), (0, 1, 1), (2, 2, 4), (1, 1, 1))
    second = counts((1, 1, 1), (1, 1, 2), (3, 3, 3), (1, 2, 1), (1, 3, 4), (1, 1, 1))
    seen = np.abs(shares(second.sum(0)) - shares(first.sum(0)))
    hits = np.zeros(3)
    for swap in product([False, True], repeat=6):
        mask = np.array(swap)[:, None]
        swapped = shares(np.where(mask, first, second).sum(0))
        hits += np.abs(swapped - shares(np.where(mask, second, first).sum(0))) >= seen - 1e-12
    assert difference(first, second, 20_000, 0).p == pytest.approx(hits / 64, abs=0.015)


def test_difference_is_paired() -> None:
    dice = np.random.default_rng(0)
    gold = dice.integers(1, 9, 300)
    first = np.stack([dice.integers(0, gold), gold, gold], axis=1)
    second = first + (np.arange(300) % 30 == 0)[:, None] * np.array([1, 0, 0])
    found = difference(first, second, 2000, 0)
    assert found.value == pytest.approx([10 / gold.sum()] * 3)
    assert (found.low > 0).all() and (found.low < found.value).all()
    assert (found.value < found.high).all() and (found.p <= 0.01).all()
    # Not paired, samples that differ so much would hide a gain as small as this.
    assert (interval(first, 2000, 0)[1] > shares(second.sum(0)))[0]
    back = difference(second, first, 2000, 0)
    assert back.value == pytest.approx(-found.value) and (back.high < 0).all()
