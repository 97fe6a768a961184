"""What is found in sound and video, and what is said of entities together: as plain data.

Times are seconds from the start of the sound or the video. Spans of sound are half-open.
"""

from typing import Annotated, Self

from pydantic import AfterValidator, Field, model_validator

from deixis.base.reading import writable
from deixis.base.records import Decision, Many, Record, Region, Share
from deixis.base.urls import without_credentials

Seconds = Annotated[float, Field(ge=0.0)]
Source = Annotated[str, AfterValidator(writable), AfterValidator(without_credentials)]


class Span(Record):
    """When something is heard: from `start` to `end` in seconds, how sure, and who heard it."""

    start: Seconds
    end: Seconds
    score: Share
    source: str

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.end <= self.start:
            raise ValueError(f"a span needs start < end; got {self.start} and {self.end}")
        return self


class Frame(Record):
    """Where something is in one frame of a video.

    ``index`` is the frame's number, from 0, in the order in which frames are shown; ``time`` is
    when it is shown; the region is in pixels of the upright frame.
    """

    time: Seconds
    index: int = Field(ge=0)
    region: Region


class AudioInfo(Record):
    """The sound that was listened to.

    ``sha256`` is that of the file as given, or of the samples when an array was given; ``rate``
    is in samples a second, as given; ``source`` is as for a picture.
    """

    sha256: str
    seconds: Seconds
    rate: int = Field(gt=0)
    channels: int = Field(gt=0)
    source: Source


class VideoInfo(Record):
    """The video that was looked at.

    ``width`` and ``height`` are those of the upright frames, ``frames`` is how many there are,
    ``rate`` how many are shown in a second on average; ``sound`` says whether it has sound.
    """

    sha256: str
    seconds: Seconds
    width: int = Field(gt=0)
    height: int = Field(gt=0)
    frames: int = Field(gt=0)
    rate: float = Field(gt=0)
    sound: bool
    source: Source


class SpokenWord(Record):
    """One word that was heard, and when, in seconds."""

    text: str = Field(min_length=1)
    start: Seconds
    end: Seconds
    score: Share


class Transcript(Record):
    """What was said, word by word; ``source`` is who heard it."""

    words: Many[SpokenWord]
    source: str
    language: str | None = None

    @property
    def text(self) -> str:
        """The words, with a blank between two."""
        return " ".join(word.text for word in self.words)


class Relation(Record):
    """What one entity is to another; `subject` and `object` are ids of entities."""

    id: str
    subject: str
    type: str
    object: str
    confidence: Share
    decisions: Many[Decision] = Field(default=[])


class Trigger(Record):
    """The word that names an event: where it is in the text, and when it is heard.

    ``start`` and ``end`` are half-open characters, None where it is not in the text.
    """

    text: str = Field(min_length=1)
    start: Annotated[int, Field(ge=0)] | None = None
    end: Annotated[int, Field(ge=0)] | None = None
    spans: Many[Span] = Field(default=[])

    @model_validator(mode="after")
    def _check(self) -> Self:
        check_offsets(self.text, self.start, self.end)
        return self


class Argument(Record):
    """What an entity, by its id, is in an event."""

    role: str
    entity: str
    confidence: Share


class Event(Record):
    """Something that happens: its type, the word for it if there is one, and who takes part."""

    id: str
    type: str
    trigger: Trigger | None = None
    arguments: Many[Argument] = Field(default=[])
    confidence: Share
    decisions: Many[Decision] = Field(default=[])


def check_offsets(text: str, start: int | None, end: int | None) -> None:
    """Check that half-open characters fit a text, or are both None.

    Raises:
        ValueError: they do not.
    """
    if start is None and end is None:
        return
    if start is None or end is None or end - start != len(text):
        raise ValueError(f"span {start}:{end} does not fit the text {text!r}")
