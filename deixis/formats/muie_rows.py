"""What a row of grounded MUIE holds: entities, relations and events in four media."""

from typing import Annotated, Literal

from pydantic import BaseModel, Field

from deixis.rows import Row, RowEntity, RowRegion

Seconds = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Span = tuple[Seconds, Seconds]
"""Half-open, in seconds of the audio."""


class Frame(BaseModel, frozen=True):
    """The regions of one entity in one frame of the video, which are counted from 0."""

    frame: int = Field(ge=0)
    regions: tuple[RowRegion, ...]


class MuieEntity(RowEntity):
    """An entity or an argument.

    ``regions`` are of the image, ``spans`` of the audio, ``track`` of the video, one frame
    per item; in each, an empty list says that it is not there, None that nobody looked.
    """

    spans: tuple[Span, ...] | None = None
    track: tuple[Frame, ...] | None = None


class Relation(BaseModel, frozen=True):
    """Two entities, by their places (from 0) in the row's ``entities``."""

    subject: int = Field(ge=0)
    type: str = Field(min_length=1)
    object: int = Field(ge=0)


class Trigger(BaseModel, frozen=True):
    """The word that names an event: where it is in the text, or when it is heard."""

    text: str = Field(min_length=1)
    start: int | None = Field(default=None, ge=0)
    end: int | None = Field(default=None, ge=0)
    spans: tuple[Span, ...] | None = None


class Argument(BaseModel, frozen=True):
    """An entity, by its place (from 0) in the row's ``entities``, and what it does."""

    role: str = Field(min_length=1)
    entity: int = Field(ge=0)


class Event(BaseModel, frozen=True):
    """An event: its type, its trigger, its arguments."""

    type: str = Field(min_length=1)
    trigger: Trigger | None = None
    arguments: tuple[Argument, ...] = ()


class MuieRow(Row):
    """A row of MUIE; ``audio`` and ``video`` are paths or URLs as ``image`` is."""

    task: Literal["ner", "re", "ee"]
    audio: str | None = None
    video: str | None = None
    entities: tuple[MuieEntity, ...] = ()
    relations: tuple[Relation, ...] = ()
    events: tuple[Event, ...] = ()
