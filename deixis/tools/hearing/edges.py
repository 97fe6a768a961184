"""Where words begin and end: what Whisper's attention tells of it, set right.

Its decoder looks at the part of the sound that it writes down, and the way of that look through
the sound (dynamic time warping) says when each word is said. It gives all words about the same
length: behind a short word it goes on late, behind a long one early. And silence always belongs to
one of the words beside it, or to both: a pause is where one ends and the next one begins.

On 80 sentences in four voices of flite 2.2 with tiny.en, the edge behind a word of n letters comes
0.22 - 0.03 n seconds late on the mean; that taken off, what is left deviates by 0.066 s instead of
0.091 s. Fitted to two of the voices and half of the sentences, it raises the mean intersection over
union of names with their known times from 0.75 to 0.90 for the other voices and sentences.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from deixis.tools.base import Samples, TimedWord
from deixis.tools.hearing.pauses import pauses
from deixis.tools.hearing.pieces import RATE
from deixis.tools.hearing.words import plain

_LATE, _OF_A_LETTER, _MOST_LETTERS = 0.22, 0.03, 10
_QUIET = 0.02  # of the loudest frame of a word: what is quieter at its edges is not part of it
_FRAME = RATE // 100
_SHORTEST = 0.02  # seconds of a word
_APART = 0.05  # seconds between words that do not share an edge
_PAUSE = 0.25  # seconds; a shorter silence may be part of a word
_NEAR = 0.5  # seconds between a pause and the edge that is moved into it


def settled(words: Sequence[TimedWord], samples: Samples) -> list[TimedWord]:
    """Return words whose edges the attention has told with edges that are nearer to the truth.

    Args:
        words: in order, none beginning before another ends.
        samples: the sound, from second 0 on.
    """
    found: list[TimedWord] = []
    before = 0.0
    for place, word in enumerate(words):
        follows = place > 0 and word.start - words[place - 1].end < _APART
        start = before if follows else max(before, word.start)
        before = max(word.end - _late(word.text), start + _SHORTEST)
        found.append(word._replace(start=start, end=before))
    return [_sounding(word, samples) for word in _at_pauses(found, pauses(samples, _PAUSE) / RATE)]


def _at_pauses(words: list[TimedWord], silent: NDArray[np.float64]) -> list[TimedWord]:
    """Return words none of which goes on over a pause: the edge nearest to it is in it.

    Args:
        words: in order.
        silent: where the pauses begin and end, in seconds.
    """
    found = list(words)
    ends = np.array([word.end for word in words])
    starts = np.array([word.start for word in words])
    for begin, end in silent.tolist():
        moved = np.zeros(len(words) + 1)  # of what is between words, for each place among them
        moved[1:] += np.abs(ends - begin)
        moved[:-1] += np.abs(starts - end)
        place = int(moved.argmin())
        if place > 0 and begin - _NEAR <= ends[place - 1] <= end + _NEAR:
            word = found[place - 1]
            found[place - 1] = word._replace(end=max(begin, word.start + _SHORTEST))
        if place < len(words) and begin - _NEAR <= starts[place] <= end + _NEAR:
            word = found[place]
            found[place] = word._replace(start=min(end, word.end - _SHORTEST))
    return found


def _late(text: str) -> float:
    return _LATE - _OF_A_LETTER * min(len(plain(text)), _MOST_LETTERS)


def _sounding(word: TimedWord, samples: Samples) -> TimedWord:
    """Return a word without the silence at its edges."""
    first = int(word.start * RATE)
    frames = samples[first : int(word.end * RATE)]
    frames = frames[: len(frames) // _FRAME * _FRAME].reshape(-1, _FRAME)
    loudness = np.sqrt(np.square(frames).mean(axis=1))
    loud = np.flatnonzero(loudness > _QUIET * loudness.max(initial=0.0))
    if not len(loud):
        return word
    start = (first + int(loud[0]) * _FRAME) / RATE
    end = (first + (int(loud[-1]) + 1) * _FRAME) / RATE
    return word._replace(
        start=max(word.start, start), end=word.end if loud[-1] == len(frames) - 1 else end
    )
