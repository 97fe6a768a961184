"""What a tool is: small protocols with numpy and plain values in and out.

Pictures are RGB ``uint8`` arrays of shape ``(H, W, 3)``, EXIF-upright. Boxes are
``(x1, y1, x2, y2)`` in absolute pixels of that array, floats, ``x2 > x1``, ``y2 > y1``,
inside the picture. Scores run from 0 to 1. A tool raises `ToolError` when it fails on a
picture and `MissingExtraError` or `ModelFileError` when it cannot be set up. One that gives its
results, but had to do with less than it was set up for, says so by `warn`. One that reads weights
may tell which: ``files()`` returns specs of `deixis.weights.model_files`, fetched before a run.
"""

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import NamedTuple, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from deixis.base.boxes import Box
from deixis.base.records import Mask

Picture = NDArray[np.uint8]
Samples = NDArray[np.float32]
"""Sound: mono, 16,000 samples a second, shape ``(N,)``, -1..1."""

_heard: ContextVar[list[str] | None] = ContextVar("heard", default=None)


def warn(message: str | None) -> None:
    """Tell whoever called a tool what the user should know beside the results; None is nothing.

    It goes to the `listening` of this thread; where nobody listens, to Python's warnings.
    """
    heard = _heard.get()
    if message is None:
        return
    if heard is None:
        warnings.warn(message, RuntimeWarning, stacklevel=2)
    elif message not in heard:
        heard.append(message)


@contextmanager
def listening() -> Iterator[list[str]]:
    """Collect what tools `warn` of while this thread uses them, each message once."""
    heard: list[str] = []
    token = _heard.set(heard)
    try:
        yield heard
    finally:
        _heard.reset(token)


class Detection(NamedTuple):
    """One object found: what it was called, where it is, how sure the tool is."""

    label: str
    box: Box
    score: float


class Word(NamedTuple):
    """One line of writing read in a picture."""

    text: str
    box: Box
    score: float


class Detector(Protocol):
    """Finds objects by name.

    It may have a method ``glimpse`` that takes and gives what ``detect`` does, and gives what is
    too doubtful for that as well: for what a text says is there.
    """

    name: str
    labels: tuple[str, ...] | None
    """The only labels it knows, or None when it takes any phrase."""

    def detect(self, picture: Picture, phrases: Sequence[str]) -> list[Detection]:
        """Return the objects that `phrases` name, best score first; `label` is the phrase."""
        ...


class Reader(Protocol):
    """Reads the writing in a picture."""

    name: str

    def read(self, picture: Picture) -> list[Word]:
        """Return the lines of writing, top to bottom."""
        ...


class Segmenter(Protocol):
    """Turns boxes into masks."""

    name: str

    def segment(self, picture: Picture, boxes: Sequence[Box]) -> list[Mask | None]:
        """Return one mask per box, at the picture's size; None where it found no object."""
        ...


class Entailer(Protocol):
    """Says whether descriptions fit a picture."""

    name: str

    def entail(self, picture: Picture, expressions: Sequence[str]) -> list[float]:
        """Return for each expression the probability, 0..1, that it fits the picture."""
        ...


class CaptionMention(NamedTuple):
    """A mention of a text, half-open characters; ``type`` is PER, LOC, ORG or OTHER.

    ``prior`` is how often such mentions are shown, None where that is not known.
    """

    start: int
    end: int
    type: str
    fine_type: str | None
    prior: float | None


class CaptionEntailer(Protocol):
    """Says what a picture shows by a description of it."""

    name: str

    def shown(self, text: str, caption: str, mentions: Sequence[CaptionMention]) -> list[float]:
        """Return for each mention the probability, 0..1, that the picture shows it."""
        ...


class TimedWord(NamedTuple):
    """A word that was heard: from `start` to `end` in seconds, and how sure, 0..1."""

    text: str
    start: float
    end: float
    score: float


class Heard(NamedTuple):
    """What was said, in order; ``language`` is a code such as ``en``, None where not known."""

    words: list[TimedWord]
    language: str | None


class Transcriber(Protocol):
    """Writes down what is said."""

    name: str

    def transcribe(self, samples: Samples) -> Heard:
        """Return the words that are said, none where nothing is."""
        ...

    def align(self, samples: Samples, words: Sequence[str]) -> list[TimedWord]:
        """Return when each of `words` is said, one for one and in their order."""
        ...


class SpeechSegmenter(Protocol):
    """Finds where somebody speaks."""

    name: str

    def segment(self, samples: Samples) -> list[tuple[float, float]]:
        """Return the stretches of speech, ``(start, end)`` in seconds, in order."""
        ...


class Tracked(NamedTuple):
    """Where something is in one frame, with a mask if the tracker makes them."""

    box: Box
    mask: Mask | None
    score: float


class Tracker(Protocol):
    """Follows things through frames."""

    name: str

    def track(self, frames: Sequence[Picture], boxes: Sequence[Box]) -> list[list[Tracked | None]]:
        """Follow what is in `boxes` of the first frame.

        Args:
            frames: one after the other, all of one size. To follow backwards, reverse them.
            boxes: where things are in ``frames[0]``.

        Returns:
            For each box a list as long as `frames`; None where it is out of sight or lost.
        """
        ...


class Embedder(Protocol):
    """Says how alike posts are: a text, and a picture or none."""

    name: str

    def embed(self, picture: Picture | None, text: str) -> NDArray[np.float32]:
        """Return a vector of length 1, shape ``(D,)``; alike posts have a high dot product."""
        ...


@runtime_checkable
class Matcher(Protocol):
    """An embedder that has pictures and texts in one space."""

    name: str

    def similarities(self, picture: Picture, texts: Sequence[str]) -> list[float]:
        """Return the cosine of a picture with each text, -1 to 1."""
        ...
