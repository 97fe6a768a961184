"""Long sounds in pieces, cut where it is quiet: no tool holds hours of sound at once."""

import numpy as np

from deixis.tools.base import Samples

RATE = 16_000
"""Samples a second of all sound that tools are given."""
_SLACK = 1 / 6  # of a piece: so far before its longest end the quietest place is looked for
_FRAME = RATE // 20  # samples of which the loudness is one number
_SILENCE = 1e-4  # loudest sample of a sound that has nothing in it: -80 dB


def pieces(samples: Samples, longest: float) -> list[tuple[int, int]]:
    """Cut a sound into pieces of at most `longest` seconds, each at a quiet place.

    Returns:
        Half-open ranges of samples, one after the other, that cover all of it.
    """
    most = int(longest * RATE)
    found, start = [], 0
    while len(samples) - start > most:
        first = start + int(most * (1 - _SLACK))
        frames = samples[first : start + most]
        frames = frames[: len(frames) // _FRAME * _FRAME].reshape(-1, _FRAME)
        stop = first + int(np.square(frames).mean(axis=1).argmin()) * _FRAME + _FRAME // 2
        found.append((start, stop))
        start = stop
    return [*found, (start, len(samples))] if start < len(samples) else found


def is_silent(samples: Samples) -> bool:
    """Whether there is nothing in a sound: recognizers make words up where nobody says any."""
    return not len(samples) or float(np.abs(samples).max()) < _SILENCE
