import hashlib
import io
import struct
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from deixis.base.images import open_image

RED, GREEN, WHITE = (255, 0, 0), (0, 128, 0), (255, 255, 255)


def corner(width: int = 40, height: int = 24) -> Image.Image:
    """A green picture whose top left quarter is red."""
    image = Image.new("RGB", (width, height), GREEN)
    image.paste(RED, (0, 0, width // 2, height // 2))
    return image


def encoded(image: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def test_every_form_gives_the_same_pixels(tmp_path: Path) -> None:
    image = corner()
    path = tmp_path / "a picture.png"
    path.write_bytes(encoded(image))
    truth = np.asarray(image)
    forms = {
        str(path): str(path),
        path: str(path),
        path.read_bytes(): "bytes",
    }
    for form, source in forms.items():
        opened = open_image(form)
        assert opened.source == source
        assert opened.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
        assert np.array_equal(opened.pixels, truth)
    for form, source in ((image, "PIL image"), (truth, "array")):
        opened = open_image(form)
        assert opened.source == source
        assert opened.notes == []
        assert np.array_equal(opened.pixels, truth)
        assert opened.pixels.dtype == np.uint8
        assert opened.pixels.flags.c_contiguous
        assert opened.pixels.flags.writeable


def test_the_hash_of_pixels_knows_their_shape() -> None:
    flat = np.zeros((8, 32, 3), np.uint8)
    hashes = {open_image(flat.reshape(shape)).sha256 for shape in ((8, 32, 3), (16, 16, 3))}
    assert len(hashes) == 2
    assert open_image(Image.fromarray(flat)).sha256 == open_image(flat).sha256


def test_an_array_is_copied_and_made_contiguous() -> None:
    array = np.asarray(corner()).copy()
    opened = open_image(array[:, ::-1])
    array[:] = 7
    assert opened.pixels.flags.c_contiguous
    assert tuple(opened.pixels[0, -1]) == RED


@pytest.mark.parametrize(
    ("orientation", "where"),  # where the red quarter is once the picture is upright
    [
        (1, "top left"),
        (2, "top right"),
        (3, "bottom right"),
        (4, "bottom left"),
        (5, "top left"),
        (6, "top right"),
        (7, "bottom right"),
        (8, "bottom left"),
        (9, "top left"),
    ],
)
@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "TIFF", "PIL"])
def test_exif_turns_the_picture_upright(orientation: object, where: str, kind: str) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = encoded(corner(), "PNG" if kind == "PIL" else kind, exif=exif)
    opened = open_image(Image.open(io.BytesIO(data)) if kind == "PIL" else data)
    upright = (40, 24) if orientation in (5, 6, 7, 8) else (24, 40)
    assert opened.pixels.shape == (*upright, 3)
    for row, column, name in ((2, 2, "top left"), (2, -3, "top right"),
                              (-3, 2, "bottom left"), (-3, -3, "bottom right")):  # fmt: skip
        red, green, _ = map(int, opened.pixels[row, column])
        assert (red > green) == (name == where), name


@pytest.mark.parametrize(
    ("entries", "shape"),
    [
        (struct.pack(">HHHI4sI", 1, 0x0112, 2, 4, b"up!\0", 0), (24, 40, 3)),  # text
        (struct.pack(">HHHIHHI", 1, 0x0112, 3, 2, 6, 8, 0), (40, 24, 3)),  # two: the first counts
        (struct.pack(">HHHIII", 1, 0x0112, 3, 70000, 6, 0), (24, 40, 3)),  # beyond the block
        (b"\xff\xff" + b"\xf3" * 40, (24, 40, 3)),
    ],
)
def test_a_garbled_orientation_is_survived(entries: bytes, shape: tuple[int, ...]) -> None:
    data = encoded(corner(), "JPEG", exif=b"Exif\0\0MM\0*\0\0\0\x08" + entries)
    assert open_image(data).pixels.shape == shape


def test_transparency_is_laid_on_white() -> None:
    half = Image.new("RGBA", (8, 8), (200, 0, 0, 0))
    half.putpixel((0, 0), (200, 0, 0, 255))
    half.putpixel((1, 0), (0, 0, 0, 51))
    assert open_image(half).pixels[0, :3].tolist() == [[200, 0, 0], [204] * 3, [255] * 3]
    grey = Image.new("LA", (8, 8), (90, 0))
    palette = Image.new("P", (8, 8), 1)
    palette.putpalette([10, 20, 30, 40, 50, 60])
    palette_alpha = palette.convert("PA")
    palette_alpha.putalpha(0)
    files = {
        "LA": encoded(grey),
        "P": encoded(palette, transparency=1),
        "P with bytes": encoded(palette, transparency=b"\xff\x00"),
        "RGB with tRNS": encoded(Image.new("RGB", (8, 8), RED), transparency=RED),
        "L with tRNS": encoded(Image.new("L", (8, 8), 7), transparency=7),
        "GIF": encoded(palette, "GIF", transparency=1),
    }
    for name, form in [*files.items(), ("La", grey.convert("La")), ("PA", palette_alpha)]:
        assert (open_image(form).pixels == 255).all(), name
    opaque = open_image(encoded(palette, transparency=0)).pixels
    assert (opaque == (40, 50, 60)).all()


@pytest.mark.parametrize(
    ("mode", "fill", "rgb"),
    [
        ("1", 1, WHITE),
        ("L", 77, (77, 77, 77)),
        ("CMYK", (0, 255, 255, 0), RED),
        ("YCbCr", (76, 85, 255), (254, 0, 0)),
        ("HSV", (0, 255, 255), RED),
        ("LAB", (255, 128, 128), WHITE),
        ("RGBX", (1, 2, 3, 0), (1, 2, 3)),
        ("I;16", 257 * 100, (100, 100, 100)),
        ("I;16B", 257 * 100, (100, 100, 100)),
        ("I", 257 * 100, (100, 100, 100)),
    ],
)
def test_every_mode_becomes_rgb(mode: str, fill: object, rgb: tuple[int, ...]) -> None:
    image = Image.new(mode, (8, 8), fill)  # type: ignore[arg-type]
    near = np.abs(open_image(image).pixels.astype(int) - rgb).max()
    assert near <= 1


def test_an_inverted_cmyk_jpeg_keeps_its_colours() -> None:
    data = encoded(Image.new("CMYK", (16, 16), (0, 255, 255, 0)), "JPEG", quality=95)
    assert b"Adobe" in data
    assert np.abs(open_image(data).pixels.astype(int) - RED).max() < 12


def test_sixteen_bit_grey_is_scaled_not_clipped() -> None:
    ramp = np.linspace(0, 65535, 64).astype(np.uint16).reshape(8, 8)
    for kind in ("PNG", "TIFF"):
        pixels = open_image(encoded(Image.fromarray(ramp), kind)).pixels
        assert np.array_equal(pixels[..., 0], np.rint(ramp / 257).astype(np.uint8)), kind
    clear = encoded(Image.fromarray(np.full((8, 8), 500, np.uint16)), transparency=500)
    assert (open_image(clear).pixels == 255).all()


@pytest.mark.parametrize(
    ("low", "high", "first", "last", "note"),
    [
        (0.0, 1.0, 0, 255, "0..1"),
        (0.2, 0.6, 51, 153, "0..1"),
        (0.0, 200.4, 0, 200, "0..255"),
        (-50.0, 1000.0, 0, 255, "-50 to 1000"),
    ],
)
def test_float_pictures(low: float, high: float, first: int, last: int, note: str) -> None:
    values = np.linspace(low, high, 64, dtype=np.float32).reshape(8, 8)
    opened = open_image(encoded(Image.fromarray(values), "TIFF"))
    assert (opened.pixels[0, 0, 0], opened.pixels[-1, -1, 0]) == (first, last)
    assert note in opened.notes[0]


def test_large_integers_are_scaled_with_a_note() -> None:
    values = np.linspace(-10, 2_000_000_000, 64).astype(np.int32).reshape(8, 8)
    opened = open_image(Image.fromarray(values))
    assert (opened.pixels[0, 0, 0], opened.pixels[-1, -1, 0]) == (0, 255)
    assert "-10 to 2000000000" in opened.notes[0]


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG", "TIFF"])
def test_the_first_frame_is_used_and_said_so(kind: str) -> None:
    frames = [Image.new("RGB", (16, 16), WHITE), Image.new("RGB", (16, 16), RED)]
    data = encoded(corner(16, 16), kind, save_all=True, append_images=frames)
    opened = open_image(data)
    assert opened.notes == [f"the {kind} has 3 frames; only the first was used"]
    assert opened.pixels[1, 1, 0] > 200 > opened.pixels[-1, -1, 0]
    seeked = Image.open(io.BytesIO(data))
    seeked.seek(1)
    assert open_image(seeked).pixels.min() > 250
    assert seeked.tell() == 1


def test_the_pictures_behind_a_photo_are_not_frames() -> None:
    data = encoded(corner(), "MPO", save_all=True, append_images=[corner()])
    assert open_image(data).notes == []
