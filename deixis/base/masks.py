"""Masks as COCO run-length encoding: compact in JSON, dense only while they are used."""

import numpy as np
from numpy.typing import NDArray


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


def decode(size: tuple[int, int], counts: str) -> NDArray[np.bool_]:
    """Decode run lengths into a boolean mask of shape `size` = ``(H, W)``.

    Ours, because that of pycocotools 2.0.11 uses what NumPy 2 has deprecated. Runs go down
    the columns, background first. Each is written in groups of five bits, lowest first, as
    ASCII from ``0`` on, bit 5 saying that more follow; from the third run on, the
    difference to the run two before is written.

    Raises:
        ValueError: the runs do not fill the mask.
    """
    runs: list[int] = []
    value = shift = 0
    for character in counts:
        group = ord(character) - 48
        value |= (group & 0x1F) << shift
        shift += 5
        if group & 0x20:
            continue
        if group & 0x10:  # the sign of the highest group
            value -= 1 << shift
        runs.append(value + (runs[-2] if len(runs) > 2 else 0))
        value = shift = 0
    height, width = size
    if sum(runs) != height * width or min(runs, default=0) < 0:
        raise ValueError(f"run lengths of {sum(runs)} pixels do not fill a mask of {size}")
    flat = np.repeat(np.arange(len(runs)) % 2 == 1, runs)
    return flat.reshape(width, height).T
