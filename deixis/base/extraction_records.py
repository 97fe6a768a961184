"""The result of a graph, as plain data: the entities of a sample, and what else was found."""

from collections.abc import Iterator
from typing import Annotated, Self

from pydantic import Field, model_validator

from deixis.base.document_records import DocumentInfo, PageBox
from deixis.base.media_records import (
    AudioInfo,
    Event,
    Frame,
    Relation,
    Span,
    Transcript,
    VideoInfo,
    check_offsets,
)
from deixis.base.records import (
    Decision,
    ImageInfo,
    Knowledge,
    Many,
    ModelReply,
    Notice,
    Record,
    Region,
    Share,
    Usage,
    empty,
)

UNTYPED = "entity"
"""The type of an entity of which no type was asked: an end of a relation, an argument."""


class Entity(Record):
    """One thing that was named, in the text or in another medium, with all that was found out.

    ``start`` and ``end`` are its half-open characters in the text; both are None where the text
    does not name it. ``regions`` are its places in pictures, ``spans`` in sound, ``track`` in the
    frames of a video. ``groundable`` is True (one of the three is not empty), False (an answer:
    it is in none) or None (undecided: nothing was given to look at, or a tool failed); a decision
    says why. ``places`` are where the text of a document names it: one for each line.
    """

    id: str
    text: str = Field(min_length=1)
    start: Annotated[int, Field(ge=0)] | None
    end: Annotated[int, Field(ge=0)] | None
    type: str
    fine_type: str | None = None
    expression: str | None = None
    knowledge: Knowledge = Knowledge()
    groundable: bool | None = None
    confidence: Share
    regions: Many[Region] = Field(default=[])
    spans: Many[Span] = Field(default=[], exclude_if=empty)
    track: Many[Frame] = Field(default=[], exclude_if=empty)
    places: Many[PageBox] = Field(default=[], exclude_if=empty)
    decisions: Many[Decision] = Field(default=[])

    def why(self) -> list[str]:
        """Return the evidence on whether it is shown or heard, and where; the last word first."""
        where = {"groundable", "box", "region", "span", "track"}
        decided = (made for made in reversed(self.decisions) if made.subject in where)
        lines = (line for decision in decided for line in decision.evidence)
        return list(dict.fromkeys(lines))  # a verdict and a box may rest on the same

    @model_validator(mode="after")
    def _check(self) -> Self:
        check_offsets(self.text, self.start, self.end)
        if (self.groundable is True) != bool(self.regions or self.spans or self.track):
            raise ValueError(
                "an entity has regions, spans or a track if, and only if, it is groundable"
            )
        return self


class ExtractionRecord(Record):
    """The result of a graph for one sample: `deixis.schema.Extraction` as data alone.

    ``text`` is "" where none was given. ``image`` is the first picture, ``images`` are all where
    there are several. Spans are of ``audio``, or else of the video's own sound. ``types`` are all
    types that were looked for, in the order of the type schema; results written before it was kept
    have none. ``document`` is what the sample was taken from. What only other media and documents
    have is left out of JSON while it is empty.
    """

    text: str
    image: ImageInfo | None
    images: Many[ImageInfo] = Field(default=[], exclude_if=empty)
    audio: AudioInfo | None = Field(default=None, exclude_if=empty)
    video: VideoInfo | None = Field(default=None, exclude_if=empty)
    transcript: Transcript | None = Field(default=None, exclude_if=empty)
    document: DocumentInfo | None = Field(default=None, exclude_if=empty)
    entities: Many[Entity]
    relations: Many[Relation] = Field(default=[], exclude_if=empty)
    events: Many[Event] = Field(default=[], exclude_if=empty)
    caption: str | None = None
    replies: Many[ModelReply] = Field(default=[])
    usage: Many[Usage] = Field(default=[])
    warnings: Many[Notice] = Field(default=[])
    types: Many[str] = Field(default=[])

    @property
    def pictures(self) -> list[ImageInfo]:
        """All pictures, in the order of `Region.image`."""
        return self.images or ([self.image] if self.image else [])

    def on_page(self, region: Region) -> PageBox:
        """Return where on its page a region is, of a picture of a document.

        Raises:
            ValueError: the sample is from no document, or it is not known where the picture stands.
        """
        if self.document is None or region.image >= len(self.document.pictures):
            raise ValueError("it is not known where on a page this picture stands")
        info, place = self.pictures[region.image], self.document.pictures[region.image]
        left, top, right, bottom = place.box
        across, down = (right - left) / info.width, (bottom - top) / info.height
        x1, y1, x2, y2 = region.box
        box = (left + x1 * across, top + y1 * down, left + x2 * across, top + y2 * down)
        return PageBox(page=place.page, box=box)

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.images and self.image != self.images[0]:
            raise ValueError("image is not the first of images")
        for name, text, start, end in self._offsets():
            if start is not None and self.text[start:end] != text:
                raise ValueError(f"{name} is not at its span in the text")
        for name, spans in self._spans():
            self._check_spans(name, spans)
        for entity in self.entities:
            name = f"entity {entity.id}"
            for region in entity.regions:
                _check_inside(region, name, self._picture_of(region, name), "picture")
            if entity.track and self.video is None:
                raise ValueError(f"{name} has a track, but there is no video")
            for frame in entity.track:
                assert self.video is not None
                _check_inside(frame.region, name, self.video, "video")
        self._check_references()
        self._check_pages()
        return self

    def _check_pages(self) -> None:
        """Check that all pages are those of the document."""
        document = self.document
        if document and document.pictures and len(document.pictures) != len(self.pictures):
            raise ValueError(
                f"the document has places of {len(document.pictures)} pictures, and there are "
                f"{len(self.pictures)}"
            )
        for entity in self.entities:
            pages = [place.page for place in entity.places]
            if document is not None:
                document.check_page(*pages)
            elif pages or any(region.page for region in entity.regions):
                raise ValueError(f"entity {entity.id} is on a page, but there is no document")
            for region in entity.regions:
                if region.page and region.page != self.on_page(region).page:
                    raise ValueError(f"entity {entity.id} has a region on another page's picture")

    def _offsets(self) -> Iterator[tuple[str, str, int | None, int | None]]:
        for entity in self.entities:
            yield f"entity {entity.id}", entity.text, entity.start, entity.end
        for event in self.events:
            if (trigger := event.trigger) is not None:
                yield f"the trigger of {event.id}", trigger.text, trigger.start, trigger.end

    def _spans(self) -> Iterator[tuple[str, list[Span]]]:
        for entity in self.entities:
            yield f"entity {entity.id}", entity.spans
        for event in self.events:
            if event.trigger is not None:
                yield f"the trigger of {event.id}", event.trigger.spans

    def _check_spans(self, name: str, spans: list[Span]) -> None:
        if spans and self.audio is None and not (self.video and self.video.sound):
            raise ValueError(f"{name} has a span of time, but there is no sound")

    def _picture_of(self, region: Region, name: str) -> ImageInfo:
        pictures = self.pictures
        if not pictures:
            raise ValueError(f"{name} has a region, but there is no picture")
        if region.image >= len(pictures):
            raise ValueError(
                f"{name} has a region in picture {region.image}, and there are {len(pictures)}"
            )
        return pictures[region.image]

    def _check_references(self) -> None:
        """Check that relations and arguments name entities, and that no id stands twice."""
        for what in (self.entities, self.relations, self.events):
            ids = [record.id for record in what]
            if len(set(ids)) != len(ids):
                raise ValueError(f"an id stands twice: {', '.join(ids)}")
        known = {entity.id for entity in self.entities}
        named = [(each.id, end) for each in self.relations for end in (each.subject, each.object)]
        named += [(event.id, part.entity) for event in self.events for part in event.arguments]
        for where, entity in named:
            if entity not in known:
                raise ValueError(f"{where} names the entity {entity!r}, which is not there")


def _check_inside(region: Region, name: str, seen: ImageInfo | VideoInfo, kind: str) -> None:
    if region.box[2] > seen.width or region.box[3] > seen.height:
        raise ValueError(
            f"the box {region.box} of {name} leaves the {kind} ({seen.width} x {seen.height})"
        )
    if region.mask is not None and region.mask.size != (seen.height, seen.width):
        raise ValueError(
            f"the mask of {name} has size {region.mask.size}, "
            f"the {kind} {(seen.height, seen.width)} (height, width)"
        )
