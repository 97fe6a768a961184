"""Pictures as language models are sent them: JPEG, no larger than they can use."""

import base64
import hashlib
import io
from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from deixis.base.boxes import Box

QUALITY = 90
TOKENS = 1000
"""Of a picture, about; corrected by what the provider counts."""


class Photo(NamedTuple):
    """An encoded picture."""

    data: bytes
    sha256: str
    width: int
    height: int

    @property
    def kind(self) -> Literal["image"]:
        """What it is, as LangChain calls its block."""
        return "image"

    @property
    def tokens(self) -> int:
        """About how many tokens it is to a model."""
        return TOKENS

    def in_picture(self, box: Box, picture: Mapping[str, Any]) -> Box:
        """Bring a box from pixels of the photo to those of the picture it was made of.

        Args:
            box: ``(x1, y1, x2, y2)``.
            picture: its ``width`` and ``height``.
        """
        wide, high = picture["width"] / self.width, picture["height"] / self.height
        return (box[0] * wide, box[1] * high, box[2] * wide, box[3] * high)

    def block(self) -> dict[str, Any]:
        """Return the content block of a message, as LangChain has it."""
        return content_block(self.kind, self.data, "image/jpeg")


def content_block(kind: str, data: bytes, mime_type: str) -> dict[str, Any]:
    """Return data as the content block of a message, as LangChain has it."""
    return {"type": kind, "base64": base64.b64encode(data).decode(), "mime_type": mime_type}


def photo(pixels: NDArray[np.uint8], longest_side: int) -> Photo:
    """Encode a picture.

    Args:
        pixels: RGB of shape ``(H, W, 3)``.
        longest_side: a larger picture is made smaller to this many pixels.
    """
    image = Image.fromarray(pixels)
    scale = max(1.0, max(image.size) / longest_side)
    if scale > 1.0:
        width, height = (max(1, round(side / scale)) for side in image.size)
        image = image.resize((width, height), Image.Resampling.LANCZOS)
    encoded = io.BytesIO()
    image.save(encoded, "JPEG", quality=QUALITY)
    data = encoded.getvalue()
    return Photo(data, hashlib.sha256(data).hexdigest(), *image.size)
