"""Pictures of any mode that Pillow knows, brought to 8-bit RGB."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from deixis.errors import InputError


def to_rgb(image: Image.Image, where: str, notes: list[str]) -> Image.Image:
    """Return the picture in RGB; transparency is laid on white, other scales are noted.

    Raises:
        InputError: it has values that are no numbers.
    """
    if image.mode.startswith("I"):
        return Image.fromarray(_from_integers(image, notes)).convert("RGB")
    if image.mode == "F":
        values = np.asarray(image, np.float64)
        return Image.fromarray(_from_floats(values, where, notes)).convert("RGB")
    if image.has_transparency_data and image.mode != "CMYK":
        upper = (image.convert("LA") if image.mode == "La" else image).convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", image.size, "white"), upper).convert("RGB")
    return image if image.mode == "RGB" else image.convert("RGB")


def _from_integers(image: Image.Image, notes: list[str]) -> NDArray[np.uint8]:
    """Bring 16-bit grey to 8 bits; Pillow's own conversion clips or cuts it."""
    values = np.asarray(image).astype(np.int32)
    low, high = int(values.min()), int(values.max())
    if low < 0 or high > 65535:
        notes.append(f"grey values from {low} to {high} were scaled to 0..255")
        values = np.interp(values, (low, high), (0, 65535)).astype(np.int32)
    elif isinstance(clear := image.info.get("transparency"), int):
        values[values == clear] = 65535
    return ((values + 128) // 257).astype(np.uint8)


def _from_floats(values: NDArray[np.float64], where: str, notes: list[str]) -> NDArray[np.uint8]:
    if not np.isfinite(values).all():
        raise InputError(f"{where}: has NaN or infinite values; replace them with numbers")
    low, high = float(values.min()), float(values.max())
    if low < 0.0 or high > 255.0:
        values = (values - low) * (255.0 / (high - low or 1.0))
        notes.append(f"values from {low:g} to {high:g} were scaled to 0..255")
    elif high <= 1.0:
        values = values * 255.0
        notes.append("values within 0..1 were multiplied by 255")
    else:
        notes.append("values within 0..255 were rounded")
    return np.clip(np.rint(values), 0, 255).astype(np.uint8)
