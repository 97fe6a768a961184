"""What a row of grounded MUIE holds: entities, relations and events in four media."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from deixis.rows import Row, RowEntity, RowRegion, source_of

Task = Literal["ner", "re", "ee"]

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
    ``expression`` is a phrase by which a picture shows it, where somebody wrote one: results of
    graphs that ask for such phrases have them.
    """

    expression: str | None = None
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


class MuieContent(Row):
    """What a row of MUIE has besides its task; ``audio`` and ``video`` are as ``image`` is.

    ``dataset`` is the name of the data set that it comes from. ``aligned`` says whether the
    media tell the same (modality-shared) or each its own (modality-specific); None if unknown.
    """

    dataset: str | None = None
    aligned: bool | None = None
    audio: str | None = None
    video: str | None = None
    entities: tuple[MuieEntity, ...] = ()
    relations: tuple[Relation, ...] = ()
    events: tuple[Event, ...] = ()

    @classmethod
    def plain(cls, data: dict[str, Any]) -> dict[str, Any]:
        """Return the data of an extraction as a row has them; those of a row stay.

        Ids of entities become their places, spans pairs, and the frames of a track are told by
        their index.
        """
        data = super().plain(data)
        entities = _dicts(data, "entities")
        places = {
            each["id"]: n for n, each in enumerate(entities) if isinstance(each.get("id"), str)
        }
        plain: dict[str, Any] = {
            "entities": [{**each, **_spans(each), **_track(each)} for each in entities],
            "relations": [
                _placed(each, places, "subject", "object") for each in _dicts(data, "relations")
            ],
            "events": [_event(each, places) for each in _dicts(data, "events")],
        }
        plain.update((name, source_of(data[name])) for name in ("audio", "video") if name in data)
        return {**data, **{name: made for name, made in plain.items() if made}}


class MuieRow(MuieContent):
    """A row of MUIE: what its task asks for is scored."""

    task: Task


def _dicts(data: dict[str, Any], name: str) -> list[dict[str, Any]]:
    """Return a list of objects; an empty one if it is anything else, which the checks refuse."""
    given = data.get(name)
    whole = isinstance(given, list) and all(isinstance(each, dict) for each in given)
    return given if isinstance(given, list) and whole else []


def _spans(thing: dict[str, Any]) -> dict[str, Any]:
    spans = _dicts(thing, "spans")
    return {"spans": [(each.get("start"), each.get("end")) for each in spans]} if spans else {}


def _track(entity: dict[str, Any]) -> dict[str, Any]:
    """Return the track by frames, several of one frame as one."""
    track = _dicts(entity, "track")
    if not all(isinstance(each.get("index"), int) for each in track):
        return {}
    frames: dict[int, list[Any]] = {}
    for each in track:
        frames.setdefault(each["index"], []).append(each.get("region"))
    made = [{"frame": index, "regions": seen} for index, seen in frames.items()]
    return {"track": made} if made else {}


def _placed(thing: dict[str, Any], places: dict[str, int], *names: str) -> dict[str, Any]:
    """Return what refers to entities with places for ids; an id that there is not stays."""
    known = {name: thing[name] for name in names if isinstance(thing.get(name), str)}
    return {**thing, **{name: places.get(id_, id_) for name, id_ in known.items()}}


def _event(event: dict[str, Any], places: dict[str, int]) -> dict[str, Any]:
    arguments = _dicts(event, "arguments")
    made: dict[str, Any] = (
        {"arguments": [_placed(each, places, "entity") for each in arguments]} if arguments else {}
    )
    trigger = event.get("trigger")
    if isinstance(trigger, dict):
        made["trigger"] = {**trigger, **_spans(trigger)}
    return {**event, **made}
