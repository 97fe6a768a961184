"""Long pauses are shortened before a model hears them, and times told as they were.

Across a pause of two seconds or more, Whisper's attention loses its way: a word beside it may be
told to be anywhere in it. Half a second is as much as it needs to tell two sentences apart.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from deixis.tools.base import Samples, TimedWord
from deixis.tools.hearing.pieces import RATE

_LONG = 1.0  # seconds of a pause that is shortened
_LEFT = 0.25  # seconds of it that stay on each side
_FRAME = RATE // 20  # samples of which the loudness is one number
_QUIET = 0.01  # of what is loud: 40 dB below it nobody speaks
_LOUD = 95  # percentile of the loudness of frames that is called loud
_FLOOR = 10  # the one that is called the noise, if there are pauses enough
_ABOVE = 2.0  # times the noise: 6 dB above it somebody may speak
_MOST = 0.1  # of what is loud: noise is never called more


class Shortened(NamedTuple):
    """A sound without the middle of its long pauses.

    ``parts`` are the half-open ranges of samples that are left of the one given, in order.
    """

    samples: Samples
    parts: NDArray[np.int64]

    def as_given(self, word: TimedWord) -> TimedWord:
        """Return a word with its times in the sound given; it is on one side of a pause."""
        lengths = self.parts[:, 1] - self.parts[:, 0]
        ends = np.cumsum(lengths) / RATE
        begins = ends - lengths / RATE
        inside = np.minimum(ends, word.end) - np.maximum(begins, word.start)
        best = int(inside.argmax())
        later = self.parts[best, 0] / RATE - begins[best]
        start = min(max(word.start, begins[best]), ends[best])
        end = min(max(word.end, start), ends[best])
        return word._replace(start=float(start + later), end=float(end + later))


def shortened(samples: Samples) -> Shortened:
    """Return a sound in which no pause is longer than a second."""
    inner = np.array([_LEFT, -_LEFT]) * RATE
    cuts = pauses(samples, _LONG) + inner.astype(np.int64)
    bounds = np.concatenate([[0], cuts.ravel(), [len(samples)]]).astype(np.int64)
    parts = bounds.reshape(-1, 2)
    if len(parts) == 1:
        return Shortened(samples, parts)
    return Shortened(np.concatenate([samples[start:end] for start, end in parts]), parts)


def pauses(samples: Samples, shortest: float) -> NDArray[np.int64]:
    """Return the half-open ranges of samples, shape ``(N, 2)``, in which nobody speaks.

    Args:
        samples: a sound.
        shortest: seconds; what is shorter is no pause.
    """
    edges = np.flatnonzero(np.diff(_quiet(samples).astype(np.int8), prepend=0, append=0))
    ranges = edges.reshape(-1, 2).astype(np.int64) * _FRAME
    return ranges[ranges[:, 1] - ranges[:, 0] >= shortest * RATE]


def _quiet(samples: Samples) -> NDArray[np.bool_]:
    """Return which frames are so quiet that nobody speaks: by far the loud ones, or as noise is."""
    frames = samples[: len(samples) // _FRAME * _FRAME].reshape(-1, _FRAME)
    if not len(frames):
        return np.zeros(0, dtype=np.bool_)
    loudness = np.sqrt(np.square(frames).mean(axis=1))
    loud, noise = np.percentile(loudness, [_LOUD, _FLOOR])
    limit: float = max(_QUIET * loud, min(_ABOVE * noise, _MOST * loud))
    quiet: NDArray[np.bool_] = loudness <= limit
    return quiet
