"""In which order a page is read: columns from side to side, each from top to bottom.

A page, or a part of it, is cut at the gutter that most stands beside; what crosses the gutter, such
as a headline, a picture over two columns, cuts the columns into bands, which are read one by one.
"""

from itertools import pairwise
from typing import Generic, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from deixis.base.boxes import Box

T = TypeVar("T")
_NARROWEST = 0.7  # sizes: of a gutter
_MOST = 3000  # items of a part: more are read from top to bottom
_DEEPEST = 30


class Item(NamedTuple, Generic[T]):
    """Something on a page: where, and the size of its letters; 0 for a picture."""

    box: Box
    size: float
    thing: T


def columns(items: list[Item[T]], rtl: bool = False, depth: int = 0) -> list[list[Item[T]]]:
    """Return the columns of a page in the order in which they are read, each from top to bottom.

    Args:
        items: lines and pictures.
        rtl: whether columns are read from right to left.
        depth: how often the page has been cut.
    """
    items = sorted(items, key=lambda item: (item.box[1], item.box[0]))
    cut = _gutter(items) if len(items) <= _MOST and depth < _DEEPEST else None
    if cut is None:
        return [items] if items else []
    left, right = cut
    found: list[list[Item[T]]] = []
    crossing = [i for i in range(len(items)) if not (left[i] or right[i])]
    middles = [sum(item.box[1::2]) / 2 for item in items]
    edges = [-np.inf, *sorted(middles[i] for i in crossing), np.inf]
    spans = sorted(crossing, key=lambda i: middles[i])
    for band, (top, bottom) in enumerate(pairwise(edges)):
        for side in (right, left) if rtl else (left, right):
            inside = [items[i] for i in range(len(items)) if side[i] and top <= middles[i] < bottom]
            found += columns(inside, rtl, depth + 1)
        if band < len(spans):
            found.append([items[spans[band]]])
    return _joined(found)


def _joined(found: list[list[Item[T]]]) -> list[list[Item[T]]]:
    """Put what crosses gutters, line by line, into one column, so that its lines stay together."""
    made: list[list[Item[T]]] = []
    for column in found:
        last = made[-1] if made else None
        if last and len(column) == 1 and _follows(last[-1], column[0]):
            last.append(column[0])
        else:
            made.append(column)
    return made


def _follows(one: Item[T], other: Item[T]) -> bool:
    if not (one.size and other.size) or abs(one.size - other.size) > 0.1 * one.size:
        return False
    step = other.box[1] - one.box[1]
    return 0 < step < 2 * one.size and abs(other.box[0] - one.box[0]) < 2 * one.size


def _gutter(items: list[Item[T]]) -> tuple[NDArray[np.bool_], NDArray[np.bool_]] | None:
    """Return what stands left and right of the best gutter; None if there is none."""
    if len(items) < 2:
        return None
    boxes = np.array([item.box for item in items])
    sizes = [item.size for item in items if item.size]
    if not sizes:
        return None
    size = float(np.median(sizes))
    starts, tops, ends, bottoms = boxes.T
    best, most = None, 0.0
    for x in np.unique(ends.round(1)):
        left = ends <= x + 0.1
        right = (starts >= x + _NARROWEST * size) & ~left
        sides = int(left.sum()), int(right.sum())
        if not min(sides):
            continue
        beside = min(bottoms[left].max(), bottoms[right].max()) - max(
            tops[left].min(), tops[right].min()
        )
        if beside <= size * 0.5:
            continue
        crossing = len(items) - sum(sides)
        score = min(sides) - 1.5 * crossing + 0.5 * (min(sides) >= 3)
        room = starts[right].min() - ends[left].max()
        score += min(room / (100 * size), 0.4)
        if score > most:
            best, most = (left, right), score
    return best
