"""What flows through the main graph: plain data, keyed by entity id.

Every reduced channel merges by key, so that replaying a step or resuming a thread adds
nothing twice. `open` empties them, so that a thread can be used for the next sample.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any, TypeVar

from langgraph.channels import EphemeralValue
from pydantic import BaseModel, Field
from typing_extensions import (  # typing's breaks LangGraph's JSON schemas on 3.11
    TypedDict,
    get_type_hints,
)

from deixis.agents.context.given import GivenBeside, GivenMedium
from deixis.agents.context.media_records import (
    EventRecord,
    FilmRecord,
    FrameTime,
    HeardRecord,
    Look,
    PlacedFrame,
    PlacedSpan,
    RelationRecord,
    Sought,
    SoundRecord,
)
from deixis.agents.context.records import (
    CallRecord,
    DecisionRecord,
    Kind,
    Mention,
    Observation,
    PictureRecord,
    PlacedRegion,
    Verdict,
)
from deixis.base.records import NoticeKind

Update = dict[str, Any]
DESCRIPTION = "description"
"""The note that has the description of the picture."""
OVERWRITE = "__overwrite__"
"""Key of an update that takes the place of a channel, in JSON, which LangGraph's class is not."""


def merge(old: Mapping[str, Any] | None, new: Mapping[str, Any]) -> dict[str, Any]:
    """Return both mappings together; the newer value of a key stays.

    What is none, as mentions that a user gives, takes the place of all; `open` empties it.
    """
    return {**(old or {}), **new} if isinstance(new, Mapping) else new


T = TypeVar("T")
Merged = Annotated[dict[str, T], merge]


class Input(TypedDict, total=False):
    """What a user gives: a picture (or None, or nothing) and a text, or what else a graph takes.

    ``images``: all pictures, in place of ``image``. ``audio``, ``video``: as `image`, and arrays
    with their rate. ``task``: what is asked for, for graphs that do several.
    ``caption``: a description of the picture that the user has.
    ``mentions``: the names of the text, as `deixis.agents.reading.given` takes them: then no
    others are looked for.
    ``patches``: parts of the picture, a list of boxes ``[x1, y1, x2, y2]`` in pixels, for
    graphs that match patches. All three hold for one sample; a graph that has no use for one
    checks it and leaves it alone.
    """

    image: Annotated[Any, GivenMedium]
    images: Annotated[Any, GivenBeside]
    audio: Annotated[Any, GivenBeside]
    video: Annotated[Any, GivenBeside]
    task: Any
    text: str
    caption: str | None
    mentions: Annotated[Any, merge]
    patches: Annotated[Any, EphemeralValue]


class Post(BaseModel):
    """What `Input` holds, for a LangChain tool: a model that calls it may leave things out."""

    text: str = Field(description="the words that go with the picture")
    image: Any = Field(default=None, description="path or http(s) URL of the picture, or null")
    caption: Any = Field(default=None, description="a description of the picture, or null")
    mentions: Any = Field(default=None, description='names, {"text", "type"} each, or null')
    patches: Any = Field(default=None, description="boxes [x1, y1, x2, y2] in pixels, or null")


class Sample(Post):
    """What `Input` holds, for a tool that takes sound and video as well; any one is enough."""

    text: str = Field(default="", description="a text, or nothing")
    images: Any = Field(default=None, description="paths or URLs of several pictures, or null")
    audio: Any = Field(default=None, description="path or http(s) URL of a sound, or null")
    video: Any = Field(default=None, description="path or http(s) URL of a video, or null")
    task: Any = Field(default=None, description="ner, re or ee, or several of them, or null")


class Output(TypedDict, total=False):
    """The fields of `deixis.schema.Extraction`."""

    text: str
    image: Annotated[Any, GivenMedium]
    images: Annotated[Any, GivenBeside]
    audio: Annotated[Any, GivenBeside]
    video: Annotated[Any, GivenBeside]
    transcript: dict[str, Any] | None
    entities: list[dict[str, Any]]
    relations: list[dict[str, Any]]
    events: list[dict[str, Any]]
    caption: str | None
    replies: list[dict[str, Any]]
    usage: list[dict[str, Any]]
    warnings: list[dict[str, Any]]
    types: list[str]


class State(Output, total=False):
    """The channels between; what `Input` has besides is read by `open`.

    ``picture``: the opened picture, or None; ``pictures``: all of them.
    ``mentions``, ``kinds``, ``expressions``, ``verdicts``, ``regions``: by the id of an entity.
    ``knowledge``: id to `Knowledge`.
    ``templates``: template name to visual-knowledge template.
    ``testimonies``: ``m1``, ``m2``, ... to what a committee member said, a `Testimony` or
    `SingleTestimony`.
    ``decisions``: by ``id/step/subject``.
    ``calls``: ``step/seat/number`` to one request to a model; ``notices``: key to `Notice`.
    ``views``: by the number of a picture, from 0, what it has of its own, where there are several.
    ``notes``: what agents of one graph hand on to each other, by names of their own.

    Of sound, video, relations and events: ``sound`` and ``film``, what was opened, or None;
    ``heard``, what was said; ``watched``, the frames that questions show; ``sought``, where an
    entity is to be looked for; ``looks``, by ``entity/medium``, how that went; ``spans`` and
    ``tracks`` by the id of an entity or (spans) of an event; ``related`` and ``happened`` by the
    ids of relations and events.
    """

    patches: Annotated[Any, EphemeralValue]
    task: Any
    picture: PictureRecord | None
    pictures: list[PictureRecord]
    mentions: Merged[Mention]
    templates: Merged[dict[str, Any]]
    observation: Observation
    testimonies: Merged[Any]
    knowledge: Merged[dict[str, Any]]
    kinds: Merged[Kind]
    expressions: Merged[str]
    verdicts: Merged[Verdict]
    regions: Merged[list[PlacedRegion]]
    decisions: Merged[DecisionRecord]
    calls: Merged[CallRecord]
    notices: Merged[dict[str, str]]
    notes: Merged[Any]
    views: Merged[dict[str, Any]]
    sound: SoundRecord | None
    film: FilmRecord | None
    heard: HeardRecord | None
    watched: list[FrameTime]
    sought: Merged[list[Sought]]
    looks: Merged[Look]
    spans: Merged[list[PlacedSpan]]
    tracks: Merged[list[PlacedFrame]]
    related: Merged[RelationRecord]
    happened: Merged[EventRecord]


MERGED = tuple(
    name
    for name, kind in get_type_hints(State, include_extras=True).items()
    if merge in getattr(kind, "__metadata__", ())
)
"""The channels that merge by key."""


class Context(TypedDict, total=False):
    """Roles to swap for one call: ``graph.invoke(post, context={"voter": "openai:..."})``."""

    recognizer: str | None
    captioner: str | None
    corrector: str | None
    entailer: str | None
    second_entailer: str | None
    committee: list[str] | str
    voter: str | None
    expander: str | None
    templater: str | None
    vlm: str | None
    sketcher: str | None
    embedder: str | None
    detector: str | None
    reader: str | None
    segmenter: str | None
    transcriber: str | None
    speech_segmenter: str | None
    tracker: str | None


def added(update: Update, notices: Update) -> Update:
    """Return an update with more notices."""
    given = update.get("notices", {})
    if OVERWRITE in given:
        return {**update, "notices": {OVERWRITE: {**given[OVERWRITE], **notices}}}
    return {**update, "notices": {**given, **notices}}


def joined(*updates: Update) -> Update:
    """Merge updates channel by channel; the newer value of a key stays."""
    channels = dict.fromkeys(channel for update in updates for channel in update)
    return {
        channel: {
            key: value for update in updates for key, value in update.get(channel, {}).items()
        }
        for channel in channels
    }


def type_of(state: State, entity: str) -> str:
    """Return the type of an entity: the one voted for, or else that of its mention."""
    voted = state.get("kinds", {}).get(entity)
    return (voted and voted["type"]) or state["mentions"][entity]["type"]


def description_of(state: State) -> str:
    """Return the description of the picture that the user gave or the captioner wrote, or ""."""
    description: str = state.get("notes", {}).get(DESCRIPTION, "")
    return description


def caption_of(state: State) -> str:
    """Return the description of the picture, or else what tools saw of it in a sentence.

    Empty without either, and when nobody looked.
    """
    observation = state.get("observation")
    return description_of(state) or (observation and observation["caption"]) or ""


def decision(
    entity: str,
    step: str,
    subject: str,
    outcome: str | None,
    *,
    model: str | None = None,
    confidence: float | None = None,
    evidence: Sequence[str] = (),
    replies: Iterable[str] = (),
) -> dict[str, DecisionRecord]:
    """Return one entry for the channel ``decisions``."""
    record = DecisionRecord(
        step=step,
        subject=subject,
        outcome=outcome,
        model=model,
        confidence=confidence,
        evidence=list(evidence),
        replies=list(replies),
    )
    return {f"{entity}/{step}/{subject}": record}


def notice(step: str, message: str, kind: NoticeKind = "degraded") -> dict[str, dict[str, str]]:
    """Return one entry for the channel ``notices``."""
    return {f"{step}/{message}": {"step": step, "message": message, "kind": kind}}
