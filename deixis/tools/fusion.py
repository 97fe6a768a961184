"""One vector of a post from that of its text and that of its picture.

Both have length 1. ``v = [t; p] / sqrt(2)``, so that the cosine of two posts is the mean of
that of their texts and that of their pictures. A post without a picture is ``v = [t; 0]``.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray


def fused(text: ArrayLike, picture: ArrayLike | None, size: int) -> NDArray[np.float32]:
    """Return the vector of a post, of length 1 and shape ``(len(text) + size,)``.

    Args:
        text: vector of the text, of length 1.
        picture: vector of the picture, of length 1 and shape ``(size,)``; None without one.
        size: numbers of a picture's vector.
    """
    seen = np.zeros(size) if picture is None else np.asarray(picture)
    both = np.concatenate([np.asarray(text), seen])
    joined: NDArray[np.float32] = (both / np.linalg.norm(both)).astype(np.float32)
    return joined
