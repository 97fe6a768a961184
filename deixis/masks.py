"""Masks as COCO run-length encoding: compact in JSON, dense only while they are used."""

from typing import cast

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
    """Decode run lengths into a boolean mask of shape `size` = ``(H, W)``."""
    from pycocotools import mask as coco

    rle = {"size": list(size), "counts": counts.encode("ascii")}
    return cast("NDArray[np.bool_]", coco.decode(rle).astype(bool))
