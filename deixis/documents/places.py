"""Where the characters of a post stand on the pages of its document, and results that say so."""

import math
from collections.abc import Mapping
from typing import Annotated, Any, Self

from pydantic import Field, ValidationError, model_validator

from deixis.base.boxes import Box
from deixis.base.document_records import DocumentInfo, PageBox
from deixis.base.problems import first_problem
from deixis.base.records import Record, empty
from deixis.errors import InputError

UNIT = 10
"""Steps are tenths of a point."""
_FARTHEST = 1_000_000  # steps: 1.4 kilometres
Step = Annotated[int, Field(ge=-_FARTHEST, le=_FARTHEST)]


class TextLine(Record):
    """A line of a post on a page: its characters follow each other in the text from ``start`` on.

    ``box`` is in points of the upright page; ``turn`` says by how many quarters the line is turned
    clockwise. Along the line, from the side of the box where lines turned so begin, the first
    character starts at ``first`` tenths of a point, and each is as wide as ``steps`` says: below
    zero where they run from right to left.
    """

    start: int = Field(ge=0)
    page: int = Field(ge=1)
    box: Box
    turn: Annotated[int, Field(ge=0, le=3, exclude_if=empty)] = 0
    first: Annotated[Step, Field(exclude_if=empty)] = 0
    steps: list[Step]

    @property
    def end(self) -> int:
        """The character after the last."""
        return self.start + len(self.steps)

    def moved(self, by: int, start: int = 0, end: int | None = None) -> "TextLine | None":
        """Return a line of a text that is a part of this one's; None if nothing of it is left.

        Args:
            by: characters that come before that text.
            start: of the part, in characters of this line's text.
            end: of the part; None is the end.
        """
        first = max(start - self.start, 0)
        last = min((self.end if end is None else end) - self.start, len(self.steps))
        if last <= first:
            return None
        changes = {
            "start": self.start + first - start + by,
            "first": self.first + sum(self.steps[:first]),
            "steps": self.steps[first:last],
        }
        return self.model_copy(update=changes)

    def place(self, start: int, end: int) -> PageBox | None:
        """Return where characters of the text are on this line; None if none is."""
        part = self.moved(0, max(start, self.start), min(end, self.end))
        if part is None:
            return None
        one, other = sorted((part.first, part.first + sum(part.steps)))
        x1, y1, x2, y2 = self.box
        along = (one / UNIT, other / UNIT)
        box = (
            (x1 + along[0], y1, x1 + along[1], y2),
            (x1, y1 + along[0], x2, y1 + along[1]),
            (x2 - along[1], y1, x2 - along[0], y2),
            (x1, y2 - along[1], x2, y2 - along[0]),
        )[self.turn]
        if not (box[0] < box[2] and box[1] < box[3]):
            return None
        return PageBox(page=self.page, box=rounded(box))


def rounded(box: Box) -> Box:
    """Return a box in hundredths of a point."""
    x1, y1, x2, y2 = (round(value, 2) for value in box)
    return x1, y1, x2, y2


class Origin(DocumentInfo):
    """Where a post comes from: what a result says of that, and the lines of its text.

    A gold row that was made of a result has no lines: names have no places then, and regions pages.
    """

    lines: list[TextLine] = Field(default=[])

    @model_validator(mode="after")
    def _check_lines(self) -> Self:
        self.check_page(*(line.page for line in self.lines))
        for line in self.lines:
            if not all(map(math.isfinite, line.box)):
                raise ValueError("a line has no place")
        return self

    @property
    def info(self) -> DocumentInfo:
        """What a result says of the document."""
        return DocumentInfo.model_validate(self.model_dump(exclude={"lines"}))

    def places(self, start: int, end: int) -> list[PageBox]:
        """Return where characters of the text are: a box for each line of it."""
        found = (line.place(start, end) for line in self.lines)
        return [place for place in found if place is not None]

    def annotate(self, found: Mapping[str, Any]) -> dict[str, Any]:
        """Return what a graph has made of the post, with the document and all places on its pages.

        Args:
            found: the fields of an `Extraction` as plain data.
        """
        entities = [self._entity(entity) for entity in found["entities"]]
        document = self.info.model_dump(mode="json")
        if not found.get("image"):  # a graph may have had none to look at
            document["pictures"] = []
        return {**found, "document": document, "entities": entities}

    def _entity(self, entity: Mapping[str, Any]) -> dict[str, Any]:
        start, end = entity["start"], entity["end"]
        places = [] if start is None else self.places(start, end)
        made = dict(entity)
        made["regions"] = [
            {**region, "page": self.pictures[place].page}
            if (place := region.get("image", 0)) < len(self.pictures)
            else region
            for region in entity["regions"]
        ]
        if places:
            made["places"] = [place.model_dump(mode="json") for place in places]
        return made


def checked_origin(given: object, text: str, pictures: int) -> Origin | None:
    """Return where a row says that it comes from; None for nothing.

    Args:
        given: ``document`` of the row.
        text: of the row.
        pictures: how many the row has.

    Raises:
        InputError: it is no such record, or not one of this text and so many pictures.
    """
    if given is None:
        return None
    try:
        origin = Origin.model_validate(given)
    except ValidationError as error:
        place, what = first_problem(error)
        raise InputError(f"document{'.' if place else ''}{place}: {what}") from None
    if any(line.end > len(text) for line in origin.lines):
        raise InputError("document: its lines are longer than the text; convert the PDF again")
    if origin.pictures and len(origin.pictures) != pictures:
        raise InputError(
            f"document: places of {len(origin.pictures)} pictures, and the row has {pictures}"
        )
    return origin
