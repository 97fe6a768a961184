"""How vision-language models write boxes: the order of the numbers and what they count.

=============  ==============  =====================================================
family         order           unit
=============  ==============  =====================================================
Qwen2-VL       x1 y1 x2 y2     thousandths of the picture's width and height
Qwen2.5-VL     x1 y1 x2 y2     pixels of the picture after its processor's resize
Qwen3-VL       x1 y1 x2 y2     thousandths
Gemini         y1 x1 y2 x2     thousandths
=============  ==============  =====================================================

Sources: the Qwen2-VL report (arXiv 2409.12191, section 2), the Qwen2.5-VL report (arXiv
2502.13923, section 2) with the makers' notebook on spatial understanding, the Qwen3-VL
repository, and Google's guide to image understanding. LLaVA was trained on fractions of a
picture padded to a square, which the processors in use crop or tile instead, so what its
numbers count is not certain: it has no convention here, like every family not listed.
"""

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

from deixis.settings import Spec

Size = tuple[int, int]
"""Width and height in pixels."""
_LARGEST = 1e9  # no coordinate is larger; also keeps NaN and integers beyond floats out


class Resize(NamedTuple):
    """A processor's resize: sides become multiples of ``factor``, the area stays in limits."""

    factor: int = 28
    least_pixels: int = 56 * 56
    most_pixels: int = 16384 * 28 * 28

    def frame(self, size: Size) -> Size:
        """Return the size that a picture is brought to (``smart_resize`` of transformers)."""
        width, height = size
        factor = self.factor
        wide, high = round(width / factor) * factor, round(height / factor) * factor
        # The floating-point steps are in the order of the original: others round differently.
        if wide * high > self.most_pixels:
            shrink = math.sqrt(height * width / self.most_pixels)
            wide = max(factor, math.floor(width / shrink / factor) * factor)
            high = max(factor, math.floor(height / shrink / factor) * factor)
        elif wide * high < self.least_pixels:
            grow = math.sqrt(self.least_pixels / (height * width))
            wide = math.ceil(width * grow / factor) * factor
            high = math.ceil(height * grow / factor) * factor
        return wide, high


class BoxConvention(NamedTuple):
    """How one family writes a box; sizes are those of the picture as the model is sent it.

    ``order`` is ``xyxy`` or ``yxyx``. ``resize`` gives the frame whose pixels are counted;
    None counts from 0 to ``reference`` along each side.
    """

    order: str = "xyxy"
    resize: Resize | None = None
    reference: int = 1000

    @property
    def form(self) -> str:
        """How a model is asked for a box, in words."""
        names = "[y1, x1, y2, x2]" if self.order == "yxyx" else "[x1, y1, x2, y2]"
        if self.resize is None:
            return f"{names}, whole numbers from 0 to {self.reference}"
        return f"{names}, whole pixels"

    def frame(self, size: Size) -> Size:
        """Return what the far corner of a picture of this size is written as: x, y."""
        return self.resize.frame(size) if self.resize else (self.reference, self.reference)

    def to_model(self, box: Sequence[float], size: Size) -> list[int]:
        """Write a box as the model would.

        Args:
            box: ``(x1, y1, x2, y2)`` in pixels of the picture.
            size: of the picture.
        """
        ratios = self._ratios(size)
        written = [round(value / ratio) for value, ratio in zip(box, ratios, strict=True)]
        return self._ordered(written)

    def from_model(self, box: Any, size: Size) -> tuple[float, float, float, float] | None:
        """Read a box that a model wrote.

        A box that `to_model` wrote comes back with each edge moved by no more than half of
        one of the frame's units: of `frame`'s pixels or thousandths, whichever are counted.
        So it is less than a pixel of the picture off unless the frame is smaller than half of
        it, and then less than a pixel of the frame.

        Args:
            box: the reply's value, whatever it is.
            size: of the picture.

        Returns:
            ``(x1, y1, x2, y2)`` in pixels of the picture and clipped to it, or None when this
            is no box: not four numbers, inverted, empty, or wholly outside.
        """
        if not isinstance(box, list) or len(box) != 4 or not all(map(_is_number, box)):
            return None
        pairs = zip(self._ordered(box), self._ratios(size), (*size, *size), strict=True)
        x1, y1, x2, y2 = (min(max(value * ratio, 0.0), float(most)) for value, ratio, most in pairs)
        return (x1, y1, x2, y2) if x1 < x2 and y1 < y2 else None

    def _ordered(self, box: list[Any]) -> list[Any]:
        """Swap x and y where the order says so; twice is as before."""
        return [box[1], box[0], box[3], box[2]] if self.order == "yxyx" else box

    def _ratios(self, size: Size) -> list[float]:
        """Return the length of the frame's units in pixels of the picture: x, y, x, y."""
        return [side / units for side, units in zip(size, self.frame(size), strict=True)] * 2


THOUSANDTHS = BoxConvention()
FAMILIES = {
    "qwen2vl": THOUSANDTHS,
    "qwen25vl": BoxConvention(resize=Resize()),
    "qwen3vl": THOUSANDTHS,
    "gemini": BoxConvention(order="yxyx"),
}
"""What stands in a model's name, in small letters and digits alone, to how it writes boxes."""


def convention_of(spec: str) -> BoxConvention | None:
    """Return how a model writes boxes, by its name; None when that is not known.

    The name tells on any server (``openai:Qwen/Qwen2.5-VL-7B-Instruct?base_url=...``), if it
    is the model's own. A server is taken to resize as the makers' published settings do;
    the option ``max_pixels`` of ``transformers:`` is heeded.

    Raises:
        SettingsError: as `Spec.parse`.
    """
    parsed = Spec.parse(spec)
    last = parsed.name.rstrip("/").rpartition("/")[2].casefold()
    name = "".join(letter for letter in last if letter.isalnum())
    convention = next((way for family, way in FAMILIES.items() if family in name), None)
    most = parsed.options.get("max_pixels", "")
    limit = int(most) if most.isdecimal() else 0
    if convention and convention.resize and limit:
        return convention._replace(resize=convention.resize._replace(most_pixels=limit))
    return convention


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= _LARGEST
