"""The entities of an extraction as drawings show them: marks on a picture, spans of its text."""

from typing import TYPE_CHECKING

from deixis.show.panels import Mark, Span, colour

if TYPE_CHECKING:
    from deixis.base.extraction_records import Entity, ExtractionRecord


def spans_of(extraction: "ExtractionRecord") -> list[Span]:
    """Return where entities are in the text, with their numbers from 0."""
    places = [(entity.start, entity.end) for entity in extraction.entities]
    return [
        (start, end, i)
        for i, (start, end) in enumerate(places)
        if start is not None and end is not None
    ]


def marks_of(extraction: "ExtractionRecord", picture: int = 0) -> list[Mark]:
    """Return a mark for each entity, with its boxes and masks in one of the pictures."""
    absent = "not found" if extraction.audio or extraction.video else "not visible"
    marks = []
    for i, entity in enumerate(extraction.entities):
        regions = [region for region in entity.regions if region.image == picture]
        masks = [None if region.mask is None else region.mask.to_array() for region in regions]
        note = kind_of(entity) + ("" if regions else _elsewhere(entity, absent))
        marks.append(Mark(entity.text, colour(i), [each.box for each in regions], masks, note))
    return marks


def kind_of(entity: "Entity") -> str:
    """Return the type of an entity, with its fine type if it has one."""
    return f"{entity.type} / {entity.fine_type}" if entity.fine_type else entity.type


def _elsewhere(entity: "Entity", absent: str) -> str:
    """Say of an entity that is not in a picture what is known of it instead."""
    if not entity.groundable:
        return ", undecided" if entity.groundable is None else f", {absent}"
    pictures = sorted({region.image + 1 for region in entity.regions})
    places = [f"in picture {', '.join(map(str, pictures))}"] if pictures else []
    places += ["in the video"] if entity.track else []
    places += ["heard"] if entity.spans else []
    return f", {', '.join(places)}"
