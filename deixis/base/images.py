"""The one place that opens a picture: from a path, a URL, bytes, a PIL image or an array.

Out comes an upright RGB array, or an `InputError` that says in one line what is wrong, where,
and what to do. Pictures are untrusted: the size is checked before decoding, and only formats
that Pillow decodes by itself are read (never EPS, which would start Ghostscript).
"""

import hashlib
import io
import os
import re
import stat
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import IO, Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, TiffTags, UnidentifiedImageError

from deixis.base.forks import Lock
from deixis.base.image_files import (
    completed,
    described,
    is_heif,
    lacks_end,
    without_exif,
    without_metadata,
)
from deixis.base.image_modes import to_rgb
from deixis.base.printable import one_line
from deixis.base.urls import without_credentials, without_credentials_in
from deixis.errors import InputError

Urls = Literal["public", "any", "none"]
DECODED = ("PIL image", "array")  # sources whose hash is of pixels
UNNAMED = ("bytes", *DECODED)  # sources that nothing can be opened from again

# HEIF is there once the user has registered pillow-heif. ICO is not: an icon can hide a
# picture far larger than the size in its header.
_FORMATS = ("JPEG", "PNG", "GIF", "WEBP", "BMP", "TIFF", "PPM", "MPO", "JPEG2000", "AVIF", "HEIF")
_URL = re.compile(r"([a-z][a-z0-9+.-]+)://|(data|file):", re.IGNORECASE)
_ORIENTATION = 0x0112
_TURNS = "FLIP_LEFT_RIGHT ROTATE_180 FLIP_TOP_BOTTOM TRANSPOSE ROTATE_270 TRANSVERSE ROTATE_90"
_TO_UPRIGHT = {i: Image.Transpose[name] for i, name in enumerate(_TURNS.split(), start=2)}
_UNTURNED = "the picture's EXIF cannot be read; it was not turned"
_warning_filters = Lock()


class OpenedImage(NamedTuple):
    """A decoded picture.

    ``pixels`` is RGB, uint8, of shape ``(H, W, 3)``, C-contiguous and EXIF-upright. ``sha256``
    is that of the encoded bytes, or of shape and pixels when a PIL image or an array was given.
    ``source`` is the path as given, the URL without credentials, else ``bytes``, ``PIL image``
    or ``array``.
    ``notes`` says what degraded, one line each.
    """

    pixels: NDArray[np.uint8]
    sha256: str
    source: str
    notes: list[str]


def open_image(
    image: object,
    *,
    max_pixels: int = 64_000_000,
    max_bytes: int = 50_000_000,
    min_side: int = 8,
    timeout: float = 20.0,
    urls: Urls = "public",
) -> OpenedImage:
    """Open a picture in any form that Deixis takes.

    Args:
        image: a path (str or Path), an http(s) URL, the bytes of a picture file, a PIL image,
            or an RGB uint8 array of shape ``(H, W, 3)``. Transparency is laid on white; of an
            animation or a document the first frame is used (of a PIL image, the current one).
        max_pixels: refuse larger pictures, before decoding them.
        max_bytes: refuse larger files; a download stops there.
        min_side: refuse pictures with a shorter side, in pixels.
        timeout: seconds that a download may take in all.
        urls: ``public`` opens URLs whose host has no address outside the public internet,
            ``any`` those of private networks and of this machine too, ``none`` opens none.

    Raises:
        InputError: the picture cannot be found, read, decoded, or is outside the limits.
    """
    if isinstance(image, np.ndarray):
        _check_array(image)
        _check_size("the array", image.shape[1], image.shape[0], max_pixels, min_side)
        pixels = np.array(image, order="C")  # a copy: the caller may go on drawing into theirs
        return OpenedImage(pixels, pixel_hash(pixels), "array", [])
    if isinstance(image, Image.Image):
        _check_size(where := "the PIL image", *image.size, max_pixels, min_side)
        with _blame(where):
            notes = _frame_notes(image, "current")
            pixels = _decode(image, where, notes)
        return OpenedImage(pixels, pixel_hash(pixels), "PIL image", notes)
    if isinstance(image, bytes):
        data, where, source = image, "the bytes", "bytes"
    elif isinstance(image, str | os.PathLike):
        source = os.fsdecode(image)
        if isinstance(image, str) and is_url(source):
            source = without_credentials(source)
            data = _download(image, where := named(source), max_bytes, timeout, urls)
        else:
            data = _read_file(source, where := named(source), max_bytes)
    else:
        raise InputError(
            f"a picture is a path, an http(s) URL, bytes, a PIL image or an RGB uint8 array of "
            f"shape (H, W, 3); got {type(image).__name__}"
        )
    if len(data) > max_bytes:
        raise InputError(f"{where}: over {max_bytes:,} bytes; give a smaller file")
    pixels, notes = _from_file(data, where, max_pixels, min_side)
    return OpenedImage(pixels, hashlib.sha256(data).hexdigest(), source, notes)


def is_url(source: str) -> bool:
    """Return whether a picture's source is taken for a URL, of whatever kind."""
    return _URL.match(source) is not None


def named(source: str) -> str:
    """Return how errors call what is at a path or a URL; of a data URL they hold no data."""
    if source[:5].lower() == "data:":
        return "a data URL"
    shown = without_credentials_in(source)
    return repr(shown if len(shown) <= 200 else f"{shown[:120]}...{shown[-60:]}")


def _check_array(array: NDArray[Any]) -> None:
    if array.dtype != np.uint8 or array.ndim != 3 or array.shape[2] != 3:
        raise InputError(
            f"an array must be RGB, uint8, of shape (H, W, 3); got {array.dtype} of shape "
            f"{array.shape}: convert it, or give a PIL image"
        )


def pixel_hash(pixels: NDArray[np.uint8]) -> str:
    """Return the sha256 of shape and pixels, as of a picture that was given decoded."""
    digest = hashlib.sha256(str(pixels.shape).encode("ascii"))
    digest.update(pixels.data)
    return digest.hexdigest()


def _read_file(path: str, where: str, max_bytes: int) -> bytes:
    with regular_file(path, where, "picture") as file:
        return file.read(max_bytes + 1)


def regular_file(path: str, where: str, kind: str) -> IO[bytes]:
    """Open a file, unbuffered; of what is no regular file nothing is read.

    Raises:
        InputError: it is not there, may not be read, or is a folder, a pipe or a device.
    """
    try:
        state = os.stat(path)
        if stat.S_ISDIR(state.st_mode):
            raise InputError(f"{where} is a folder; give the path of one {kind}")
        if not stat.S_ISREG(state.st_mode):  # a pipe would block, a device never ends
            raise InputError(f"{where} is not a regular file; give the path of one {kind}")
        return open(path, "rb", buffering=0)
    except FileNotFoundError:
        raise InputError(f"{where}: no such file; check the path") from None
    except PermissionError:
        raise InputError(f"{where}: no permission to read it; change its mode or owner") from None
    except (OSError, ValueError) as error:  # ValueError: a NUL or a lone surrogate in the path
        raise InputError(
            f"{where}: cannot be read ({one_line(error, 200)}); check the path"
        ) from error


def _download(url: str, where: str, max_bytes: int, timeout: float, urls: Urls) -> bytes:
    if urls == "none":
        raise InputError(
            f"{where}: URLs are not opened; give a path, or allow them with --urls public "
            "(options.urls in the stack)"
        )
    from deixis.base.downloads import download  # only URLs need what it imports

    public = urls != "any"
    return download(url, where, max_bytes=max_bytes, timeout=timeout, public=public)


def _from_file(
    data: bytes, where: str, max_pixels: int, min_side: int
) -> tuple[NDArray[np.uint8], list[str]]:
    if not data:
        raise InputError(f"{where}: empty, 0 bytes; give a picture")
    notes: list[str] = []
    with _blame(where):
        image = _identified(data, where, notes)
        _check_size(where, *image.size, max_pixels, min_side)
        notes += _frame_notes(image, "first")
        if image.format in ("JPEG", "MPO") and lacks_end(data):
            notes.append("the JPEG lacks its end marker; its last block may be wrong")
            image = _open(completed(data))
        pixels = _decode(image, where, notes)
    _check_size(where, pixels.shape[1], pixels.shape[0], max_pixels, min_side)
    return pixels, notes


def _identified(data: bytes, where: str, notes: list[str]) -> Image.Image:
    if is_heif(data) and "HEIF" not in Image.OPEN:
        raise InputError(f"{where}: {described(data)}")
    try:
        return _open(data)
    except (UnidentifiedImageError, ValueError) as error:  # an AVIF is refused for its EXIF
        if (bare := without_exif(data)) != data:
            with suppress(UnidentifiedImageError, ValueError):
                image = _open(bare)
                notes.append(_UNTURNED)
                return image
        if not isinstance(error, UnidentifiedImageError):
            raise
        broken = "a HEIF picture that is broken or cut short; give a whole one"
        raise InputError(f"{where}: {broken if is_heif(data) else described(data)}") from None


def _open(data: bytes) -> Image.Image:
    with _quiet():
        Image.init()  # with unknown names in `formats`, Image.open raises KeyError
        known = [name for name in _FORMATS if name in Image.OPEN]
        if is_heif(data):  # which the reader of AVIF would try first
            known = ["HEIF"]
        return Image.open(io.BytesIO(without_metadata(data)), formats=known)


def _decode(image: Image.Image, where: str, notes: list[str]) -> NDArray[np.uint8]:
    image.load()
    turn = _turn(image, notes)  # after load: a TIFF is turned by its decoder
    image = to_rgb(image, where, notes)
    if isinstance(turn, int) and turn in _TO_UPRIGHT:
        image = image.transpose(_TO_UPRIGHT[turn])
    return np.array(image)  # not asarray: PyTorch warns of arrays that cannot be written to


def _turn(image: Image.Image, notes: list[str]) -> object:
    try:
        with _quiet():
            return image.getexif().get(_ORIENTATION)
    except Exception:  # metadata has no part in the pixels, and its readers raise anything
        notes.append(_UNTURNED)
        return None


def _frame_notes(image: Image.Image, used: str) -> list[str]:
    with _quiet():
        if image.format == "TIFF":  # its decoder reads the EXIF, and would warn and fail there
            exif = image.getexif()
            for tag in TiffTags.TAGS_V2_GROUPS:
                try:
                    exif.get_ifd(tag)
                except Exception:
                    del exif[tag]
        # The extra pictures of an MPO are a thumbnail, a depth or a gain map: nothing is lost.
        count = 1 if image.format == "MPO" else getattr(image, "n_frames", 1)
    note = f"the {image.format} has {count} frames; only the {used} was used"
    return [note] if count > 1 else []


def _check_size(where: str, width: int, height: int, max_pixels: int, min_side: int) -> None:
    if width * height > max_pixels:
        raise InputError(
            f"{where}: {width} x {height} is over {max_pixels:,} pixels; make the picture smaller"
        )
    if min(width, height) < (least := max(min_side, 1)):
        raise InputError(f"{where}: {width} x {height}; both sides need at least {least} pixels")


@contextmanager
def _blame(where: str) -> Iterator[None]:
    """Turn what Pillow raises on a broken picture into an error that names the picture."""
    try:
        yield
    except InputError:
        raise
    except Image.DecompressionBombError as error:  # Pillow's own limit, whatever ours
        raise InputError(f"{where}: {one_line(error, 200)} Make the picture smaller") from error
    except Exception as error:  # the decoders raise a dozen unrelated types: OSError to KeyError
        reason = one_line(error, 200)
        raise InputError(f"{where}: broken or cut short ({reason}); give a whole one") from error


@contextmanager
def _quiet() -> Iterator[None]:
    """Silence Pillow's warnings on odd headers; the size they warn of is checked by us."""
    # Locked, for the filters are the process's: threads must not restore each other's.
    with _warning_filters, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
