"""Samples with sound, and a toolbox that hears."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from deixis.agents.context.state import OVERWRITE
from deixis.agents.context.system import System
from deixis.agents.context.toolbox import Toolbox
from deixis.agents.muie.options import MuieOptions
from deixis.agents.open import open_sample
from deixis.base.sound import wav_bytes
from deixis.errors import ToolError
from deixis.settings import Settings
from deixis.tools.base import Heard, Samples, TimedWord

SYSTEM = System(
    name="test",
    about="what is tested here",
    needs=(),
    uses=("transcriber", "speech_segmenter"),
    wire=lambda _wiring, _options: None,
    options=MuieOptions,
    takes=("images", "audio", "video", "task"),
)


def toolbox_of(
    transcriber: str | None = "ears", segmenter: str | None = None, **own: Any
) -> Toolbox:
    roles = {"transcriber": transcriber, "speech_segmenter": segmenter}
    given = {"name": "test", "graph": "test", "schema": "gmner", "roles": roles}
    return Toolbox(Settings.model_validate({**given, "graph_options": own}), SYSTEM)


def sample_of(toolbox: Toolbox, **given: Any) -> dict[str, Any]:
    """Return the state of a sample that was opened."""
    sample: Any = {"text": "", "task": "ner", **given}
    update = open_sample(sample, toolbox)
    return sample | {
        channel: value[OVERWRITE] if isinstance(value, dict) and OVERWRITE in value else value
        for channel, value in update.items()
    }


def loud(seconds: float) -> bytes:
    """A WAV file that is loud all the time."""
    return wav_bytes(np.full(int(seconds * 16_000), 0.1, np.float32))


class Ears:
    """A transcriber that hears these words, one every half second; or fails."""

    name = "ears"

    def __init__(self, text: str = "", fails: str = "") -> None:
        self._text, self._fails = text, fails

    def transcribe(self, samples: Samples) -> Heard:
        if self._fails:
            raise ToolError(f"ears failed: {self._fails}")
        return Heard(self.align(samples, self._text.split()), "en")

    def align(self, samples: Samples, words: Sequence[str]) -> list[TimedWord]:
        return [TimedWord(word, n / 2, n / 2 + 0.4, 0.8) for n, word in enumerate(words)]


class Speech:
    """A speech segmenter that finds these stretches; or fails."""

    name = "speech"

    def __init__(self, *stretches: tuple[float, float], fails: str = "") -> None:
        self._stretches, self._fails = list(stretches), fails

    def segment(self, samples: Samples) -> list[tuple[float, float]]:
        if self._fails:
            raise ToolError(f"speech failed: {self._fails}")
        return self._stretches
