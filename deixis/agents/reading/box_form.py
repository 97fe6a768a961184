"""How a model is asked for boxes in a sentence, and how those that it writes are read.

VKEL writes shares of width and height (section III-D.4). A model that was trained to count
pixels or thousandths points badly in shares, so it is asked in what it counts where that is
known; all others as the paper does.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Annotated, Any, NamedTuple

from pydantic import BaseModel, WithJsonSchema, create_model

from deixis.agents.context.records import PictureRecord
from deixis.agents.reading.phrases import OBJECT
from deixis.base.boxes import Box
from deixis.llms.box_conventions import BoxConvention, convention_of
from deixis.llms.photos import Photo

BEYOND = 0.005
"""How far a share may lie outside 0..1, from rounding; it is clipped."""
SHARES = (
    "(x1, y1, x2, y2): its left, top, right and bottom edge as shares of the width and the "
    "height of the picture, from 0 to 1"
)
SAMPLE = (0.1, 0.25, 0.5, 0.95)
"""The box of the prompt's example, in shares."""


class BoxForm(NamedTuple):
    """How one model writes the boxes of one picture, and is shown those that are known.

    Attributes:
        picture: its ``width`` and ``height``.
        photo: the picture as the model is sent it; None if it is sent none.
        convention: what the model counts; None for shares.
    """

    picture: PictureRecord
    photo: Photo | None
    convention: BoxConvention | None

    @property
    def words(self) -> str:
        """What a box is, as the prompt says it."""
        return _round(self.convention.form) if self.convention and self.photo else SHARES

    @property
    def sample(self) -> str:
        """A box as the prompt's example has it."""
        width, height = self.picture["width"], self.picture["height"]
        x1, y1, x2, y2 = SAMPLE
        return self.written((x1 * width, y1 * height, x2 * width, y2 * height))

    def written(self, box: Sequence[float]) -> str:
        """Write a box in pixels of the picture as the prompt has it; shares have three digits."""
        wide, high = self.picture["width"], self.picture["height"]
        shares = [
            min(max(edge / side, 0.0), 1.0)
            for edge, side in zip(box, (wide, high) * 2, strict=True)
        ]
        if self.convention is None or self.photo is None:
            return f"({', '.join(str(round(share, 3)) for share in shares)})"
        size = self.photo.width, self.photo.height
        seen = [share * side for share, side in zip(shares, size * 2, strict=True)]
        return _round(str(self.convention.to_model(seen, size)))

    def read(self, box: Box) -> Box | None:
        """Read a box that the model wrote.

        Numbers of which none is beyond 1 are shares, whatever was asked for, unless the model
        has shares of its own; others are what it counts.

        Args:
            box: the four numbers as they were written.

        Returns:
            ``(x1, y1, x2, y2)`` in pixels of the picture, or None when this is no box in it.
        """
        own = self.convention
        if own and self.photo and (max(box) > 1 + BEYOND or own.decimals):
            size = self.photo.width, self.photo.height
            seen = own.from_model(list(box), size)
            return self.photo.in_picture(seen, self.picture) if seen else None
        inside = all(-BEYOND <= value <= 1 + BEYOND for value in box)
        x1, y1, x2, y2 = (min(max(value, 0.0), 1.0) for value in box)
        if not inside or x1 >= x2 or y1 >= y2:
            return None
        width, height = float(self.picture["width"]), float(self.picture["height"])
        return (x1 * width, y1 * height, x2 * width, y2 * height)


@lru_cache(maxsize=512)
def boxes_asked(names: tuple[str, ...], number: str) -> type[BaseModel]:
    """Build a reply's schema: one box for each name, of numbers of a JSON type, or null.

    What comes may be anything: what is no box is to be told from one where it is read.
    """
    box = {"type": "array", "items": {"type": number}, "minItems": 4, "maxItems": 4}
    asked = Annotated[Any, WithJsonSchema({"anyOf": [box, {"type": "null"}]})]
    fields: dict[str, Any] = dict.fromkeys(names, (asked, ...))
    return create_model("Boxes", __config__=OBJECT, **fields)


def form_of(spec: str, picture: PictureRecord, photo: Photo | None) -> BoxForm:
    """Return how a model writes the boxes of a picture that it is shown."""
    return BoxForm(picture, photo, convention_of(spec))


def _round(words: str) -> str:
    """Write the brackets of the format, whose boxes are ``(x1, y1, x2, y2)``."""
    return words.replace("[", "(").replace("]", ")")
