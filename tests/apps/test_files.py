"""What is written of a result: every picture, and of a video its frames and a clip."""

import io
from pathlib import Path

import pytest
from PIL import Image

from deixis.apps.files import write_extraction
from deixis.errors import InputError
from deixis.schema import Extraction
from deixis.show.media import Media
from tests.show.albums import album
from tests.show.filmed import RATE, filmed, footage
from tests.show.heard import heard


def test_each_picture_has_its_overlay(tmp_path: Path) -> None:
    written = write_extraction(tmp_path / "out", album(tmp_path), None, {"names": 1.0})
    assert [path.name for path in written] == [
        *("extraction.json", "overlay.png", "overlay-2.png", "page.html")
    ]
    again = Extraction.model_validate_json(written[0].read_bytes())
    assert again == album(tmp_path)
    one, other = (Image.open(path) for path in written[1:3])
    assert one.tobytes() != other.tobytes()
    assert "It took 1.0 s" in written[3].read_text()


@pytest.mark.extra
def test_a_video_has_a_strip_and_a_clip(tmp_path: Path) -> None:
    pytest.importorskip("av")
    seen = filmed()
    written = write_extraction(tmp_path, seen, Media(video=(footage(), RATE)), {})
    assert [path.name for path in written] == [
        *("extraction.json", "overlay.png", "strip.png", "clip.webm", "page.html")
    ]
    clip = seen.clip((footage(), RATE))
    assert written[3].read_bytes() == clip.data
    assert clip.uri in written[4].read_text()
    file = io.BytesIO()
    seen.film_strip((footage(), RATE)).save(file, "PNG")
    assert written[2].read_bytes() == file.getvalue()


def test_a_sound_is_in_the_page(tmp_path: Path) -> None:
    written = write_extraction(tmp_path / "out", heard(tmp_path / "a.wav"), None, {})
    assert [path.name for path in written] == ["extraction.json", "overlay.png", "page.html"]
    assert "<audio" in written[-1].read_text()


def test_the_result_is_written_though_a_video_is_gone(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="came as array"):
        write_extraction(tmp_path, filmed(), None, {})
    assert Extraction.model_validate_json((tmp_path / "extraction.json").read_bytes()) == filmed()
