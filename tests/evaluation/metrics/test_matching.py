"""The matcher against all ways to pair, and against boxes and masks counted by hand."""

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deixis.base.boxes import box_iou
from deixis.base.masks import mask_iou
from deixis.evaluation.metrics.matching import best_iou, best_pairs, count_pairs
from deixis.rows import RowRegion
from deixis.schema import Mask

TABLES = st.tuples(st.integers(1, 5), st.integers(1, 5)).flatmap(
    lambda size: st.lists(
        st.lists(st.sampled_from([0.0, 0.4, 0.5, 0.9]), min_size=size[1], max_size=size[1]),
        min_size=size[0],
        max_size=size[0],
    )
)


def half(value: float) -> bool:
    return value >= 0.5


def ways(table: list[list[float]]) -> list[list[float]]:
    """All values that one-to-one pairs can have."""
    wide = np.array(table)
    wide = wide if wide.shape[0] <= wide.shape[1] else wide.T
    rows = range(len(wide))
    return [[wide[r, c] for r, c in zip(rows, way, strict=True)]
            for way in permutations(range(wide.shape[1]), len(wide))]  # fmt: skip


@settings(deadline=None)
@given(TABLES)
def test_optimal_is_the_best_of_all_ways(table: list[list[float]]) -> None:
    best = max(sum(map(half, way)) for way in ways(table))
    assert count_pairs(table, half, "optimal") == best
    assert best / 2 <= count_pairs(table, half, "greedy") <= best
    rows, columns = best_pairs(np.array(table))
    assert np.array(table)[rows, columns].sum() == pytest.approx(max(map(sum, ways(table))))


def test_twenty_of_one_name_are_no_trouble() -> None:
    table = [[1.0 if row <= column else 0.0 for column in range(20)] for row in range(20)]
    assert count_pairs(table, half, "optimal") == 20
    assert count_pairs(table[::-1], half, "greedy") == 20
    assert count_pairs([each[::-1] for each in table], half, "greedy") == 10


@pytest.mark.parametrize(
    ("one", "other", "iou"),
    [
        ((0, 0, 10, 10), (0, 0, 10, 10), 1),
        ((0, 0, 10, 10), (5, 0, 15, 10), 1 / 3),
        ((0, 0, 10, 10), (2, 2, 4, 4), 0.04),
        ((0, 0, 10, 10), (10, 0, 20, 10), 0),
        ((-5, -5, 5, 5), (0, 0, 5, 5), 0.25),
        ((0, 0, 0, 10), (0, 0, 0, 10), 0),
        ((10, 10, 0, 0), (10, 10, 0, 0), 0),
        ((0.5, 0, 1, 1), (0, 0, 1, 1), 0.5),
    ],
)
def test_boxes(one: tuple[float, ...], other: tuple[float, ...], iou: float) -> None:
    a, b = RowRegion(box=one).box, RowRegion(box=other).box
    assert box_iou(a, b) == box_iou(b, a) == pytest.approx(iou)


def mask(top: int, bottom: int) -> Mask:
    array = np.zeros((9, 7), dtype=bool)
    array[top:bottom, 2:5] = True
    return Mask.from_array(array)


@settings(deadline=None)
@given(st.data())
def test_masks_as_arrays(data: st.DataObject) -> None:
    height, width = data.draw(st.integers(1, 40)), data.draw(st.integers(1, 40))
    dice = np.random.default_rng(data.draw(st.integers(0, 999)))
    blocks = (
        dice.random((2, height, width)).cumsum(1) % data.draw(st.sampled_from([1.3, 9.0])) < 0.7
    )
    one, other = blocks
    expected = (one & other).sum() / max(1, (one | other).sum())
    masks = [Mask.from_array(each) for each in (one, other)]
    assert mask_iou(*masks) == pytest.approx(expected)
    cut = data.draw(st.integers(0, len(masks[0].counts) - 1))
    with pytest.raises(ValueError, match="do not fill"):
        mask_iou(masks[1], Mask(size=(height, width), counts=masks[0].counts[:cut]))
    with pytest.raises(ValueError, match="two sizes"):
        mask_iou(masks[0], Mask(size=(height + 1, width), counts=masks[0].counts))


def test_masks_of_a_large_picture() -> None:
    """Runs that take several groups, and differences below zero."""
    down, across = np.mgrid[:3000, :2000]
    one, other = (down - 900) ** 2 + (across - 800) ** 2 < 600**2, across % 1999 < 1000
    expected = (one & other).sum() / (one | other).sum()
    assert mask_iou(Mask.from_array(one), Mask.from_array(other)) == pytest.approx(expected)


def test_masks() -> None:
    assert mask_iou(mask(0, 6), mask(0, 6)) == 1
    assert mask_iou(mask(0, 6), mask(4, 8)) == pytest.approx(2 / 8)
    assert mask_iou(mask(0, 4), mask(4, 8)) == mask_iou(mask(0, 0), mask(0, 0)) == 0
    box = (0.0, 0.0, 7.0, 9.0)
    low, high, bare = (RowRegion(box=box, mask=m) for m in (mask(4, 8), mask(0, 6), None))
    assert best_iou([bare, low], [high, low], masks=True) == 1
    assert best_iou([bare], [high], masks=True) == best_iou([], [high], masks=False) == 0
    assert best_iou([bare], [high], masks=False) == 1
