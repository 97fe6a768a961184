"""What all formats share: the record that parsing gives, and the check that writing makes."""

import math
import re
from collections.abc import Callable, Sequence
from typing import Literal, NamedTuple

from pydantic import ValidationError

from deixis.base.boxes import Box
from deixis.errors import DataError
from deixis.rows import RowEntity, RowRegion

Scale = tuple[float, float]
"""Pixels of the original picture in one unit of a format, across and down."""

ONE: Scale = (1.0, 1.0)
"""Keeps numbers as they stand."""


class Problem(NamedTuple):
    """A piece of an answer that could not be read as it stands, and why."""

    piece: str
    reason: str


class Parsed(NamedTuple):
    """What an answer says: its entities, and what could not be read.

    ``regions`` of an entity is None when the answer says nothing of them or nothing that can
    be read; the latter is a problem, too.
    """

    entities: tuple[RowEntity, ...]
    problems: tuple[Problem, ...]


class Split(NamedTuple):
    """A file of lines that name their sample, divided.

    Attributes:
        samples: ids, each with its lines.
        misfits: by number, from 1, the lines that belong to no sample.
    """

    samples: list[tuple[str, str]]
    misfits: dict[int, Problem]


class Format(NamedTuple):
    """One format.

    Attributes:
        parse: reads an answer, and no string makes it raise. The scale is what boxes are
            multiplied with, None when it is not known.
        write: writes entities so that `parse` with scale `ONE` reads the same; raises
            `DataError` when the format cannot hold one.
        shares: boxes are shares of the picture, not pixels.
        key: where an object that is written has its answer.
        places: what it has of regions: boxes, only whether they should be sought, or nothing.
        fine: it has fine types.
        split: divides a file into ids and answers, where the lines name their sample (None if
            they do not); `write` then takes the id as well.
    """

    parse: Callable[[str, Scale | None], Parsed]
    write: Callable[..., str]
    shares: bool = False
    key: str = "answer"
    places: Literal["boxes", "sought", "none"] = "boxes"
    fine: bool = False
    split: Callable[[str], Split | None] | None = None


class Reading:
    """Collects what one answer says."""

    def __init__(self, scale: Scale | None) -> None:
        self._scale = scale
        self._entities: list[RowEntity] = []
        self._problems: list[Problem] = []

    def refuse(self, piece: str, reason: str) -> None:
        """Note a piece that cannot be read."""
        self._problems.append(Problem(piece, reason))

    def add(
        self,
        piece: str,
        text: str,
        kind: str,
        boxes: Sequence[Box] | None,
        fine: str | None = None,
    ) -> None:
        """Note an entity; boxes are in units of the format."""
        regions = None if boxes is None else self._place(piece, boxes)
        try:
            entity = RowEntity(text=text, type=kind, fine_type=fine, regions=regions)
        except ValidationError:  # an empty text, or half of a surrogate pair
            self.refuse(piece, "its text or type is empty or no text")
            return
        self._entities.append(entity)

    def _place(self, piece: str, boxes: Sequence[Box]) -> tuple[RowRegion, ...] | None:
        if boxes and self._scale is None:
            self.refuse(piece, "its boxes are shares of a picture whose size is not known")
            return None
        across, down = self._scale or ONE
        placed = [(x1 * across, y1 * down, x2 * across, y2 * down) for x1, y1, x2, y2 in boxes]
        if not all(math.isfinite(value) for box in placed for value in box):
            self.refuse(piece, "a box is not of finite numbers")
            return None
        return tuple(RowRegion(box=box) for box in placed)

    def parsed(self) -> Parsed:
        """Return all that was noted."""
        return Parsed(tuple(self._entities), tuple(self._problems))


_GROUP = re.compile(r"\(([^()\[\]]*)\)|\[([^()\[\]]*)\]")
_BETWEEN = re.compile(r"(?:[\s,&]|\band\b)*")


def read_boxes(text: str) -> list[Box] | None:
    """Read ``(x1, y1, x2, y2), ...`` or the same in square brackets; ``None`` gives no box.

    Returns:
        None when there is anything else in the text, or nothing.
    """
    if text.strip().strip("()[]").lower() == "none":
        return []
    groups = [(one or other).split(",") for one, other in _GROUP.findall(text)]
    if not groups or not _BETWEEN.fullmatch(_GROUP.sub("", text)):
        return None
    boxes: list[Box] = []
    for group in groups:
        try:
            x1, y1, x2, y2 = map(float, group)
        except ValueError:
            return None
        boxes.append((x1, y1, x2, y2))
    return boxes


def number(value: float) -> str:
    """Write a coordinate without loss: whole numbers without a point."""
    return str(int(value)) if value == int(value) and abs(value) < 1e15 else repr(value)


def checked(
    entities: Sequence[RowEntity],
    one: Callable[[RowEntity], str],
    whole: Callable[[Sequence[str]], str],
    parse: Callable[[str], Parsed],
) -> str:
    """Write entities and read them back.

    No format knows offsets, so these are not compared. Everything else has to return, masks
    included.

    Args:
        entities: what to write.
        one: writes an entity.
        whole: puts what was written together.
        parse: reads the whole.

    Raises:
        DataError: something does not come back as it was.
    """
    bare = [entity.model_copy(update={"start": None, "end": None}) for entity in entities]
    written = [one(entity) for entity in bare]
    for entity, piece in zip(bare, written, strict=True):
        if parse(whole([piece])) != Parsed((entity,), ()):
            raise DataError(
                f"the format cannot hold the entity {entity.text!r} ({entity.type}): "
                f"{piece[:200]!r} would not be read as the same"
            )
    text = whole(written)
    if parse(text) != Parsed(tuple(bare), ()):
        raise DataError(f"the format cannot hold these entities together: {text[:200]!r}")
    return text
