"""What an item says, whether a graph or a person has made it: for forms that are graphs or tables.

A gold row has no confidence, no scores and no ids: they are None here, and ids are ``e1``, ``r1``
and so on, as those of results.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

from deixis.base.boxes import Box
from deixis.base.records import Mask
from deixis.base.urls import without_credentials
from deixis.exchange.items import Item, relative_to

_NO_PATHS = {"bytes", "PIL image", "array"}
"""What a result calls a picture that was no file."""


class Medium(NamedTuple):
    """A picture, a sound or a video.

    ``source`` is a path or a URL, as whoever reads the exported file finds it; None where it was
    never a file. ``rate`` is how many frames of a video are shown in a second.
    """

    source: str | None
    sha256: str | None = None
    width: int | None = None
    height: int | None = None
    rate: float | None = None

    @property
    def is_url(self) -> bool:
        """Whether it is an http(s) URL."""
        return self.source is not None and self.source.lower().startswith(("http://", "https://"))


class Place(NamedTuple):
    """A region: of which picture (from 0), its box in pixels, its mask, how sure, and who says so.

    ``frame`` and ``time`` (seconds) are of a frame of the video; the time is None where it is not
    known.
    """

    picture: int
    box: Box
    mask: Mask | None
    score: float | None = None
    by: str | None = None
    frame: int | None = None
    time: float | None = None


class Heard(NamedTuple):
    """When something is heard, in seconds, and how sure."""

    start: float
    end: float
    score: float | None = None


class Mention(NamedTuple):
    """One entity of one post. ``groundable`` is None where nobody has looked, or decided."""

    id: str
    text: str
    start: int | None
    end: int | None
    type: str
    fine_type: str | None
    expression: str | None
    groundable: bool | None
    confidence: float | None
    places: list[Place]
    spans: list[Heard]
    frames: list[Place]


class Link(NamedTuple):
    """A relation; ``subject`` and ``object`` are places in the list of mentions."""

    id: str
    subject: int
    type: str
    object: int
    confidence: float | None


class Role(NamedTuple):
    """What a mention, by its place in the list, is in an event."""

    role: str
    entity: int
    confidence: float | None


class Happening(NamedTuple):
    """An event, and where in the text the word for it stands, if there is one."""

    id: str
    type: str
    trigger: str | None
    start: int | None
    end: int | None
    confidence: float | None
    roles: list[Role]


class Where(NamedTuple):
    """How the paths of media are written: behind a prefix, or relative to the exported file."""

    folder: Path
    prefix: str | None = None

    def of(self, item: Item, source: str | None) -> str | None:
        """Return the path or URL of a medium, without credentials."""
        if not source or source in _NO_PATHS or source[:5].lower() == "data:":
            return None
        if "://" in source:
            return without_credentials(source)
        if self.prefix is not None:
            # In a URL, `#` and `?` would end the path.
            return self.prefix + (quote(source) if "://" in self.prefix else source)
        return relative_to(self.folder, item.opened(source))


def pictures_of(item: Item, where: Where) -> list[Medium]:
    """Return all pictures, in the order of `Place.picture`."""
    if item.extraction is not None:
        return [
            Medium(where.of(item, info.source), info.sha256, info.width, info.height)
            for info in item.extraction.pictures
        ]
    sources: Sequence[str] = item.row.images or ([item.row.image] if item.row.image else [])
    pictures = [Medium(where.of(item, source)) for source in sources]
    if pictures and item.row.size:
        width, height = item.row.size
        pictures[0] = pictures[0]._replace(width=width, height=height)
    return pictures


def audio_of(item: Item, where: Where) -> Medium | None:
    """Return the sound, if there is one."""
    if item.extraction is not None and (info := item.extraction.audio):
        return Medium(where.of(item, info.source), info.sha256)
    return Medium(where.of(item, item.row.audio)) if item.row.audio else None


def video_of(item: Item, where: Where) -> Medium | None:
    """Return the video, if there is one."""
    if item.extraction is not None and (info := item.extraction.video):
        source = where.of(item, info.source)
        return Medium(source, info.sha256, info.width, info.height, info.rate)
    return Medium(where.of(item, item.row.video)) if item.row.video else None


def mentions_of(item: Item) -> list[Mention]:
    """Return the entities of an item, in their order."""
    return _found(item) if item.extraction is not None else _gold(item)


def _found(item: Item) -> list[Mention]:
    assert item.extraction is not None
    return [
        Mention(
            each.id,
            each.text,
            each.start,
            each.end,
            each.type,
            each.fine_type,
            each.expression,
            each.groundable,
            each.confidence,
            [Place(r.image, r.box, r.mask, r.score, r.source) for r in each.regions],
            [Heard(span.start, span.end, span.score) for span in each.spans],
            [
                Place(0, f.region.box, f.region.mask, f.region.score, f.region.source, *f_at)
                for f in each.track
                for f_at in [(f.index, f.time)]
            ],
        )
        for each in item.extraction.entities
    ]


def _gold(item: Item) -> list[Mention]:
    made = []
    for number, each in enumerate(item.row.entities, start=1):
        looked = [seen for seen in (each.regions, each.spans, each.track) if seen is not None]
        frames = [
            Place(0, region.box, region.mask, frame=frame.frame)
            for frame in each.track or ()
            for region in frame.regions
        ]
        made.append(
            Mention(
                f"e{number}",
                each.text,
                each.start,
                each.end,
                each.type,
                each.fine_type,
                each.expression,
                any(looked) if looked else None,
                None,
                [Place(region.image, region.box, region.mask) for region in each.regions or ()],
                [Heard(*span) for span in each.spans or ()],
                frames,
            )
        )
    return made


def links_of(item: Item) -> list[Link]:
    """Return the relations of an item."""
    found = item.extraction.relations if item.extraction is not None else None
    return [
        Link(
            found[number].id if found else f"r{number + 1}",
            each.subject,
            each.type,
            each.object,
            found[number].confidence if found else None,
        )
        for number, each in enumerate(item.row.relations)
    ]


def happenings_of(item: Item) -> list[Happening]:
    """Return the events of an item."""
    found = item.extraction.events if item.extraction is not None else None
    made = []
    for number, each in enumerate(item.row.events):
        own = found[number] if found else None
        trigger = each.trigger
        made.append(
            Happening(
                own.id if own else f"v{number + 1}",
                each.type,
                trigger.text if trigger else None,
                trigger.start if trigger else None,
                trigger.end if trigger else None,
                own.confidence if own else None,
                [
                    Role(part.role, part.entity, own.arguments[n].confidence if own else None)
                    for n, part in enumerate(each.arguments)
                ],
            )
        )
    return made
