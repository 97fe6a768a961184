"""Silero VAD: where somebody speaks, in a thousandth of the time that it takes to say it.

The model (github.com/snakers4/silero-vad, MIT, 1.2 MB in a wheel of 11 MB) tells for every 32 ms of
sound how likely it is that somebody speaks. Its limits here are those of SHAS (Tsiamas et al.,
2022, arXiv:2202.04774), as REAMO has them: segments of 0.2 to 18 seconds, at a probability of
0.5. Like there, what is longer is cut in two, again and again, where speech is least likely;
unlike there, a pause ends a segment, so that what remains is speech.
"""

from collections.abc import Iterator
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from deixis.base.forks import Lock
from deixis.errors import ModelFileError, SettingsError
from deixis.tools.base import Samples
from deixis.tools.hearing.pieces import RATE
from deixis.weights import model_files, onnx_sessions

Positive = Annotated[float, Field(gt=0.0, allow_inf_nan=False)]
Probability = Annotated[float, Field(gt=0.0, lt=1.0)]

_FRAME = 512  # samples that one probability is about
_CONTEXT = 64  # samples before them, which the network is shown too
_AT_ONCE = 512  # frames
_STATE = (1, 1, 128)
_INPUTS = {"input", "h", "c"}


class SileroVad:
    """A finder of speech.

    Args:
        model: spec of the ONNX file of the form "sequence", see `deixis.weights.model_files`.
        threshold: from which probability on it is speech.
        shortest: seconds; what is shorter is no segment.
        longest: seconds; what is longer is cut.
        pause: seconds; a shorter silence does not end a segment.
    """

    MODEL = (
        "pypi:silero-vad==6.2.3/silero_vad/data/silero_vad_16k_sequence.onnx"
        "#sha256=9ccdacc4719d8aa7e45a77536bfabec45a03ba1f2fad5e241ab4060b24238a85"
    )
    name = "silero-vad"

    def __init__(
        self,
        model: str = MODEL,
        threshold: Probability = 0.5,
        shortest: Positive = 0.2,
        longest: Positive = 18.0,
        pause: Positive = 0.3,
    ) -> None:
        if longest < 2 * shortest:
            raise SettingsError(
                f"option longest: {longest} s cannot be cut into segments of {shortest} s or more"
            )
        self._model = model
        self._threshold = threshold
        self._shortest, self._longest, self._pause = (
            max(1, round(seconds * RATE / _FRAME)) for seconds in (shortest, longest, pause)
        )
        self._session: Any = None
        self._lock = Lock()

    def files(self) -> list[str]:
        """Return where the weights are, as specs of `deixis.weights.model_files`."""
        return [model_files.file_of(self._model)]

    def segment(self, samples: Samples) -> list[tuple[float, float]]:
        """Return where somebody speaks, in seconds; see `deixis.tools.base.SpeechSegmenter`.

        Raises:
            ToolError: the model fails on this sound.
            ModelFileError: the weights cannot be had, or are not this form of Silero VAD.
            MissingExtraError: ``onnxruntime`` is not installed.
        """
        shares = self._shares(samples)
        last = len(samples) / RATE
        return [
            (start * _FRAME / RATE, min(end * _FRAME / RATE, last))
            for run in _runs(shares >= self._threshold, self._pause)
            for start, end in self._parts(shares, *run)
        ]

    def _parts(
        self, shares: NDArray[np.float32], start: int, end: int
    ) -> Iterator[tuple[int, int]]:
        """Cut a run of frames in two where speech is least likely, until each part is short."""
        if end - start < self._shortest:
            return
        if end - start <= self._longest:
            yield start, end
            return
        inner = shares[start + self._shortest : end - self._shortest]
        cut = start + self._shortest + int(inner.argmin())
        yield from self._parts(shares, start, cut)
        yield from self._parts(shares, cut, end)

    def _shares(self, samples: Samples) -> NDArray[np.float32]:
        """Return the probability of speech of each frame, shape ``(N / 512,)``."""
        session = self._load()
        count = max(1, -(-len(samples) // _FRAME))
        padded = np.zeros(_CONTEXT + count * _FRAME, dtype=np.float32)
        padded[_CONTEXT : _CONTEXT + len(samples)] = samples
        frames = np.lib.stride_tricks.sliding_window_view(padded, _CONTEXT + _FRAME)[::_FRAME]
        hidden = cell = np.zeros(_STATE, dtype=np.float32)
        found = []
        for first in range(0, count, _AT_ONCE):
            inputs = {"input": frames[first : first + _AT_ONCE].copy(), "h": hidden, "c": cell}
            outputs = ["speech_probs", "hn", "cn"]
            shares, hidden, cell = onnx_sessions.run(session, inputs, outputs, self.name)
            found.append(shares.reshape(-1))
        return np.concatenate(found)

    def _load(self) -> Any:
        with self._lock:
            if self._session is None:
                path = str(model_files.resolve(self._model))
                session = onnx_sessions.open_session(path, path, threads=1)
                if {value.name for value in session.get_inputs()} != _INPUTS:
                    raise ModelFileError(f"{path} is not Silero VAD for sequences of 16 kHz")
                self._session = session
            return self._session


def _runs(speech: NDArray[np.bool_], pause: int) -> list[tuple[int, int]]:
    """Return the half-open runs of frames with speech; silences shorter than `pause` join them."""
    edges = np.flatnonzero(np.diff(speech.astype(np.int8), prepend=0, append=0))
    runs: list[tuple[int, int]] = []
    for start, end in edges.reshape(-1, 2).tolist():
        if runs and start - runs[-1][1] < pause:
            runs[-1] = (runs[-1][0], end)
        else:
            runs.append((start, end))
    return runs
