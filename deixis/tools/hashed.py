"""How alike posts are by their letters, words and colours: no weights, no torch, milliseconds.

It knows nothing of meaning: "car" and "automobile" have nothing in common, and a picture is its
colours and edges. It finds posts with the same words, tags and turns of phrase, and pictures of
one kind (a screenshot, a portrait on grass). Which examples it finds for a post was not measured
on any task; for more than a first run take an image-text model.
"""

import re
from collections import Counter
from zlib import crc32

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from deixis.tools.base import Picture
from deixis.tools.fusion import fused

BUCKETS = 2048
"""Numbers of a text's vector; pieces whose hashes meet in one are not told apart."""
SIDE = 48
"""Pixels of the sides that a picture is reduced to."""
LEVELS, DIRECTIONS, CELLS = 4, 8, 4
COLOURS = 4 * LEVELS**3
EDGES = CELLS**2 * DIRECTIONS


class Hashed:
    """Words and letter triples of the text; colours and edges of the picture."""

    name = "hashed"

    def embed(self, picture: Picture | None, text: str) -> NDArray[np.float32]:
        """Return the vector of a post; see `deixis.tools.base.Embedder`."""
        seen = None if picture is None else _seen(picture)
        return fused(_read(text), seen, COLOURS + EDGES)


def _read(text: str) -> NDArray[np.float64]:
    """Return ``(BUCKETS,)``: ``1 + log(count)`` of words and letter triples, by their hash."""
    folded = f" {' '.join(text.casefold().split())} "
    pieces = [f"={word}" for word in re.findall(r"\w+", folded)]
    pieces += [folded[start : start + 3] for start in range(len(folded) - 2)]
    vector = np.zeros(BUCKETS)
    for piece, count in Counter(pieces).items():
        vector[crc32(piece.encode("utf-8", "replace")) % BUCKETS] += 1.0 + np.log(count)
    return vector / np.linalg.norm(vector)


def _seen(picture: Picture) -> NDArray[np.float64]:
    """Return ``(COLOURS + EDGES,)``: colours of four quarters, directions of edges in cells."""
    small = Image.fromarray(picture).resize((SIDE, SIDE), Image.Resampling.BOX)
    rgb = np.asarray(small, np.float64)
    rows, columns = np.indices((SIDE, SIDE))
    levels = (rgb * LEVELS / 256).astype(int)
    colour = (levels[..., 0] * LEVELS + levels[..., 1]) * LEVELS + levels[..., 2]
    quarter = 2 * (2 * rows // SIDE) + 2 * columns // SIDE
    colours = np.bincount((quarter * LEVELS**3 + colour).ravel(), minlength=COLOURS)
    down, across = np.gradient(rgb.mean(axis=2))
    direction = (np.arctan2(down, across) / (2 * np.pi) + 0.5) * DIRECTIONS
    cell = CELLS * (CELLS * rows // SIDE) + CELLS * columns // SIDE
    place = cell * DIRECTIONS + direction.astype(int) % DIRECTIONS
    edges = np.bincount(place.ravel(), np.hypot(down, across).ravel(), minlength=EDGES)
    # Roots, so that a large plain area does not outweigh all else; each half counts as much.
    halves = [np.sqrt(half / max(half.sum(), 1e-9)) for half in (colours, edges)]
    both = np.concatenate(halves)
    joined: NDArray[np.float64] = both / np.linalg.norm(both)
    return joined
