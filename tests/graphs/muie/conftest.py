"""Files of every medium, and settings of the graph muie whose tools and model are scripted."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from deixis import Settings
from deixis.base.sound import wav_bytes
from deixis.testing import media, scripted, tools
from deixis.tools.base import Detection, Heard, Mask, Picture, Samples, TimedWord
from tests.agents.muie.answers import SPEECH, paper
from tests.apps.conftest import deixis as deixis

RATE = 10
"""Frames a second of the film."""
IN_PICTURE = (9.0, 6.0, 45.0, 30.0)
"""Where the woman is in every picture."""


class Ears:
    """A transcriber that hears one word every half second."""

    name = "ears"

    def transcribe(self, samples: Samples) -> Heard:
        return Heard(self.align(samples, SPEECH.split()), "en")

    def align(self, samples: Samples, words: Sequence[str]) -> list[TimedWord]:
        return [TimedWord(word, n / 2, n / 2 + 0.4, 0.9) for n, word in enumerate(words)]


class Eyes:
    """A detector that sees the red box of a film, and the woman in every picture."""

    name = "eyes"
    labels = None

    def detect(self, picture: Picture, phrases: Sequence[str]) -> list[Detection]:
        box = IN_PICTURE
        if picture.shape[:2] == (64, 96):
            red = np.argwhere(picture[..., 0].astype(int) - picture[..., 1] > 80)
            if not len(red):
                return []
            (top, left), (bottom, right) = red.min(0), red.max(0) + 1
            box = (float(left), float(top), float(right), float(bottom))
        return [Detection(phrase, box, 0.9) for phrase in phrases]


class Outlines:
    """A segmenter that finds no outline."""

    name = "outlines"

    def segment(self, picture: Picture, boxes: Sequence[Any]) -> list[Mask | None]:
        return [None] * len(boxes)


@pytest.fixture
def files(tmp_path: Path) -> dict[str, Any]:
    """What can be given of each medium: two pictures, a sound, a film."""
    pytest.importorskip("av")
    for number, colour in enumerate((3, 200)):
        pixels = np.full((60, 90, 3), colour, np.uint8)
        Image.fromarray(pixels).save(tmp_path / f"{number}.png")
    (tmp_path / "said.wav").write_bytes(wav_bytes(np.full(48_000, 0.1, np.float32)))
    (tmp_path / "film.mp4").write_bytes(media.film(media.boxes(20), RATE))
    return {
        "I": {"images": [str(tmp_path / "0.png"), str(tmp_path / "1.png")]},
        "A": {"audio": str(tmp_path / "said.wav")},
        "V": {"video": str(tmp_path / "film.mp4")},
    }


@pytest.fixture
def settings() -> Iterator[Callable[..., Settings]]:
    """Return ``settings(style="structured", vlm="scripted:qwen3-vl", **options)``."""

    def make(style: str = "structured", vlm: str | None = "scripted:qwen3-vl", **more: Any) -> Any:
        roles = {
            "vlm": vlm,
            "detector": "eyes",
            "segmenter": "masks",
            "transcriber": "ears",
            "tracker": "optical-flow",
            **more.pop("roles", {}),
        }
        return Settings.model_validate(
            {
                "name": "test",
                "graph": "muie",
                "schema": more.pop("schema", "ace"),
                "roles": roles,
                "options": {"cache": "off"},
                "graph_options": {"style": style, **more},
            }
        )

    with tools(ears=Ears(), eyes=Eyes(), masks=Outlines()), scripted(paper):
        yield make
