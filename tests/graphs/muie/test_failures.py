"""What goes wrong with media while the graph works is a warning, never a lost sample."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from deixis import Extraction, Settings, build_graph
from deixis.agents.context.media import VIDEOS
from deixis.testing import media, tools
from deixis.tools.base import Heard, Samples

from .conftest import Ears

pytestmark = pytest.mark.extra("av")


def test_what_decoding_alone_shows_to_be_broken_is_told(settings: Callable[..., Settings]) -> None:
    film = media.film(media.boxes(60), 10, sound=media.tone(6.0), form="matroska")
    rng, size = np.random.default_rng(0), len(film)
    noise = rng.integers(0, 256, size // 10, dtype=np.uint8).tobytes()
    broken = film[: size * 6 // 10] + noise + film[size * 6 // 10 + len(noise) :]
    found = Extraction.model_validate(build_graph(settings()).invoke({"video": broken}))
    told = {own.message.partition(": ")[0] for own in found.warnings if own.step == "open"}
    assert "parts of the sound are broken and left out" in told


class Thief(Ears):
    """A transcriber; meanwhile somebody takes the video away."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def transcribe(self, samples: Samples) -> Heard:
        self._path.unlink()
        VIDEOS.kept.clear()
        return super().transcribe(samples)


@pytest.mark.parametrize("vlm", ["scripted:qwen3-vl", None])
def test_a_video_that_goes_while_it_is_looked_at_loses_no_sample(
    settings: Callable[..., Settings], tmp_path: Path, vlm: str | None
) -> None:
    path = tmp_path / "film.mp4"
    path.write_bytes(media.film(media.boxes(20), 10, sound=media.tone(2.0)))
    made = settings(vlm=vlm, roles={"transcriber": "thief", "recognizer": "crf"})
    text = "Ann Lee joined Acme."
    with tools(thief=Thief(path)):
        out = build_graph(made).invoke({"video": str(path), "text": text})
    found = Extraction.model_validate(out)
    assert found.entities[0].text == "Ann Lee" and found.entities[0].track == []
    assert any("no such file" in own.message for own in found.warnings)
