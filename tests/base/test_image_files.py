"""Files as they are met: swollen or broken metadata, endings cut off, no pictures at all."""

import io
import struct
import tracemalloc
import zlib

import numpy as np
import pytest
from PIL import Image

from deixis.base.images import open_image
from deixis.errors import InputError

pytestmark = pytest.mark.slow


def photo(width: int = 64, height: int = 48) -> Image.Image:
    """Shapes and noise: every block has something to tell."""
    values = np.random.default_rng(3).integers(0, 90, (height, width, 3))
    values[: height // 2, : width // 2] += 150
    return Image.fromarray(values.astype(np.uint8))


def encoded(kind: str = "PNG", image: Image.Image | None = None, **options: object) -> bytes:
    file = io.BytesIO()
    (image or photo()).save(file, kind, **options)
    return file.getvalue()


def chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def with_chunk(added: bytes, late: bool = False) -> bytes:
    """A PNG with something more before its pixels, or after them."""
    png = encoded()
    place = len(png) - 12 if late else 33
    return png[:place] + added + png[place:]


TURNED = b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0"  # a quarter
RAW_PROFILE = b"\nexif\n      %d\n%s\n" % (len(TURNED), TURNED.hex().encode())
LARGE = {
    "zTXt": lambda packed: chunk(b"zTXt", b"Comment\0\0" + packed),
    "iTXt": lambda packed: chunk(b"iTXt", b"Comment\0\x01\0\0\0" + packed),
    "iCCP": lambda packed: chunk(b"iCCP", b"profile\0\0" + packed),
    "xmp": lambda packed: chunk(b"iTXt", b"XML:com.adobe.xmp\0\x01\0\0\0" + packed),
    "raw": lambda packed: chunk(b"zTXt", b"Raw profile type exif\0\0" + packed),
    "plain": lambda packed: chunk(b"tEXt", b"Raw profile type exif\0" + bytes(2_000_000)),
    "exif": lambda packed: chunk(b"eXIf", b"II*\0" + bytes(2_000_000)),
    "many": lambda packed: chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(900_000))) * 90,
}


@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize("size", [2_000_000, 100_000_000])
@pytest.mark.parametrize("kind", LARGE)
def test_what_a_png_holds_besides_pixels_is_not_unpacked(kind: str, size: int, late: bool) -> None:
    data = with_chunk(LARGE[kind](zlib.compress(bytes(size), 1)), late)
    tracemalloc.start()
    opened = open_image(data)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert np.array_equal(opened.pixels, np.asarray(photo())) and opened.notes == []
    assert peak < 10_000_000


@pytest.mark.parametrize(
    "added",
    [
        chunk(b"eXIf", TURNED),
        chunk(b"tEXt", b"Raw profile type exif\0" + RAW_PROFILE),
        chunk(b"zTXt", b"Raw profile type exif\0\0" + zlib.compress(RAW_PROFILE)),
        chunk(b"iTXt", b'XML:com.adobe.xmp\0\0\0\0\0<x tiff:Orientation="6"/>'),
        chunk(b"iTXt", b"XML:com.adobe.xmp\0\x01\0\0\0" + zlib.compress(b'tiff:Orientation="6"')),
    ],
)
@pytest.mark.parametrize("late", [False, True])
def test_a_png_is_turned_as_it_says(added: bytes, late: bool) -> None:
    turned = np.rot90(np.asarray(photo()), 3)
    large = chunk(b"zTXt", b"Comment\0\0" + zlib.compress(bytes(2_000_000)))
    assert np.array_equal(open_image(with_chunk(added + large, late)).pixels, turned)


@pytest.mark.parametrize("name", [b"eXIf", b"tEXt", b"iTXt", b"zTXt", b"iCCP"])
def test_metadata_of_a_png_with_a_wrong_sum_is_left_out(name: bytes) -> None:
    wrong = chunk(name, TURNED)[:-1] + b"?"
    assert np.array_equal(open_image(with_chunk(wrong)).pixels, np.asarray(photo()))


def test_animations_and_transparency_are_still_there() -> None:
    data = encoded(save_all=True, append_images=[photo().rotate(90)])
    assert "2 frames" in open_image(data).notes[0]
    clear = Image.new("P", (40, 24))
    clear.putpalette([200, 0, 0])
    assert (open_image(encoded(image=clear, transparency=0)).pixels == 255).all()


@pytest.mark.parametrize("kind", ["JPEG", "WEBP", "TIFF", "AVIF", "PNG"])
@pytest.mark.parametrize("field", ["icc_profile", "exif", "xmp"])
def test_large_metadata_of_other_formats(kind: str, field: str) -> None:
    size = 60_000 if kind == "JPEG" and field != "icc_profile" else 3_000_000
    if field == "exif" and kind != "JPEG":
        exif = Image.Exif()
        exif[0x9286] = "x" * size
        large: object = exif
    else:
        large = bytes(size)
    plain = open_image(encoded(kind)).pixels
    assert np.array_equal(open_image(encoded(kind, **{field: large})).pixels, plain)


GARBAGE = [
    b"garbage!!",
    b"",
    b"II*\0",
    b"II*\0\xff\xff\xff\xff",
    b"MM\0*\0\0\0\x08\xff\xff",
    b"\0" * 64,
]


@pytest.mark.parametrize("kind", ["JPEG", "WEBP", "AVIF", "PNG"])
@pytest.mark.parametrize("garbage", GARBAGE)
def test_a_picture_with_broken_exif_is_read_unturned(kind: str, garbage: bytes) -> None:
    # Written by way of one that is whole: Pillow refuses to write some of these.
    filler = b"II*\0\x08\0\0\0\0\0\0\0\0\0" + b"x" * 86
    data = encoded(kind, exif=filler if kind == "AVIF" else b"Exif\0\0" + filler)
    broken = data.replace(filler, garbage.ljust(100, b"?"))
    assert broken != data
    if kind == "PNG":
        broken = with_chunk(chunk(b"eXIf", b"Exif\0\0" + garbage))
    opened = open_image(broken)
    assert np.array_equal(opened.pixels, open_image(encoded(kind)).pixels)
    assert set(opened.notes) <= {"the picture's EXIF cannot be read; it was not turned"}


def test_broken_exif_is_noted_and_that_of_a_tiff_is_its_own() -> None:
    data = with_chunk(chunk(b"eXIf", b"garbage!!"))
    assert open_image(data).notes == ["the picture's EXIF cannot be read; it was not turned"]
    assert open_image(Image.open(io.BytesIO(data))).notes == open_image(data).notes
    for place in (7, 2, 0, 10**9):
        tiff = encoded("TIFF", tiffinfo={34665: place, 34853: place, 274: 6})
        assert open_image(tiff).pixels.shape == (64, 48, 3), "turned, wherever its EXIF points to"


JPEGS = {
    "plain": {},
    "progressive": {"progressive": True},
    "restarts": {"restart_marker_rows": 1},
    "optimised": {"optimize": True, "subsampling": 0},
}


@pytest.mark.parametrize("cut", [1, 2, 3])
@pytest.mark.parametrize("options", JPEGS.values(), ids=list(JPEGS))
def test_a_jpeg_without_its_end_is_read(options: dict[str, object], cut: int) -> None:
    for image in (photo(), photo().convert("L"), photo().convert("CMYK"), photo(320, 200)):
        data = encoded("JPEG", image, **options)
        whole, opened = open_image(data), open_image(data[:-cut])
        assert len(opened.notes) == 1 and "lacks its end marker" in opened.notes[0]
        differs = (whole.pixels != opened.pixels).any(axis=2)
        assert not differs[:-17].any() and not differs[:, :-17].any()
        if cut < 3:
            assert not differs.any()


@pytest.mark.parametrize("share", [0.98, 0.9, 0.7, 0.5, 0.3])
@pytest.mark.parametrize("options", JPEGS.values(), ids=list(JPEGS))
@pytest.mark.parametrize("end", [b"", b"\0" * 1000, b"\xff"])
def test_a_jpeg_whose_pixels_are_missing_is_refused(
    options: dict[str, object], share: float, end: bytes
) -> None:
    data = encoded("JPEG", photo(320, 200), **options)
    with pytest.raises(InputError, match="broken or cut short"):
        open_image(data[: int(share * len(data))] + end)


def test_a_jpeg_that_ends_between_two_scans_is_refused() -> None:
    data = encoded("JPEG", photo(), progressive=True)
    scans = [i for i in range(len(data)) if data[i : i + 2] == b"\xff\xda"]
    for start in scans[1:]:
        cut = max(data.rfind(b"\xff\xc4", 0, start), scans[scans.index(start) - 1] + 1)
        with pytest.raises(InputError, match="broken or cut short"):
            open_image(data[:cut])


def test_a_jpeg_of_endless_scans_is_refused() -> None:
    data = encoded("JPEG", photo(), progressive=True)
    scan = data[data.rfind(b"\xff\xda") :][:10]
    with pytest.raises(InputError, match="broken or cut short"):
        open_image(data[: data.find(b"\xff\xda")] + scan * 1_000_000)


@pytest.mark.parametrize(("kind", "cut"), [("PNG", 12), ("PNG", 4), ("GIF", 1)])
def test_other_pictures_without_their_end_are_whole(kind: str, cut: int) -> None:
    data = encoded(kind)
    assert np.array_equal(open_image(data[:-cut]).pixels, open_image(data).pixels)


@pytest.mark.parametrize("kind", ["PNG", "GIF", "WEBP", "TIFF", "BMP", "AVIF", "JPEG2000"])
@pytest.mark.parametrize("share", [0.97, 0.5])
def test_other_pictures_whose_pixels_are_missing_are_refused(kind: str, share: float) -> None:
    data = encoded(kind, photo(320, 200))
    with pytest.raises(InputError):
        open_image(data[: int(share * len(data))])


def ftyp(brand: bytes, *others: bytes) -> bytes:
    body = b"ftyp" + brand + b"\0\0\0\0" + b"".join((brand, *others))
    return struct.pack(">I", len(body) + 4) + body + bytes(100)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        *((ftyp(each), "pip install pillow-heif, then pillow_heif.register_heif_opener()")
          for each in (b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"mif1", b"msf1")),
        (ftyp(b"isom", b"mp41"), "not a picture but a video"),
        (ftyp(b"qt  "), "not a picture but a video"),
        (b"\x1a\x45\xdf\xa3" + bytes(40), "not a picture but a video"),
        (b"RIFF\0\0\0\0AVI LIST", "not a picture but a video"),
        (b"\xff\x0a" + bytes(40), "JPEG XL"),
        (b"\0\0\0\x0cJXL \r\n\x87\n" + bytes(40), "JPEG XL"),
        (ftyp(b"crx "), "a camera's raw data"),
        (b"<!DOCTYPE html><p>Please log in", "not a picture but a web page"),
        (b"\xef\xbb\xbf\n<!-- hi --><HTML lang=de>", "not a picture but a web page"),
        (b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg">', "SVG drawing"),
        (b"<!-- drawn --><svg width='9'>", "SVG drawing"),
        (b"%PDF-1.7\n", "a PDF document"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n", "PostScript"),
        (b"8BPS\0\x01", "a drawing program"),
        (b"\x1f\x8b\x08\0", "an archive"),
        (b"PK\x03\x04", "an archive"),
        (b"version https://git-lfs.github.com/spec/v1\n", "git lfs pull"),
        (b'{"error": "no such picture"}', "JSON"),
        (b"RIFF\0\0\0\0WEBPVP8 ", "broken"),
    ],
)  # fmt: skip
def test_what_is_no_picture_is_told_by_its_kind(data: bytes, words: str) -> None:
    with pytest.raises(InputError) as caught:
        open_image(data)
    assert words in str(caught.value) and str(caught.value).isprintable()


def test_a_broken_heif_is_not_sent_to_the_reader_that_is_there(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def factory(*_: object) -> None:
        raise SyntaxError

    monkeypatch.setitem(Image.OPEN, "HEIF", (factory, None))
    with pytest.raises(InputError, match="HEIF picture that is broken or cut short; give a whole"):
        open_image(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic")
