"""What is refused, or left out, of a document that anybody may have made."""

from typing import NamedTuple


class Limits(NamedTuple):
    """``size`` is in bytes, of the file. ``pages`` are those that are read.

    ``pixels`` are those of a picture, and of a page that is drawn; ``glyphs`` and ``objects`` those
    of a page. ``seconds`` is what PDFium may take for a page, to read or to draw it, and ``memory``
    the bytes of address space that it may have, where the system sets such limits.
    """

    size: int = 200_000_000
    pages: int = 500
    pixels: int = 64_000_000
    glyphs: int = 100_000
    objects: int = 50_000
    seconds: float = 30.0
    memory: int = 4_000_000_000


def limits_of(max_pixels: int) -> Limits:
    """Return the limits with that of pixels as a stack has it, but for pages enough to be read."""
    return Limits(pixels=max(max_pixels, 1_000_000))
