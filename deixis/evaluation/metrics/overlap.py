"""How much two regions share: intersection over union of boxes or of masks, 0..1."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from deixis.base.boxes import box_iou
from deixis.rows import RowRegion
from deixis.schema import Mask

Pixels = NDArray[np.int64]


def mask_iou(one: Mask, other: Mask) -> float:
    """IoU in pixels of two masks of one picture; 0 when both are empty.

    Computed on the runs. Not by pycocotools, which never returns when runs fall short of the
    picture, as those of a line that was cut off do.

    Raises:
        ValueError: the runs do not fill the picture, or the pictures differ in size.
    """
    if one.size != other.size:
        raise ValueError(f"masks of two sizes (height, width): {one.size} and {other.size}")
    (edges, inside), (others, within) = runs_of(one), runs_of(other)
    # How much of the other mask lies before each edge grows evenly along a run.
    before = np.interp(edges, others, within)
    shared = float((before[2::2] - before[1:-1:2]).sum())
    union = float(inside[-1] + within[-1]) - shared
    return shared / union if union else 0.0


def runs_of(mask: Mask) -> tuple[Pixels, Pixels]:
    """Read the run lengths of a mask (the code is told in `deixis.base.masks.decode`).

    Returns:
        The pixels, counted down the columns, at which runs begin and the last ends, shape
        ``(R + 1,)``; and how many pixels of the mask lie before each of them.

    Raises:
        ValueError: the runs do not fill the picture.
    """
    groups = np.frombuffer(mask.counts.encode(), dtype=np.uint8).astype(np.int64) - 48
    ends = np.flatnonzero(groups & 0x20 == 0)
    lengths = np.diff(ends, prepend=-1)
    height, width = mask.size
    whole = ends.size > 0 and ends[-1] == groups.size - 1 and lengths.max() <= 7
    if whole and groups.min() >= 0 and groups.max() < 64:
        starts = ends - lengths + 1
        place = np.arange(groups.size) - np.repeat(starts, lengths)
        runs = np.add.reduceat((groups & 0x1F) << 5 * place, starts)
        runs -= np.where(groups[ends] & 0x10, 1 << 5 * lengths, 0)
        runs[1::2] = runs[1::2].cumsum()
        runs[2::2] = runs[2::2].cumsum()
        if runs.min() >= 0 and runs.sum() == height * width:
            edges = np.concatenate([[0], runs.cumsum()])
            runs[::2] = 0
            return edges, np.concatenate([[0], runs.cumsum()])
    raise ValueError(f"the run lengths of a mask do not fill its picture {mask.size}")


def best_iou(one: Sequence[RowRegion], other: Sequence[RowRegion], masks: bool) -> float:
    """Return the highest IoU of any region of the one with any of the other.

    Where masks count, a region without one overlaps nothing.
    """
    if masks:
        shared = [mask_iou(a.mask, b.mask) for a in one for b in other if a.mask and b.mask]
    else:
        shared = [box_iou(a.box, b.box) for a in one for b in other]
    return max(shared, default=0.0)
