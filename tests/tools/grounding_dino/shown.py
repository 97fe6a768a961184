"""Pictures to be looked at: coarse, and the same for the same seed."""

import numpy as np

from deixis.tools.base import Picture


def picture(height: int = 60, width: int = 80, seed: int = 0) -> Picture:
    random = np.random.default_rng(seed)
    coarse = random.integers(0, 256, (5, 7, 3), dtype=np.uint8)
    rows, columns = np.arange(height) * 5 // height, np.arange(width) * 7 // width
    return coarse[rows][:, columns]
