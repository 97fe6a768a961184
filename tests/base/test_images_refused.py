import io
import os
import struct
import sys
import warnings
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from deixis.base.images import open_image
from deixis.errors import InputError


def corner(width: int = 40, height: int = 24) -> Image.Image:
    """A green picture whose top left quarter is red."""
    image = Image.new("RGB", (width, height), "green")
    image.paste((255, 0, 0), (0, 0, width // 2, height // 2))
    return image


def encoded(image: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def forged_png(width: int, height: int) -> bytes:
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(b"\0" * 64))


def message_of(image: object, **limits: float) -> str:
    with pytest.raises(InputError) as caught:
        open_image(image, **limits)  # type: ignore[arg-type]
    message = str(caught.value)
    assert "\n" not in message
    assert message.isprintable()
    return message


BAD_ARRAYS = [
    (np.zeros((9, 9), np.uint8), "uint8 of shape (9, 9)"),
    (np.zeros((9, 9, 4), np.uint8), "uint8 of shape (9, 9, 4)"),
    (np.zeros((9, 9, 3), np.float32), "float32 of shape (9, 9, 3)"),
    (np.zeros((2, 9, 9, 3), np.uint8), "uint8 of shape (2, 9, 9, 3)"),
    (np.zeros((0, 9, 3), np.uint8), "9 x 0; both sides need at least 8"),
    (np.zeros((9, 7, 3), np.uint8), "7 x 9; both sides need at least 8"),
]
BAD_FORMS = [
    (None, "got NoneType"),
    (3, "got int"),
    (["a.png"], "got list"),
    (io.BytesIO(b"x"), "got BytesIO"),
    (b"", "empty, 0 bytes"),
    ("", "no such file"),
    ("no/such.jpg", "'no/such.jpg': no such file"),
    ("a\nb.jpg", r"'a\nb.jpg': no such file"),
    ("a\0b.jpg", r"'a\x00b.jpg': cannot be read"),
    ("a\udcff.jpg", "no such file"),
    ("x" * 5000, "cannot be read"),
    ("file:///etc/passwd", "file URLs are not opened"),
    ("FILE:/etc/passwd", "file URLs are not opened"),
    ("ftp://127.0.0.1/a.png", "ftp URLs are not opened"),
    ("data:image/png;base64," + "A" * 90_000, "data URLs are not opened; give bytes"),
    ("http://", "names no host"),
    ("http://127.0.0.1:99999/", "names no host, or no port"),
    ("http://a b/", "the download failed"),
    ("http://a:b@c:d/", "'http://***@c:d/': not a valid URL"),
    ("http://\udcff.example/", "not a valid URL"),
    (Image.new("RGB", (0, 0)), "0 x 0; both sides"),
    (Image.new("RGB", (40, 7)), "40 x 7; both sides"),
    (Image.fromarray(np.full((8, 8), np.nan, np.float32)), "NaN"),
    (b"Dear all, this is a letter, not a photograph.", "not a picture"),
    (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 90 90\n", "not a picture"),
    (encoded(corner(), "ICO"), "not a picture"),
    (encoded(corner())[:60], "broken or cut short"),
    (encoded(corner(400, 400), "JPEG")[:900], "broken or cut short"),
    (forged_png(100, 100), "broken or cut short"),
    (encoded(Image.new("RGB", (40, 7))), "40 x 7; both sides"),
]


@pytest.mark.parametrize(("form", "words"), BAD_ARRAYS + BAD_FORMS)
def test_bad_input_is_said_in_one_line(form: object, words: str) -> None:
    message = message_of(form)
    assert words in message
    assert len(message) < 500


def test_bad_paths(tmp_path: Path) -> None:
    assert "is a folder" in message_of(tmp_path)
    assert "not a regular file" in message_of(os.devnull)
    (tmp_path / "empty.png").touch()
    assert "empty.png': empty, 0 bytes" in message_of(tmp_path / "empty.png")
    (tmp_path / "letter.jpg").write_text("Dear all,")
    assert "not a picture, or broken" in message_of(tmp_path / "letter.jpg")
    assert "cannot be read" in message_of(tmp_path / "letter.jpg" / "inside.png")
    (tmp_path / "loop").symlink_to("loop")
    assert "cannot be read" in message_of(tmp_path / "loop")


def test_a_file_that_may_not_be_read(tmp_path: Path) -> None:
    path = tmp_path / "secret.png"
    path.write_bytes(encoded(corner()))
    path.chmod(0)
    user = os.geteuid()
    if user == 0:
        os.seteuid(65534)  # root may read everything
    try:
        message = message_of(path)
    finally:
        os.seteuid(user)
    assert "no permission" in message


def test_limits(tmp_path: Path) -> None:
    data = encoded(corner())
    path = tmp_path / "a.png"
    path.write_bytes(data)
    assert open_image(path, max_bytes=len(data), max_pixels=40 * 24, min_side=24).notes == []
    for form in (path, data):
        assert f"over {len(data) - 1} bytes" in message_of(form, max_bytes=len(data) - 1)
        assert "40 x 24 is over 959 pixels" in message_of(form, max_pixels=959)
        assert "40 x 24; both sides need at least 25" in message_of(form, min_side=25)
    assert "40 x 24 is over 959 pixels" in message_of(corner(), max_pixels=959)
    assert "40 x 24 is over 959 pixels" in message_of(np.asarray(corner()), max_pixels=959)


@pytest.mark.parametrize(
    ("side", "words"),
    [
        (9000, "9000 x 9000 is over 64,000,000 pixels"),  # Pillow says nothing
        (12000, "12000 x 12000 is over 64,000,000 pixels"),  # Pillow warns
        (30000, "900000000 pixels"),  # Pillow refuses
    ],
)
@pytest.mark.parametrize("action", ["error", "always"])
def test_a_bomb_is_refused_from_its_header(side: int, words: str, action: str) -> None:
    limit = Image.MAX_IMAGE_PIXELS
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter(action)  # type: ignore[arg-type]
        assert words in message_of(forged_png(side, side))
    assert not caught
    assert limit == Image.MAX_IMAGE_PIXELS


@pytest.mark.slow
def test_a_larger_limit_admits_what_pillow_only_warns_of() -> None:
    data = encoded(Image.new("1", (10000, 9500)))
    assert open_image(data, max_pixels=100_000_000).pixels.shape == (9500, 10000, 3)


def test_threads_leave_the_warning_filters_alone() -> None:
    data, before, interval = (
        forged_png(12000, 12000),
        list(warnings.filters),
        sys.getswitchinterval(),
    )
    sys.setswitchinterval(1e-6)  # threads meet within microseconds
    try:
        with ThreadPoolExecutor(16) as pool:
            messages = list(pool.map(message_of, [data] * 400))
    finally:
        sys.setswitchinterval(interval)
    assert len(set(messages)) == 1
    assert warnings.filters == before


SEEDS = [
    encoded(corner(), kind, **options)
    for kind, options in (
        ("PNG", {}),
        ("JPEG", {}),
        ("GIF", {"save_all": True, "append_images": [Image.new("RGB", (40, 24))]}),
        ("TIFF", {"compression": "tiff_lzw", "save_all": True, "append_images": [corner()]}),
        ("WEBP", {}),
        ("BMP", {}),
    )
]


@settings(max_examples=300, deadline=None)
@given(
    seed=st.sampled_from(SEEDS),
    cut=st.floats(0.05, 1.0),
    changes=st.lists(st.tuples(st.floats(0, 0.999), st.integers(0, 255)), max_size=6),
)
def test_no_broken_file_raises_anything_else(
    seed: bytes, cut: float, changes: list[tuple[float, int]]
) -> None:
    data = bytearray(seed[: max(1, int(len(seed) * cut))])
    for place, value in changes:
        data[int(place * len(data))] = value
    try:
        opened = open_image(bytes(data))
    except InputError as error:
        assert "\n" not in str(error)
        assert not isinstance(error.__cause__, Warning)
    else:
        assert opened.pixels.ndim == 3
