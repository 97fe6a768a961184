"""The demo of everything: a sample of each medium after the photographs."""

from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from deixis import Extraction
from deixis.apps import demo, demo_media

pytestmark = pytest.mark.slow


@pytest.mark.extra("starter", "av", "faster_whisper")
def test_the_demo_of_everything_has_a_sample_of_each_medium(deixis: Any, tmp_path: Path) -> None:
    out = tmp_path / "demo"
    code, printed, _ = deixis("demo", "--all", "--out", out, "--stack", "fast")
    assert code == 0
    folders = [path.parent.name for path in out.glob("*/extraction.json")]
    assert len(folders) == len(demo.POSTS) + 4
    found = {
        name: Extraction.model_validate_json((out / name / "extraction.json").read_text())
        for name in folders
    }
    sound = found["kennedy-sound"]
    assert sound.transcript is not None and "my fellow Americans" in sound.transcript.text
    assert sound.audio is not None and sound.audio.seconds == 11
    assert sound.entities == [] and "It names nobody and nothing." in printed
    film = found["eileen-collins-video"]
    # Beside her, some processors' arithmetic finds a thing or a person of a few frames.
    person = max(film.entities, key=lambda entity: len(entity.track))
    assert person.type == "PER" and len(person.track) >= 10
    (cat,) = found["chelsea-picture"].entities
    assert cat.text == "cat" and cat.regions
    several = {entity.text: entity for entity in found["grace-hopper-spoken"].entities}
    hopper, navy = several["Grace Hopper"], several["United States Navy"]
    assert hopper.regions and hopper.spans and hopper.start == 0, "one entity in three media"
    assert navy.start is None and navy.spans, "it is said, and not written"
    assert several["Harvard University"].groundable is False
    pages = {name: (out / name / "page.html").read_text() for name in folders}
    assert "<audio" in pages["kennedy-sound"] and "<audio" in pages["grace-hopper-spoken"]
    assert "<video" in pages["eileen-collins-video"]
    assert (out / "eileen-collins-video" / "strip.png").is_file()
    index = (out / "index.html").read_text()
    for shown in ("jfk.wav", "pan.mp4", "Harvard University"):
        assert shown in index
    assert "Heard: Grace Hopper served in the United States Navy." in printed
    assert "The 7 samples took" in printed


@pytest.mark.parametrize(
    ("module", "package"), [("av", "av"), ("faster_whisper", "faster-whisper")]
)
def test_what_reads_sound_and_video_is_missed_before_a_photograph_takes_its_time(
    deixis: Any, stack: Path, tmp_path: Path, monkeypatch: Any, module: str, package: str
) -> None:
    monkeypatch.setattr(
        demo_media, "find_spec", lambda name: None if name == module else find_spec("json")
    )
    monkeypatch.setattr(demo, "POSTS", ())  # nothing to fetch where the check comes too late
    code, printed, told = deixis("demo", "--all", "--out", tmp_path / "demo", "--stack", stack)
    assert (code, printed) == (2, "")
    assert told == (
        f'Error: {package} is not installed; run: python -m pip install "deixis[media]"\n'
    )
    assert not (tmp_path / "demo").exists()


def test_the_video_pans_over_a_photograph(collins: Path, tmp_path: Path) -> None:
    pytest.importorskip("av")
    from deixis.base.video import open_video

    film = open_video(
        demo_media.pan(collins, tmp_path), max_seconds=10, max_bytes=1 << 20, max_pixels=200_000
    )
    assert (film.frames, film.width, film.height, film.rate) == (40, 360, 360, 10)
    first, last = film.at([0.0, 3.9])
    assert abs(first.pixels.astype(int) - last.pixels).mean() > 20, "it moves"
