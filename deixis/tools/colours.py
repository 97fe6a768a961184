"""How alike pictures are by their colours and edges: no weights, a millisecond.

It finds pictures of one kind (a screenshot, a portrait on grass), and knows nothing of what they
show.
"""

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from deixis.tools.base import Picture

SIDE = 48
"""Pixels of the sides that a picture is reduced to."""
LEVELS, DIRECTIONS, CELLS = 4, 8, 4
COLOURS = 4 * LEVELS**3
EDGES = CELLS**2 * DIRECTIONS


def colours_of(picture: Picture | None) -> NDArray[np.float64] | None:
    """Return the vector of a picture, of length 1; None of none.

    Shape ``(COLOURS + EDGES,)``: colours of four quarters, then directions of edges in cells.
    """
    if picture is None:
        return None
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
