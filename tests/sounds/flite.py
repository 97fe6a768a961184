"""Speech that flite made, and when it says which word."""

import wave
from pathlib import Path
from typing import NamedTuple

import numpy as np

from deixis.tools.base import Samples

FOLDER = Path(__file__).parent


class Spoken(NamedTuple):
    """A sound: what is said, and the seconds at which each word ends; the first begins at `start`.

    `names` are the ranges of words that name somebody or something.
    """

    path: Path
    text: str
    start: float
    ends: tuple[float, ...]
    names: tuple[tuple[int, int], ...]

    @property
    def words(self) -> list[str]:
        return self.text.split()

    @property
    def samples(self) -> Samples:
        with wave.open(str(self.path)) as file:
            content = file.readframes(file.getnframes())
        return np.frombuffer(content, np.int16).astype(np.float32) / 32768

    def span(self, first: int, last: int) -> tuple[float, float]:
        """When the words of a half-open range are said."""
        return (self.start, *self.ends)[first], self.ends[last - 1]

    def overlap(self, first: int, last: int, found: tuple[float, float]) -> float:
        """Return the intersection over union of `found` and when these words are said."""
        start, end = self.span(first, last)
        both = min(end, found[1]) - max(start, found[0])
        return max(0.0, both) / (max(end, found[1]) - min(start, found[0]))


HOPPER = Spoken(
    FOLDER / "grace_hopper.wav",
    "Grace Hopper joined the United States Navy in nineteen forty three.",
    0.197,
    (0.514, 0.905, 1.37, 1.435, 1.991, 2.391, 2.68, 2.743, 3.303, 3.688, 4.163),
    ((0, 2), (4, 7)),
)
MERKEL = Spoken(
    FOLDER / "obama_merkel.wav",
    "Barack Obama met Angela Merkel in Berlin.",
    0.142,
    (0.598, 1.112, 1.4, 1.937, 2.35, 2.534, 3.005),
    ((0, 2), (3, 5), (6, 7)),
)
