"""Pictures and sound out of a message's blocks, as processors of transformers take them."""

import base64
import binascii
from typing import Any

from PIL import Image

from deixis.base.images import open_image
from deixis.base.sound import RATE, Samples, open_sound
from deixis.errors import InputError, ModelCallError

_SECONDS = 86_400.0  # a day: what is too long for the model is told in its own words


def decoded(data: str, what: str) -> bytes:
    """Return what base64 stands for.

    Raises:
        ModelCallError: it is damaged.
    """
    try:
        return base64.b64decode(data, validate=True)
    except binascii.Error as error:
        raise ModelCallError("failed", f"the base64 of a {what} is damaged: {error}") from None


def picture(url: str) -> Image.Image:
    """Return the picture in a data URL, upright.

    Raises:
        ModelCallError: it is no data URL, or damaged.
        InputError: the picture cannot be opened.
    """
    head, _, data = url.partition(";base64,")
    if not head.startswith("data:"):
        raise ModelCallError("failed", "a picture must be in the message, as base64 with mime_type")
    return Image.fromarray(open_image(decoded(data, "picture")).pixels)


def sound(data: str, ear: Any) -> Samples:
    """Return sound as samples for a feature extractor.

    Args:
        data: a file, as base64.
        ear: the feature extractor, which would cut what is too long without a word.

    Raises:
        ModelCallError: it is damaged, or longer than the model hears at once.
    """
    file = decoded(data, "sound")
    try:
        opened = open_sound(file, max_seconds=_SECONDS, max_bytes=len(file))
    except InputError as error:
        raise ModelCallError("failed", str(error)) from None
    if len(opened.samples) > ear.n_samples:
        longest = ear.n_samples / RATE
        raise ModelCallError(
            "failed",
            f"the sound has {opened.seconds:.1f} s, and the model hears {longest:g} s at once",
        )
    return opened.samples
