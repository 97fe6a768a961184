"""One item on its way to RDF: the IRIs of what it holds, and the regions of its mentions."""

from collections.abc import Iterator
from typing import NamedTuple

from deixis.exchange.items import Item
from deixis.exchange.mentions import (
    Medium,
    Mention,
    Place,
    Where,
    audio_of,
    mentions_of,
    pictures_of,
    video_of,
)
from deixis.exchange.rdf_terms import Node, facts, iri_of_url, number, part, seconds, xywh

Named = tuple[str, Medium]
"""A medium, and its IRI."""


class Region(NamedTuple):
    """Where something is seen or heard: the class of the medium, its IRI, a media fragment.

    ``fragment`` is None where nobody can say it; ``place`` is None of a span of sound.
    """

    kind: str
    medium: str
    fragment: str | None
    score: float | None
    place: Place | None


class Post(NamedTuple):
    """One item; ``run`` is the IRI of who made it.

    ``pictures`` are by their place. Media that something is said of are there, named or not.
    """

    item: Item
    iri: str
    mentions: list[Mention]
    pictures: dict[int, Named]
    audio: Named | None
    video: Named | None
    run: str | None

    @classmethod
    def of(cls, item: Item, base: str, where: Where, run: str | None) -> "Post":
        """Return the post of an item; IRIs begin with `base`."""
        iri = f"{base}post/{part(item.id)}"

        def named(kind: str, medium: Medium, place: int = 0) -> Named:
            if medium.is_url and medium.source is not None:
                return iri_of_url(medium.source), medium
            if name := medium.sha256 or medium.source:
                return f"{base}{kind}/{part(name)}", medium
            return f"{iri}/{kind}/{place + 1}", medium

        audio, video, mentions = audio_of(item, where), video_of(item, where), mentions_of(item)
        pictures = dict(enumerate(pictures_of(item, where)))
        for place in (place for mention in mentions for place in mention.places):
            pictures.setdefault(place.picture, Medium(None))
        if any(mention.frames for mention in mentions):
            video = video or Medium(None)
        if any(mention.spans for mention in mentions) and not video:
            audio = audio or Medium(None)
        return cls(
            item,
            iri,
            mentions,
            {place: named("picture", each, place) for place, each in pictures.items()},
            named("audio", audio) if audio else None,
            named("video", video) if video else None,
            run,
        )

    def media(self) -> list[tuple[str, str, Medium]]:
        """Return the class, the IRI and what is known of each medium."""
        media = [("schema:ImageObject", *picture) for picture in self.pictures.values()]
        media += [("schema:AudioObject", *self.audio)] if self.audio else []
        return [*media, *([("schema:VideoObject", *self.video)] if self.video else [])]

    def mention(self, place: int) -> str:
        """Return the IRI of a mention."""
        return f"{self.iri}/mention/{part(self.mentions[place].id)}"

    def made(self, confidence: float | None) -> list[tuple[str, str]]:
        """Say from which post something is, who made it, and how sure it is."""
        return facts(
            ("deixis:confidence", None if confidence is None else number(confidence)),
            ("prov:wasDerivedFrom", self.iri),
            ("prov:wasGeneratedBy", self.run),
        )

    def words(self, text: str | None, start: int | None, end: int | None) -> Node | None:
        """Return the node of words of the text (RFC 5147: characters, half-open)."""
        if text is None or start is None or end is None:
            return None
        return Node(
            f"{self.iri}#char={start},{end}",
            ["nif:Phrase"],
            facts(
                ("nif:referenceContext", self.iri),
                ("nif:beginIndex", str(start)),
                ("nif:endIndex", str(end)),
                ("nif:anchorOf", text),
            ),
        )

    def regions(self, mention: Mention) -> Iterator[Region]:
        """Yield where a mention is seen and heard."""
        for place in mention.places:
            iri, _ = self.pictures[place.picture]
            yield Region("schema:ImageObject", iri, xywh(place.box), place.score, place)
        if sound := self.audio or self.video:
            kind = "schema:AudioObject" if self.audio else "schema:VideoObject"
            for span in mention.spans:
                fragment = seconds(span.start, span.end)
                yield Region(kind, sound[0], fragment, span.score, None)
        if self.video:
            iri, video = self.video
            for place in mention.frames:
                time: str | None = None
                if place.time is not None and video.rate:
                    time = seconds(place.time, place.time + 1 / video.rate)
                shown = time and f"{time}&{xywh(place.box)}"
                yield Region("schema:VideoObject", iri, shown, place.score, place)
