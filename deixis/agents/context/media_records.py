"""What flows between agents that work with sound, video, relations and events: plain data.

Times are in seconds, spans of text half-open characters, ranges of words half-open places in the
words heard.
"""

from collections.abc import Sequence
from typing import Any, Literal, NotRequired

from typing_extensions import TypedDict

Medium = Literal["image", "video", "audio"]
Look = Literal["found", "absent", "failed", "off"]
"""How it went to look for an entity in a medium: ``off`` without a tool for it."""


class SoundRecord(TypedDict):
    """The sound of the sample, as `deixis.schema.AudioInfo` has it."""

    sha256: str
    seconds: float
    rate: int
    channels: int
    source: str


class FilmRecord(TypedDict):
    """The video of the sample, as `deixis.schema.VideoInfo` has it."""

    sha256: str
    seconds: float
    width: int
    height: int
    frames: int
    rate: float
    sound: bool
    source: str


class HeardRecord(TypedDict):
    """What was said.

    ``words`` are ``[text, start, end, score]`` each. If they are ``spoken``, they are those of the
    text that was given, one for each of its words between blanks; else the transcriber's own.
    """

    words: list[tuple[str, float, float, float]]
    source: str
    language: str | None
    spoken: bool


class FrameTime(TypedDict):
    """A frame that questions show: its number in the video, and when it is shown."""

    index: int
    time: float


class NamedMention(TypedDict):
    """What a sample names: a `Mention` that need not stand in the text.

    ``start`` and ``end`` are None where it does not. ``heard`` are the ranges of words that say it.
    """

    text: str
    start: int | None
    end: int | None
    type: str
    confidence: float
    prior: float | None
    fine_type: str | None
    heard: NotRequired[Sequence[Sequence[int]]]


class Sought(TypedDict):
    """Where an entity is to be looked for, and by what words."""

    medium: Medium
    phrase: str


class PlacedSpan(TypedDict):
    """When something is heard, as `deixis.schema.Span` has it."""

    start: float
    end: float
    score: float
    source: str


class PlacedFrame(TypedDict):
    """Where something is in a frame, as `deixis.schema.Frame` has it."""

    time: float
    index: int
    region: dict[str, Any]


class RelationRecord(TypedDict):
    """A relation between two entities, by their ids."""

    subject: str
    type: str
    object: str
    confidence: float
    replies: list[str]


class TriggerRecord(TypedDict):
    """The word that names an event; as `NamedMention`."""

    text: str
    start: int | None
    end: int | None
    heard: Sequence[Sequence[int]]


class ArgumentRecord(TypedDict):
    """What an entity, by its id, is in an event."""

    role: str
    entity: str
    confidence: float


class EventRecord(TypedDict):
    """An event."""

    type: str
    trigger: TriggerRecord | None
    arguments: list[ArgumentRecord]
    confidence: float
    replies: list[str]
