"""How alike posts are by their letters, words and colours: no weights, no torch, milliseconds.

It knows nothing of meaning: "car" and "automobile" have nothing in common, and a picture is its
colours and edges. It finds posts with the same words, tags and turns of phrase, and pictures of
one kind (a screenshot, a portrait on grass). What it finds beside a model of meaning stands in
`deixis.tools.minilm`.
"""

import re
from collections import Counter
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from deixis.tools.base import Picture
from deixis.tools.colours import COLOURS, EDGES, colours_of
from deixis.tools.fusion import fused

BUCKETS = 2048
"""Numbers of a text's vector; pieces whose hashes meet in one are not told apart."""


class Hashed:
    """Words and letter triples of the text; colours and edges of the picture."""

    name = "hashed"

    def embed(self, picture: Picture | None, text: str) -> NDArray[np.float32]:
        """Return the vector of a post; see `deixis.tools.base.Embedder`."""
        return fused(_read(text), colours_of(picture), COLOURS + EDGES)


def _read(text: str) -> NDArray[np.float64]:
    """Return ``(BUCKETS,)``: ``1 + log(count)`` of words and letter triples, by their hash."""
    folded = f" {' '.join(text.casefold().split())} "
    pieces = [f"={word}" for word in re.findall(r"\w+", folded)]
    pieces += [folded[start : start + 3] for start in range(len(folded) - 2)]
    vector = np.zeros(BUCKETS)
    for piece, count in Counter(pieces).items():
        vector[crc32(piece.encode("utf-8", "replace")) % BUCKETS] += 1.0 + np.log(count)
    return vector / np.linalg.norm(vector)
