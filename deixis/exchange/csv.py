"""A folder of CSV files as ``neo4j-admin database import`` reads them: nodes and relationships.

What stands in a cell is what was given, also where it begins with ``=``: a spreadsheet is to open
these files as text.
"""

import csv
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import IO, Any

from deixis.base.text_files import folder_of
from deixis.exchange.folders import whole_files
from deixis.exchange.items import Exporter, How, Item, Written
from deixis.exchange.labels import LeftOut
from deixis.exchange.mentions import (
    Medium,
    Mention,
    Place,
    Where,
    audio_of,
    happenings_of,
    links_of,
    mentions_of,
    pictures_of,
    video_of,
)
from deixis.exchange.merged import Entities, Merged
from deixis.exchange.rdf_terms import part

HEADERS = {
    "posts": ("id:ID(Post)", "text", "audio", "video", ":LABEL"),
    "pictures": ("id:ID(Picture)", "path", "sha256", "width:int", "height:int", ":LABEL"),
    "entities": ("id:ID(Entity)", "name", "type", ":LABEL"),
    "events": ("id:ID(Event)", "type", "trigger", "confidence:double", ":LABEL"),
    "mentions": (
        *(":START_ID(Post)", ":END_ID(Entity)", "mention", "text", "start:int", "end:int"),
        *("fine_type", "expression", "groundable:boolean", "confidence:double", ":TYPE"),
    ),
    "has_picture": (":START_ID(Post)", ":END_ID(Picture)", "place:int", ":TYPE"),
    "shows": (
        *(":START_ID(Picture)", ":END_ID(Entity)", "post", "mention"),
        *("x1:double", "y1:double", "x2:double", "y2:double", "score:double", "by", ":TYPE"),
    ),
    "relations": (
        *(":START_ID(Entity)", ":END_ID(Entity)", "post", "relation", "subject", "object"),
        *("confidence:double", ":TYPE"),
    ),
    "has_event": (":START_ID(Post)", ":END_ID(Event)", ":TYPE"),
    "arguments": (":START_ID(Event)", ":END_ID(Entity)", "mention", "confidence:double", ":TYPE"),
}
"""The columns of each file: of nodes those with an ID, of relationships the others."""


def write(items: Iterable[Item], out: Path, how: How) -> Written:
    """Write items into the files of a folder.

    Raises:
        InputError: it cannot be written.
    """
    names = [f"{name}.csv" for name in HEADERS]
    with whole_files(out, names) as files:
        tables = _Tables(files, Where(folder_of(out / names[0]), how.pictures))
        for item in items:
            tables.add(item)
        tables.end()
    return Written([out / name for name in names], tables.counts, tables.left_out)


class _Tables:
    def __init__(self, files: Mapping[str, IO[bytes]], where: Where) -> None:
        # CRLF, so that a lone CR in a cell is quoted by every version of the writer.
        self._writers = {
            name: csv.writer(_Encoded(file), lineterminator="\r\n")
            for name, file in zip(HEADERS, files.values(), strict=True)
        }
        for name, header in HEADERS.items():
            self._writers[name].writerow(header)
        self._where = where
        self._entities = Entities()
        self._pictures: set[str] = set()
        self._counts: Counter[str] = Counter()
        self._left = LeftOut()

    def add(self, item: Item) -> None:
        """Write what an item holds; entities, which are one over all items, come at the end."""
        audio, video = audio_of(item, self._where), video_of(item, self._where)
        sources = [each and each.source for each in (audio, video)]
        self._row("posts", item.id, item.row.text, *sources, "Post")
        mentions = mentions_of(item)
        pictures = dict(enumerate(pictures_of(item, self._where)))
        for place in (place for mention in mentions for place in mention.places):
            pictures.setdefault(place.picture, Medium(None))
        keys = {n: self._picture(item, n, each) for n, each in pictures.items()}
        entities = [_id(self._entities.of(mention)) for mention in mentions]
        for mention, entity in zip(mentions, entities, strict=True):
            self._mention(item, mention, entity)
            for place in mention.places:
                self._shows(item, mention, entity, place, keys[place.picture])
        for link in links_of(item):
            ends = (link.subject, link.object)
            named = (entities[end] for end in ends)
            ids = (mentions[end].id for end in ends)
            self._row("relations", *named, item.id, link.id, *ids, link.confidence, link.type)
        for event in happenings_of(item):
            id_ = f"{part(item.id)}/{event.id}"
            self._row(
                "events",
                id_,
                event.type,
                event.trigger,
                event.confidence,
                _labels("Event", event.type),
            )
            self._row("has_event", item.id, id_, "HAS_EVENT")
            for role in event.roles:
                who = mentions[role.entity].id
                self._row("arguments", id_, entities[role.entity], who, role.confidence, role.role)

    def _picture(self, item: Item, place: int, picture: Medium) -> str:
        id_ = picture.sha256 or picture.source or f"{part(item.id)}/picture/{place + 1}"
        if id_ not in self._pictures:
            self._pictures.add(id_)
            size = picture.width, picture.height
            self._row("pictures", id_, picture.source, picture.sha256, *size, "Picture")
        self._row("has_picture", item.id, id_, place, "HAS_PICTURE")
        return id_

    def _mention(self, item: Item, mention: Mention, entity: str) -> None:
        seen = None if mention.groundable is None else str(mention.groundable).lower()
        span = (mention.start, mention.end)
        said = (mention.fine_type, mention.expression, seen, mention.confidence)
        self._row("mentions", item.id, entity, mention.id, mention.text, *span, *said, "MENTIONS")
        for _ in mention.spans:
            self._left.add("spans of sound: they have no column", item.id)
        for _ in mention.frames:
            self._left.add("regions in frames: they have no column", item.id)

    def _shows(self, item: Item, mention: Mention, entity: str, place: Place, key: str) -> None:
        by = (place.score, place.by)
        self._row("shows", key, entity, item.id, mention.id, *place.box, *by, "SHOWS")
        if place.mask is not None:
            self._left.add("masks: they have no column", item.id)

    def end(self) -> None:
        """Write the entities."""
        for entity in self._entities:
            labels = _labels("Entity", entity.type, *entity.fine_types)
            self._row("entities", _id(entity), entity.names[0], entity.type, labels)

    def _row(self, table: str, *cells: Any) -> None:
        self._counts[table] += 1
        self._writers[table].writerow(cells)

    @property
    def counts(self) -> dict[str, int]:
        """How many rows each file has."""
        return {name: self._counts[name] for name in HEADERS}

    @property
    def left_out(self) -> list[str]:
        """What has no column."""
        return self._left.lines()


def _id(entity: Merged) -> str:
    return f"{part(entity.type)}/{entity.key}"


def _labels(*names: str) -> str:
    """Return a list of labels: a semicolon stands between two of them."""
    clean = (re.sub(r"[;\x00-\x1f]+", "_", name) for name in names)
    return ";".join(dict.fromkeys(name for name in clean if name.strip()))


class _Encoded:
    """What `csv.writer` writes to: a file of bytes."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file

    def write(self, text: str) -> int:
        return self._file.write(text.encode())


EXPORTER = Exporter("csv", "nodes and relationships for Neo4j", write, True, ("pictures",))
