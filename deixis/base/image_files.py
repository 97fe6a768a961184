"""The bytes of a picture file: what it is, what of it is read, and whether it is whole."""

import hashlib
import io
import re
import warnings
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image

_PNG = b"\x89PNG\r\n\x1a\n"
_PNG_PIXELS = (b"tRNS", b"acTL", b"fcTL", b"fdAT")  # what else than critical chunks has a part
_PNG_TEXTS = (b"tEXt", b"zTXt", b"iTXt")
_TURNING = (b"Raw profile type exif", b"XML:com.adobe.xmp")  # texts that say how it is turned
_MOST_METADATA = 500_000  # bytes, unpacked: what Pillow reads without complaint

_HEIF = "he[iv][cxms]|mif[12]|msf1|miaf"
_OTHERS = [  # how files begin that are taken for pictures, what they are, and what to do
    (
        rf"....ftyp(?:{_HEIF})",
        "a HEIF picture, which Pillow cannot read alone; convert it to JPEG, or in Python run "
        "pip install pillow-heif, then pillow_heif.register_heif_opener()",
    ),
    (r"....ftypcrx |FUJIFILMCCD-RAW|II(?:U\0|RO)|MMOR", "a camera's raw data; export it as JPEG"),
    (r"\xff\x0a|\0\0\0\x0cJXL ", "a JPEG XL picture, which Pillow cannot read; convert it to PNG"),
    (
        r"....ftyp(?!avi)|\x1a\x45\xdf\xa3|RIFF....AVI |\0\0\x01[\xb3\xba]|FLV\x01",
        "not a picture but a video; give one of its frames",
    ),
    (
        r"(?i)(?:\xef\xbb\xbf)?\s*(?:<(?:\?xml|!--)[^>]*>\s*)*<(?:!doctype html|html|head|body)",
        "not a picture but a web page, perhaps one to log in; give the URL of the picture itself, "
        "or download it and give its path",
    ),
    (r"(?i).{0,900}<svg[\s>]", "not a picture of pixels but an SVG drawing; export it as PNG"),
    (
        r"\s*%PDF-",
        "not a picture but a PDF document; run it alone (deixis run FILE.pdf), or make rows of it "
        "(deixis dataset convert pdf)",
    ),
    (r"%!PS|\xc5\xd0\xd3\xc6", "not a picture of pixels but PostScript; export it as PNG"),
    (r"8BPS|gimp xcf", "not a picture but a project of a drawing program; export it as PNG"),
    (r"\0\0[\x01\x02]\0", "not a picture but an icon of several; export one as PNG"),
    (r"\x1f\x8b|PK\x03\x04|BZh|\xfd7zXZ|Rar!|7z\xbc", "not a picture but an archive; unpack it"),
    (r"version https://git-lfs", "not a picture but a pointer of Git LFS; run: git lfs pull"),
    (r"\s*[{\[]\s*[\"{\[]", "not a picture but JSON, perhaps an error of the server"),
]


def described(data: bytes) -> str:
    """Say what a file is that could not be identified, and what to do."""
    head = data[:1000].decode("latin-1")
    for beginning, description in _OTHERS:
        if re.match(beginning, head, re.DOTALL):
            return description
    return (
        f"not a picture, or broken at its start ({data[:12]!r}); give a JPEG, PNG, WebP, GIF, BMP, "
        "TIFF or AVIF"
    )


def is_heif(data: bytes) -> bool:
    """Return whether a file is a HEIF picture; Pillow alone takes some for an AVIF, and fails."""
    brands = data[8 : max(16, min(int.from_bytes(data[:4]), 100))]
    head = re.match(rf"....ftyp(?:{_HEIF})".encode(), data[:12], re.DOTALL)
    return head is not None and b"avif" not in brands


def without_metadata(data: bytes) -> bytes:
    """Return a picture file without what has no part in its pixels, where that is worth it.

    A PNG keeps what says how it is turned, if that is of a common size; Pillow refuses the
    whole picture for texts and profiles that unpack to more. Other files come back as they are:
    what they hold besides pixels is not packed.
    """
    if not data.startswith(_PNG):
        return data
    parts: list[bytes | memoryview] = [data[:8]]
    view, left = memoryview(data), _MOST_METADATA
    for name, start, end in _png_chunks(data):
        size = 0
        if not name[:1].isupper() and name not in _PNG_PIXELS:
            whole = zlib.crc32(view[start + 4 : end - 4]) == int.from_bytes(data[end - 4 : end])
            size = _metadata_size(name, data[start + 8 : end - 4], left) if whole else left + 1
        if size <= left:
            parts.append(view[start:end])
            left -= size
    return b"".join(parts)


def _png_chunks(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Yield the name of each chunk, and where it begins and ends."""
    start = len(_PNG)
    while start + 8 <= len(data):
        end = start + 12 + int.from_bytes(data[start : start + 4])
        yield data[start + 4 : start + 8], start, end
        start = end


def _metadata_size(name: bytes, body: bytes, most: int) -> int:
    """Return the unpacked size of what says how a picture is turned; more than `most` for else."""
    if name == b"eXIf":
        return len(body)
    keyword, _, rest = body[:_MOST_METADATA].partition(b"\0")
    if name not in _PNG_TEXTS or keyword not in _TURNING:
        return most + 1
    if name == b"tEXt" or (name == b"iTXt" and rest[:1] == b"\0"):
        return len(body)
    packed = rest[1:] if name == b"zTXt" else rest[2:].split(b"\0", 2)[-1]
    try:
        return len(zlib.decompressobj().decompress(packed, most + 1))
    except zlib.error:
        return most + 1


def without_exif(data: bytes) -> bytes:
    """Return an AVIF whose EXIF item is one of an unknown kind, which readers pass over."""
    return data.replace(b"Exif", b"skip", 1) if data[4:8] == b"ftyp" else data


# What comes after the pixels has no influence on them: so these tell whether all are there. Files
# with restart markers skip what follows up to the next of these.
_NOISE = b"".join(hashlib.sha256(bytes([i])).digest() for i in range(16)).replace(b"\xff", b"\x5a")
_RESTARTS = b"".join(bytes([0xFF, 0xD0 + i]) + _NOISE for i in range(8))
_MOST_SEGMENTS = 5000
_END = b"\xff\xd9"
_JPEG_MARKER = re.compile(rb"\xff([^\x00\xff\xd0-\xd9])", re.DOTALL)


def lacks_end(data: bytes) -> bool:
    """Return whether no end marker comes after the pixels of a JPEG."""
    return data.rfind(_END) < data.rfind(b"\xff\xda")


def completed(data: bytes) -> bytes:
    """Return a JPEG with the end marker that it lacks.

    The last block may be incomplete: its bytes are often cut off with the marker.

    Raises:
        OSError: more pixels are missing.
    """
    body = data.rstrip(b"\0\xff")
    missing = OSError("pixels are missing at its end")
    if not _has_all_scans(body):
        raise missing
    whole, *others = (_luma(body + more + _END) for more in (b"", _NOISE, _RESTARTS))
    wide, high = _block_size(data)
    differs = (whole != others[0]) | (whole != others[1])
    rows = np.logical_or.reduceat(differs, range(0, differs.shape[0], high), axis=0)
    blocks = np.logical_or.reduceat(rows, range(0, differs.shape[1], wide), axis=1)
    if blocks.sum() > 1:
        raise missing
    return body + _END


def _luma(data: bytes) -> NDArray[np.uint8]:
    with Image.open(io.BytesIO(data), formats=["JPEG"]) as image:
        image.draft("L", image.size)
        return np.asarray(image.convert("L"))


def _segments(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield the marker and the content of each segment of a JPEG."""
    at = 2
    for _ in range(_MOST_SEGMENTS):
        if not (marker := _JPEG_MARKER.search(data, at)):
            break
        at = marker.end() + max(2, int.from_bytes(data[marker.end() : marker.end() + 2]))
        yield marker[1][0], data[marker.end() + 2 : at]


def _has_all_scans(data: bytes) -> bool:
    """Return whether each coefficient of each component is in a scan, with its last bit."""
    wanted, covered = set(), set()
    for marker, content in _segments(data):
        if marker in (0xC0, 0xC1, 0xC2):
            wanted = {(component, i) for component in content[6::3] for i in range(64)}
        elif marker == 0xDA and len(content) >= 6 and not content[-1] & 0x0F:
            components, (first, last) = content[1:-3:2], content[-3:-1]
            covered |= {(component, i) for component in components for i in range(first, last + 1)}
    return bool(wanted) and wanted <= covered


def _block_size(data: bytes) -> tuple[int, int]:
    """Return width and height, in pixels, of what a JPEG stores at a time."""
    for marker, content in _segments(data):
        if marker in (0xC0, 0xC1, 0xC2) and len(content) > 9:
            samplings = content[7::3]
            return 8 * max(sampling >> 4 for sampling in samplings), 8 * max(
                sampling & 15 for sampling in samplings
            )
    return 8, 8


def upright_size(path: Path) -> tuple[int, int] | None:
    """Return ``(width, height)`` as a viewer shows it; None for what Pillow cannot open."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of odd headers: nothing is decoded
            with Image.open(path) as picture:
                turned = picture.getexif().get(ExifTags.Base.Orientation, 1) in {5, 6, 7, 8}
                return picture.size[::-1] if turned else picture.size
    except Exception:  # Pillow's readers raise a dozen unrelated types: OSError to KeyError
        return None
