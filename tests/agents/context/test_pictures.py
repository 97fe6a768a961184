from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from deixis.agents.context import pictures
from deixis.errors import InputError

LIMIT = 64_000_000


@pytest.fixture(autouse=True)
def nothing_kept() -> Iterator[None]:
    pictures.PICTURES.kept.clear()
    yield
    pictures.PICTURES.kept.clear()


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "photo.png"
    Image.new("RGB", (20, 10), "red").save(path)
    return path


def record(image: Any) -> dict[str, Any]:
    opened = pictures.take_in(image, LIMIT)
    return {"sha256": opened.sha256, "source": opened.source}


def test_pixels_are_kept_in_this_process(photo: Path) -> None:
    picture = record(str(photo))
    photo.unlink()
    assert pictures.pixels_of(picture, None, LIMIT).shape == (10, 20, 3)


def test_pixels_that_are_gone_are_read_again_from_their_path(photo: Path) -> None:
    picture = record(str(photo))
    pictures.PICTURES.kept.clear()
    assert tuple(pictures.pixels_of(picture, None, LIMIT)[0, 0]) == (255, 0, 0)


def test_pixels_that_are_gone_are_taken_again_from_what_was_given(photo: Path) -> None:
    array = np.zeros((10, 20, 3), dtype=np.uint8)
    picture = record(array)
    pictures.PICTURES.kept.clear()
    assert pictures.pixels_of(picture, array, LIMIT).shape == (10, 20, 3)


def test_a_picture_that_changed_meanwhile_is_refused(photo: Path) -> None:
    picture = record(str(photo))
    pictures.PICTURES.kept.clear()
    Image.new("RGB", (20, 10), "blue").save(photo)
    with pytest.raises(InputError, match="changed while it was looked at"):
        pictures.pixels_of(picture, None, LIMIT)


def test_bytes_that_are_gone_are_asked_for_again(photo: Path) -> None:
    picture = record(photo.read_bytes())
    pictures.PICTURES.kept.clear()
    with pytest.raises(InputError, match=r"given as bytes.*invoke the graph with it again"):
        pictures.pixels_of(picture, None, LIMIT)


def test_a_url_whose_credentials_are_gone_is_asked_for_again() -> None:
    source = "http://***@host.example/a.png?token=***"
    with pytest.raises(
        InputError, match=r"given with credentials, .*no checkpoint keeps.*with it again"
    ):
        pictures.pixels_of({"sha256": "0", "source": source}, None, LIMIT)


def test_which_urls_are_opened_again_is_the_settings_choice() -> None:
    picture = {"sha256": "0", "source": "http://127.0.0.1:1/a.png"}
    for urls, said in {"none": "URLs are not opened", "any": "ConnectError"}.items():
        with pytest.raises(InputError, match=said):
            pictures.pixels_of(picture, None, LIMIT, urls)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="not on the public internet"):
        pictures.pixels_of(picture, None, LIMIT)


def test_old_pixels_make_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pictures.PICTURES, "_most", 1_500)
    for shade in range(5):
        pictures.take_in(np.full((10, 20, 3), shade, dtype=np.uint8), LIMIT)
    assert len(pictures.PICTURES.kept) == 2
    assert [int(each.pixels[0, 0, 0]) for each in pictures.PICTURES.kept.values()] == [3, 4]
