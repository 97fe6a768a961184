"""Gold rows of what a person has corrected: an extraction that says what is right."""

from collections.abc import Mapping
from typing import Any

from deixis.base.extraction_records import Entity, ExtractionRecord
from deixis.base.media_records import Event, Frame, Span, Trigger
from deixis.base.records import Region


def gold_row(
    extraction: ExtractionRecord, id_: str, sources: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Return the row that a corrected extraction is, as `MuieContent` reads it.

    What only a run knows is left out: confidence, votes, decisions, replies. ``regions`` is None
    of an entity that nobody has looked for, and empty of one that is not to be seen; so are
    ``spans`` and ``track`` of one that is in none of the media that there are. Of a document
    ``document`` stays, and so do the pages and ``places`` of entities.

    Args:
        extraction: what is right.
        id_: of the row.
        sources: paths or URLs of ``image``, ``images``, ``audio`` and ``video`` in place of those
            that the extraction names.
    """
    places = {entity.id: place for place, entity in enumerate(extraction.entities)}
    row: dict[str, Any] = {"id": id_, "text": extraction.text, **_media(extraction, sources or {})}
    if extraction.image is not None:
        row["size"] = [extraction.image.width, extraction.image.height]
    if extraction.document is not None:
        row["document"] = extraction.document.model_dump(mode="json")
    row["entities"] = [
        _entity(entity, _absent(entity, extraction)) for entity in extraction.entities
    ]
    if extraction.relations:
        row["relations"] = [
            {"subject": places[each.subject], "type": each.type, "object": places[each.object]}
            for each in extraction.relations
        ]
    if extraction.events:
        row["events"] = [_event(each, places) for each in extraction.events]
    return row


def _media(extraction: ExtractionRecord, sources: Mapping[str, Any]) -> dict[str, Any]:
    named = {
        "image": extraction.image and extraction.image.source,
        "images": [each.source for each in extraction.images] or None,
        "audio": extraction.audio and extraction.audio.source,
        "video": extraction.video and extraction.video.source,
    }
    named |= {name: source for name, source in sources.items() if named.get(name)}
    # A row without a picture says so, as the rows of all data sets do.
    return {name: each for name, each in named.items() if each or name == "image"}


def _absent(entity: Entity, extraction: ExtractionRecord) -> dict[str, Any]:
    """Return empty places in sound and video for an entity of which it is said that it has none."""
    if entity.groundable is not False:
        return {}
    heard = extraction.audio or (extraction.video and extraction.video.sound)
    return ({"spans": []} if heard else {}) | ({"track": []} if extraction.video else {})


def _entity(entity: Entity, absent: dict[str, Any]) -> dict[str, Any]:
    made: dict[str, Any] = {"text": entity.text}
    if entity.start is not None:
        made |= {"start": entity.start, "end": entity.end}
    made["type"] = entity.type
    if entity.fine_type is not None:
        made["fine_type"] = entity.fine_type
    looked = entity.groundable is not None
    made["regions"] = [_region(region) for region in entity.regions] if looked else None
    made |= absent
    if entity.spans:
        made["spans"] = _spans(entity.spans)
    if entity.track:
        made["track"] = _track(entity.track)
    if entity.places:
        made["places"] = [place.model_dump(mode="json") for place in entity.places]
    return made


def _region(region: Region) -> dict[str, Any]:
    made: dict[str, Any] = {"box": list(region.box)}
    if region.mask is not None:
        made["mask"] = region.mask.model_dump(mode="json")
    if region.image:
        made["image"] = region.image
    if region.page is not None:
        made["page"] = region.page
    return made


def _spans(spans: list[Span]) -> list[list[float]]:
    return [[span.start, span.end] for span in spans]


def _track(track: list[Frame]) -> list[dict[str, Any]]:
    frames: dict[int, list[dict[str, Any]]] = {}
    for frame in track:
        frames.setdefault(frame.index, []).append(_region(frame.region))
    return [{"frame": index, "regions": regions} for index, regions in frames.items()]


def _trigger(trigger: Trigger) -> dict[str, Any]:
    made: dict[str, Any] = {"text": trigger.text}
    if trigger.start is not None:
        made |= {"start": trigger.start, "end": trigger.end}
    return made | ({"spans": _spans(trigger.spans)} if trigger.spans else {})


def _event(event: Event, places: Mapping[str, int]) -> dict[str, Any]:
    return {
        "type": event.type,
        "trigger": event.trigger and _trigger(event.trigger),
        "arguments": [
            {"role": part.role, "entity": places[part.entity]} for part in event.arguments
        ],
    }
