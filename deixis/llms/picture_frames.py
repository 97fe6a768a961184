"""The size to which models bring a picture before they look, and in whose pixels they point."""

import math
from typing import NamedTuple

Size = tuple[int, int]
"""Width and height in pixels."""


class Resize(NamedTuple):
    """A processor's resize: sides become multiples of ``factor``, the area stays in limits."""

    factor: int = 28
    least_pixels: int = 56 * 56
    most_pixels: int = 16384 * 28 * 28

    def frame(self, size: Size) -> Size:
        """Return the size that a picture is brought to (``smart_resize`` of transformers)."""
        width, height = size
        factor = self.factor
        wide, high = round(width / factor) * factor, round(height / factor) * factor
        # The floating-point steps are in the order of the original: others round differently.
        if wide * high > self.most_pixels:
            shrink = math.sqrt(height * width / self.most_pixels)
            wide = max(factor, math.floor(width / shrink / factor) * factor)
            high = max(factor, math.floor(height / shrink / factor) * factor)
        elif wide * high < self.least_pixels:
            grow = math.sqrt(self.least_pixels / (height * width))
            wide = math.ceil(width * grow / factor) * factor
            high = math.ceil(height * grow / factor) * factor
        return wide, high


class Shrink(NamedTuple):
    """The resize of Claude: a picture keeps its shape, and is made smaller if it has to be.

    It has to fit in patches of 28 x 28 pixels, those at the edges filled up: neither side longer
    than ``longest_side``, filled up, and ``most_patches`` of them at most.
    """

    longest_side: int
    most_patches: int
    patch: int = 28

    def frame(self, size: Size) -> Size:
        """Return the largest size that fits, without what the last patches are filled up with."""
        if self._fits(size):
            return size
        long, short = max(size), min(size)
        fitting = (
            (side, max(1, round(side * short / long)))
            for side in range(min(long, self.longest_side), 0, -1)
        )
        smaller = next(filter(self._fits, fitting))
        return smaller if size[0] >= size[1] else smaller[::-1]

    def _fits(self, size: Size) -> bool:
        across, down = (math.ceil(side / self.patch) for side in size)
        return max(across, down) * self.patch <= self.longest_side and (
            across * down <= self.most_patches
        )
