"""Masks as COCO run-length encoding: compact in JSON, dense only while they are used."""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.int64]


class RunLengths(Protocol):
    """A mask of ``size`` ``(H, W)``, its run lengths coded in ``counts``."""

    size: tuple[int, int]
    counts: str


def encode(mask: NDArray[np.bool_]) -> dict[str, object]:
    """Encode a boolean mask of shape ``(H, W)`` as ``{"size": [H, W], "counts": str}``.

    Raises:
        ValueError: the array is not two-dimensional and boolean.
    """
    from pycocotools import mask as coco  # imports slowly; only masks need it

    if mask.ndim != 2 or mask.dtype != np.bool_:
        raise ValueError(
            f"a mask is a boolean array of shape (H, W); got {mask.dtype} of shape {mask.shape}"
        )
    rle = coco.encode(np.asfortranarray(mask, dtype=np.uint8))
    return {"size": [int(n) for n in rle["size"]], "counts": rle["counts"].decode("ascii")}


def decode(mask: RunLengths) -> NDArray[np.bool_]:
    """Return the dense mask: boolean, of the shape ``(H, W)`` that its `size` says.

    Ours, because that of pycocotools 2.0.11 uses what NumPy 2 has deprecated.

    Raises:
        ValueError: the runs do not fill the mask.
    """
    runs = lengths(mask)
    height, width = mask.size
    return np.repeat(np.arange(runs.size) % 2 == 1, runs).reshape(width, height).T


def mask_iou(one: RunLengths, other: RunLengths) -> float:
    """IoU in pixels of two masks of one picture; 0 when both are empty.

    Computed on the runs. Not by pycocotools, which never returns when runs fall short of the
    picture, as those of a line that was cut off do.

    Raises:
        ValueError: the runs do not fill the picture, or the pictures differ in size.
    """
    if one.size != other.size:
        raise ValueError(f"masks of two sizes (height, width): {one.size} and {other.size}")
    (edges, inside), (others, within) = _edges(lengths(one)), _edges(lengths(other))
    # How much of the other mask lies before each edge grows evenly along a run.
    before = np.interp(edges, others, within)
    shared = float((before[2::2] - before[1:-1:2]).sum())
    union = float(inside[-1] + within[-1]) - shared
    return shared / union if union else 0.0


def lengths(mask: RunLengths) -> Pixels:
    """Return the lengths of the runs, shape ``(R,)``: down the columns, background first.

    Each is written in groups of five bits, lowest first, as ASCII from ``0`` on, bit 5 saying
    that more follow and bit 4 of the last one being the sign; from the fourth run on, the
    difference to the run two before is written.

    Raises:
        ValueError: the runs do not fill the mask.
    """
    groups = np.frombuffer(mask.counts.encode(), dtype=np.uint8).astype(np.int64) - 48
    ends = np.flatnonzero(groups & 0x20 == 0)
    written = np.diff(ends, prepend=-1)
    whole = ends.size > 0 and ends[-1] == groups.size - 1 and written.max() <= 7
    if whole and groups.min() >= 0 and groups.max() < 64:
        starts = ends - written + 1
        place = np.arange(groups.size) - np.repeat(starts, written)
        runs = np.add.reduceat((groups & 0x1F) << 5 * place, starts)
        runs -= np.where(groups[ends] & 0x10, 1 << 5 * written, 0)
        runs[1::2] = runs[1::2].cumsum()
        runs[2::2] = runs[2::2].cumsum()
        if runs.min() >= 0 and runs.sum() == mask.size[0] * mask.size[1]:
            return runs
    raise ValueError(f"the run lengths do not fill a mask of {mask.size} (height, width)")


def _edges(runs: Pixels) -> tuple[Pixels, Pixels]:
    """Return where runs begin and the last ends, and how much of the mask lies before each."""
    edges = np.concatenate([[0], runs.cumsum()])
    runs[::2] = 0
    return edges, np.concatenate([[0], runs.cumsum()])
