"""Where things stand in a document of many pages, as plain data.

Boxes on a page are ``(x1, y1, x2, y2)`` in points (1/72 inch) from the top-left corner of the page
as it is shown: turned upright, and cut to its crop box. Pages are numbered from 1.
"""

from typing import Annotated, Self

from pydantic import AfterValidator, Field, model_validator

from deixis.base.boxes import Box
from deixis.base.reading import writable
from deixis.base.records import Many, Record
from deixis.base.urls import without_credentials

PageNumber = Annotated[int, Field(ge=1)]


class PageBox(Record):
    """A place on a page: its number, and a box in points."""

    page: PageNumber
    box: Box

    @model_validator(mode="after")
    def _check(self) -> Self:
        x1, y1, x2, y2 = self.box
        if not (x1 < x2 and y1 < y2):
            raise ValueError(f"a box needs x1 < x2 and y1 < y2; got {self.box}")
        return self


class PageInfo(Record):
    """A page that a post stands on: its number, its size in points, and who read its text.

    ``reader`` is None where the text is the document's own.
    """

    number: PageNumber
    width: float = Field(gt=0)
    height: float = Field(gt=0)
    reader: str | None = None


class DocumentInfo(Record):
    """The document that a post was taken from, and where in it the post stands.

    ``sha256`` is that of the file, ``source`` its path, ``pages`` how many it has. ``post`` is the
    id of the post, ``on`` are the pages that it stands on, and ``pictures`` the places of its
    pictures, in the order of `Region.image`.
    """

    sha256: str
    source: Annotated[str, AfterValidator(writable), AfterValidator(without_credentials)]
    pages: int = Field(gt=0)
    post: str
    on: Many[PageInfo]
    pictures: Many[PageBox] = Field(default=[])

    @model_validator(mode="after")
    def _check(self) -> Self:
        numbers = [page.number for page in self.on]
        if len(set(numbers)) != len(numbers) or any(number > self.pages for number in numbers):
            raise ValueError(f"the pages {numbers} are not each one of {self.pages}")
        self.check_page(*(place.page for place in self.pictures))
        return self

    def check_page(self, *pages: int) -> None:
        """Check that pages are among those that the post stands on.

        Raises:
            ValueError: one is not.
        """
        known = {page.number for page in self.on}
        for page in pages:
            if page not in known:
                raise ValueError(f"page {page} is none of those that the post stands on")
