"""A course: which question of which graph a model is to learn, and what its answer is."""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from pydantic import BaseModel

from deixis.base.boxes import Box
from deixis.llms.box_conventions import BoxConvention
from deixis.llms.media import Medium
from deixis.llms.photos import Photo
from deixis.llms.picture_frames import Size
from deixis.prompts import Prompt
from deixis.rows import Row
from deixis.schema import Extraction
from deixis.settings import Settings
from deixis.training.lessons.records import Slot, Written


class UntaughtError(Exception):
    """A row has no answer to a question; the message says why, alike for all such rows."""


def json_text(value: Any) -> str:
    """Write an object as a model does whose reply is held to a schema: without white space."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


class Question(NamedTuple):
    """What a graph asks of a row.

    Attributes:
        row: the gold.
        prompt: as it was rendered.
        answer: the object asked for; `deixis.llms.answers.reading.Text` where any text will do.
        media: what the model is shown.
        pictures: width and height of the row's pictures, upright.
        frame: how the model writes boxes.
        settings: of the graph that asks: its options, its type schema.
        seat: the place of the question, from 0, among those that are asked with one prompt or at
            once: of a picture, where there is one for each.
    """

    row: Any
    prompt: Prompt
    answer: type[BaseModel]
    media: Sequence[Medium]
    pictures: Sequence[Size]
    frame: BoxConvention
    settings: Settings
    seat: int = 0

    def slot(self, box: Box, image: int = 0, **form: Any) -> Slot:
        """Return the place of a box in an answer.

        Args:
            box: in pixels of the row's picture.
            image: which of its pictures.
            form: ``brackets`` and ``between`` of `Slot`.

        Raises:
            UntaughtError: the model is not shown that picture, or the box is none in it.
        """
        photos = [medium for medium in self.media if isinstance(medium, Photo)]
        if image >= len(photos):
            raise UntaughtError("there is a box, and the model is shown no picture of it")
        photo, (width, height) = photos[image], self.pictures[image]
        x1, y1, x2, y2 = box
        if not (0 <= x1 < x2 <= width and 0 <= y1 < y2 <= height):
            raise UntaughtError("a box lies outside its picture, or is empty")
        wide, high = photo.width / width, photo.height / height
        return Slot(box=(x1 * wide, y1 * high, x2 * wide, y2 * high), image=image, **form)


class Near(Protocol):
    """Whether two boxes, in pixels of a row's picture, are one but for rounding."""

    def __call__(self, one: Box, other: Box, image: int = 0) -> bool:
        """Say whether no edge is further off than one of the last digit that the model writes."""
        ...


class Course(NamedTuple):
    """What is taught.

    Attributes:
        name: how the command line names it.
        description: in one line.
        graph: whose questions they are.
        role: who learns.
        prompts: the questions that become lessons. Others of the same role are answered all the
            same, by ``teach``, so that the graph goes on.
        teach: writes the gold answer to a question; raises `UntaughtError`.
        same: compares what the graph made of the answers with the row; returns what differs, in
            words that are alike for all such rows, or "".
        row: what a line of the file of rows is.
        given: what the graph is given of a row, beside ``text`` and its media.
        options: options of the graph that follow from the rows, and from those that are set; None
            takes one away.
        points: whether its answers have boxes.
        frame: how boxes are asked for where it is not known how the model writes them; None: then
            it cannot be taught.
        stands_in: questions to other roles that ``teach`` answers as well, in the place of who
            plays them.
        versions: the settings in which the graph asks of all rows, once with each.
        replaces: roles that are left empty, for who learns plays their part.
        without: roles that are left empty, for what they do comes after the question.
    """

    name: str
    description: str
    graph: str
    role: str
    prompts: tuple[str, ...]
    teach: Callable[[Question], Written]
    same: Callable[[Any, Extraction, Near], str]
    row: type[Row] = Row
    given: Callable[[Any], Mapping[str, Any]] = lambda row: {}
    options: Callable[[Sequence[Any], Mapping[str, Any]], Mapping[str, Any]] = lambda rows, set_: {}
    points: bool = True
    frame: BoxConvention | None = None
    stands_in: tuple[str, ...] = ()
    versions: Callable[[Settings], Sequence[Settings]] = lambda settings: (settings,)
    replaces: tuple[str, ...] = ()
    without: tuple[str, ...] = ("segmenter",)
