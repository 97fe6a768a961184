import logging
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from deixis.agents.main.names_in_picture import find_name
from deixis.errors import SettingsError
from deixis.tools.rapidocr_reader import RapidOcrReader
from deixis.weights.model_files import resolve

pytestmark = [pytest.mark.slow, pytest.mark.extra]

COFFEE = (
    "pypi:scikit-image==0.26.0/skimage/data/coffee.png"
    "#sha256=cc02f8ca188b167c775a7101b5d767d1e71792cf762c33d6fa15a4599b5a8de7"
)
HOPPER = (
    "pypi:matplotlib==3.11.2/matplotlib/mpl-data/sample_data/grace_hopper.jpg"
    "#sha256=a8ca6d734765703b09728ab47fe59f473d93ae3967fc24c7c0288c3c7adb7130"
)
TEXTS = ("NASA Johnson Space Center", "Welcome to New York University", "Grace Hopper 1984")


def load(spec: str) -> NDArray[np.uint8]:
    return np.asarray(Image.open(resolve(spec)).convert("RGB"))


def written(size: tuple[int, int], *texts: str, letters: int = 32) -> NDArray[np.uint8]:
    """Draw lines 80 pixels apart, 20 pixels from the left."""
    image = Image.new("RGB", size, (205, 210, 190))
    draw = ImageDraw.Draw(image)
    for row, text in enumerate(texts):
        font = ImageFont.load_default(letters)
        draw.text((20, 30 + 80 * row), text, fill=(30, 20, 60), font=font)
    return np.asarray(image)


@pytest.fixture(scope="module")
def reader() -> RapidOcrReader:
    return RapidOcrReader()


def test_reads_lines_from_top_to_bottom(reader: RapidOcrReader) -> None:
    words = reader.read(written((700, 300), *TEXTS))
    assert [word.text for word in words] == list(TEXTS)
    for row, word in enumerate(words):
        x1, y1, x2, y2 = word.box
        assert 0 <= x1 < 30 and 300 < x2 <= 700
        assert 15 + 80 * row < y1 < 45 + 80 * row < y2 < 90 + 80 * row
        assert 0.9 < word.score <= 1


def test_reads_the_name_tag_and_no_stars(reader: RapidOcrReader) -> None:
    (word,) = reader.read(load(HOPPER))
    assert word.text == "COMO HOPPER"
    x1, y1, x2, y2 = word.box
    assert 95 < x1 < 115 and 155 < x2 < 170 and 482 < y1 < 495 and 505 < y2 < 518
    match = find_name("Grace Hopper", [word])
    assert match is not None
    assert match.part == "Hopper"
    assert 125 < match.box[0] < 140  # where HOPPER begins


def test_box_of_a_name_within_its_line_is_where_it_is_drawn(reader: RapidOcrReader) -> None:
    font = ImageFont.load_default(32)
    match = find_name("New York", reader.read(written((700, 120), TEXTS[1])))
    assert match is not None
    start, end = (20 + font.getlength(text) for text in ("Welcome to ", "Welcome to New York"))
    assert match.box[0] == pytest.approx(start, abs=16)
    assert match.box[2] == pytest.approx(end, abs=16)


def test_reads_nothing_on_a_cup(reader: RapidOcrReader) -> None:
    assert reader.read(load(COFFEE)) == []


@pytest.mark.parametrize("size", [(1, 1), (8, 8), (1, 3000), (3000, 1), (300, 400)])
def test_blank_pictures_of_any_shape_have_no_writing(
    reader: RapidOcrReader, size: tuple[int, int]
) -> None:
    assert reader.read(np.full((*size, 3), 127, dtype=np.uint8)) == []


def test_reads_a_strip(reader: RapidOcrReader) -> None:
    picture = written((900, 44), "x")
    image = Image.fromarray(picture[:, :20].repeat(45, axis=1)).convert("RGB")
    ImageDraw.Draw(image).text((30, 4), TEXTS[0], fill=(0, 0, 0), font=ImageFont.load_default(30))
    (word,) = reader.read(np.asarray(image))
    assert word.text == TEXTS[0]
    x1, y1, x2, y2 = word.box
    assert 0 <= y1 < 15 and 25 < y2 <= 44 and 15 < x1 < 40 and 350 < x2 < 500


def test_large_picture_is_read_small_with_boxes_of_the_large(reader: RapidOcrReader) -> None:
    words = reader.read(written((3000, 1200), "Grace Hopper", letters=150))
    assert [word.text for word in words] == ["Grace Hopper"]
    assert words[0].box[2] > 800


def test_large_picture_is_read_as_small_as_is_wished() -> None:
    picture = written((2400, 600), TEXTS[0], letters=64)
    (word,) = RapidOcrReader(largest=640).read(picture)
    assert word.text == TEXTS[0] and word.box[2] > 640
    tiny = written((2400, 600), TEXTS[0], letters=20)
    assert [found.text for found in RapidOcrReader().read(tiny)] == [TEXTS[0]]
    assert [found.text for found in RapidOcrReader(largest=320).read(tiny)] != [TEXTS[0]]
    for pixels in (319, 4097):
        with pytest.raises(SettingsError, match=f"option largest: {pixels} is no number from"):
            RapidOcrReader(largest=pixels)


def test_threshold_drops_lines() -> None:
    assert RapidOcrReader(threshold=1.0).read(load(HOPPER)) == []


def test_says_nothing_and_leaves_other_loggers_alone(
    capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    level = logging.getLogger().level
    reader = RapidOcrReader()
    reader.read(np.zeros((50, 50, 3), dtype=np.uint8))
    reader.read(written((700, 120), TEXTS[0]))
    assert capfd.readouterr() == ("", "")
    assert caplog.records == []
    assert logging.getLogger().level == level


def test_threads_share_one_reader() -> None:
    reader = RapidOcrReader()
    pictures = [written((700, 120), text) for text in TEXTS] * 2
    with ThreadPoolExecutor(6) as pool:
        read = list(pool.map(reader.read, pictures))
    assert [[word.text for word in words] for words in read] == [[text] for text in TEXTS] * 2
