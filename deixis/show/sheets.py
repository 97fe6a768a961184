"""An extraction as a page shows it: rows, runs of its text, pictures with boxes."""

from typing import TYPE_CHECKING, NamedTuple

from deixis.show import graph_drawing
from deixis.show.drawing import draw_marks
from deixis.show.entity_marks import kind_of, marks_of, spans_of
from deixis.show.film import Film, film
from deixis.show.media import Media, check_media, picture_of
from deixis.show.panels import Colour, colour, ink, runs
from deixis.show.templates import data_uri
from deixis.show.timeline import Timeline, timeline

if TYPE_CHECKING:
    from collections.abc import Sequence

    from deixis.base.extraction_records import Entity, ExtractionRecord
    from deixis.base.media_records import AudioInfo, Event, Relation, VideoInfo
    from deixis.base.records import Decision, ImageInfo
    from deixis.show.graph_drawing import Drawing

_SEEN = {True: "yes", False: "no", None: "undecided"}
_PAGE_SIDE = 1600  # pixels of the longer side of a picture in a page


class Row(NamedTuple):
    """An entity as the page shows it."""

    number: int
    entity: "Entity"
    back: str
    ink: str
    kind: str
    seen: str
    why: list[str]


class Linked(NamedTuple):
    """A relation or an event, with the rows of its ends (None where one is not shown)."""

    record: "Relation | Event"
    rows: "list[Row | None]"
    why: list[str]


class Sheet(NamedTuple):
    """An extraction as the page shows it: ``runs`` are words, row or None, numbers after them."""

    extraction: "ExtractionRecord"
    pictures: list[str]
    runs: list[tuple[str, Row | None, list[Row]]]
    rows: list[Row]
    relations: list[Linked]
    events: list[Linked]
    drawing: "Drawing | None"
    film: Film | None
    timeline: Timeline | None

    @property
    def plays(self) -> bool:
        """Whether there is something to play, which takes a script."""
        return bool((self.timeline and self.timeline.uri) or (self.film and self.film.plays))

    @property
    def linked(self) -> list[Linked]:
        """Relations and events."""
        return [*self.relations, *self.events]

    @property
    def media(self) -> "list[ImageInfo | AudioInfo | VideoInfo]":
        """What was given beside the text."""
        found = self.extraction
        others = (each for each in (found.audio, found.video) if each is not None)
        return [*found.pictures, *others]


def sheet_of(extraction: "ExtractionRecord", media: Media) -> Sheet:
    """Prepare an extraction.

    Raises:
        InputError: a picture cannot be opened, or what is given is not what was looked at or
            heard.
    """
    check_media(extraction, media)
    pictures = []
    for number in range(max(1, len(extraction.pictures))):
        pixels = picture_of(extraction, media.image(number), number)
        if pixels is not None:
            shown = draw_marks(pixels, marks_of(extraction, number))
            pictures.append(data_uri(shown, _PAGE_SIDE, quality=88))
    rows = rows_of(extraction)
    pieces = [
        (
            extraction.text[start:end],
            None if mark is None else rows[mark],
            [row for row in rows if row.entity.end == end],
        )
        for start, end, mark in runs(extraction.text, spans_of(extraction))
    ]
    return Sheet(
        extraction,
        pictures,
        pieces,
        rows,
        *linked(extraction, rows),
        graph_drawing.drawing(extraction),
        film(extraction, media),
        timeline(extraction, media),
    )


def rows_of(extraction: "ExtractionRecord") -> list[Row]:
    """Return the entities as pages show them."""
    return [_row(i, entity) for i, entity in enumerate(extraction.entities)]


def linked(
    extraction: "ExtractionRecord", rows: "Sequence[Row]"
) -> tuple[list[Linked], list[Linked]]:
    """Return relations and events with the rows of their entities."""
    by_id = {row.entity.id: row for row in rows}
    relations = [
        Linked(each, [by_id.get(each.subject), by_id.get(each.object)], why(each.decisions))
        for each in extraction.relations
    ]
    events = [
        Linked(each, [by_id.get(part.entity) for part in each.arguments], why(each.decisions))
        for each in extraction.events
    ]
    return relations, events


def why(decisions: "Sequence[Decision]") -> list[str]:
    """Return the evidence of decisions, the last word first, each line once."""
    lines = (line for decision in reversed(decisions) for line in decision.evidence)
    return list(dict.fromkeys(lines))


def _row(index: int, entity: "Entity") -> Row:
    back = colour(index)
    return Row(
        index + 1,
        entity,
        css(back),
        css(ink(back)),
        kind_of(entity),
        _SEEN[entity.groundable],
        entity.why(),
    )


def css(tint: Colour) -> str:
    """Return a colour as style sheets write it."""
    return f"rgb({tint[0]} {tint[1]} {tint[2]})"
