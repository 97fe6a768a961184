"""Tables in Parquet, of fixed columns: posts, mentions, relations and events.

A row group is written for every 10,000 rows, so that a file of millions needs no more memory.
"""

from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import IO, Any, Self

from deixis.base.text_files import folder_of
from deixis.errors import MissingExtraError
from deixis.exchange.folders import whole_files
from deixis.exchange.items import Exporter, How, Item, Written
from deixis.exchange.mentions import (
    Happening,
    Link,
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
from deixis.exchange.merged import normalised

_GROUP = 10_000

_BOX = {"x1": "double", "y1": "double", "x2": "double", "y2": "double"}
_SEEN = {
    **_BOX,
    "score": "double",
    "source": "string",
    "mask": {"height": "int32", "width": "int32", "counts": "string"},
}
TABLES: dict[str, dict[str, Any]] = {
    "posts": {
        "post": "string",
        "text": "string",
        "pictures": [{"path": "string", "sha256": "string", "width": "int32", "height": "int32"}],
        "audio": "string",
        "video": "string",
    },
    "mentions": {
        "post": "string",
        "mention": "string",
        "text": "string",
        "name": "string",
        "start": "int32",
        "end": "int32",
        "type": "string",
        "fine_type": "string",
        "expression": "string",
        "groundable": "bool",
        "confidence": "double",
        "image": "string",
        "regions": [{"picture": "int32", "path": "string", **_SEEN}],
        "spans": [{"start": "double", "end": "double", "score": "double"}],
        "frames": [{"frame": "int32", "time": "double", **_SEEN}],
    },
    "relations": {
        "post": "string",
        "relation": "string",
        "type": "string",
        "subject": "string",
        "subject_text": "string",
        "object": "string",
        "object_text": "string",
        "confidence": "double",
    },
    "events": {
        "post": "string",
        "event": "string",
        "type": "string",
        "trigger": "string",
        "start": "int32",
        "end": "int32",
        "confidence": "double",
        "arguments": [
            {"role": "string", "mention": "string", "text": "string", "confidence": "double"}
        ],
    },
}
"""The columns of each table; a list holds many, a dict is a struct; any value may be null."""


def write(items: Iterable[Item], out: Path, how: How) -> Written:
    """Write items into the files of a folder.

    Raises:
        InputError: it cannot be written.
        MissingExtraError: pyarrow is not installed.
    """
    names = [f"{name}.parquet" for name in TABLES]
    where = Where(folder_of(out / names[0]), how.pictures)
    with whole_files(out, names) as files, ExitStack() as opened:
        tables = {
            name: opened.enter_context(_Table(file, TABLES[name]))
            for name, file in zip(TABLES, files.values(), strict=True)
        }
        for item in items:
            _add(item, tables, where)
    return Written([out / name for name in names], {n: each.count for n, each in tables.items()})


class _Table:
    """A file of rows, of which a group is kept until it is written; ``count`` is how many."""

    def __init__(self, file: IO[bytes], columns: Mapping[str, Any]) -> None:
        try:
            import pyarrow
            import pyarrow.parquet
        except ImportError as error:
            raise MissingExtraError("pyarrow", "parquet") from error
        self._schema = pyarrow.schema(list(_fields(columns)))
        self._batch = pyarrow.RecordBatch
        self._writer = pyarrow.parquet.ParquetWriter(file, self._schema, compression="zstd")
        self._rows: list[dict[str, Any]] = []
        self.count = 0

    def add(self, **row: Any) -> None:
        self._rows.append(row)
        self.count += 1
        if len(self._rows) >= _GROUP:
            self._write()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        """Write what is left; of a file that fails, the end alone, for it is thrown away."""
        try:
            if self._rows and kind is None:
                self._write()
        finally:
            self._writer.close()

    def _write(self) -> None:
        self._writer.write_batch(self._batch.from_pylist(self._rows, schema=self._schema))
        self._rows = []


def _fields(columns: Mapping[str, Any]) -> Iterable[Any]:
    import pyarrow

    for name, kind in columns.items():
        if isinstance(kind, list):
            yield pyarrow.field(name, pyarrow.list_(pyarrow.struct(list(_fields(kind[0])))))
        elif isinstance(kind, dict):
            yield pyarrow.field(name, pyarrow.struct(list(_fields(kind))))
        else:
            yield pyarrow.field(name, pyarrow.type_for_alias(kind))


def _add(item: Item, tables: Mapping[str, _Table], where: Where) -> None:
    pictures, audio, video = pictures_of(item, where), audio_of(item, where), video_of(item, where)
    tables["posts"].add(
        post=item.id,
        text=item.row.text,
        pictures=[
            {"path": each.source, "sha256": each.sha256, "width": each.width, "height": each.height}
            for each in pictures
        ],
        audio=audio and audio.source,
        video=video and video.source,
    )
    mentions = mentions_of(item)
    paths = [picture.source for picture in pictures]
    for mention in mentions:
        tables["mentions"].add(post=item.id, **_mention(mention, paths))
    for link in links_of(item):
        tables["relations"].add(post=item.id, **_link(link, mentions))
    for happening in happenings_of(item):
        tables["events"].add(post=item.id, **_happening(happening, mentions))


def _mention(mention: Mention, paths: list[str | None]) -> dict[str, Any]:
    own = ("text", "start", "end", "type", "fine_type", "expression", "groundable", "confidence")
    regions = [
        {"picture": place.picture, "path": _path(place.picture, paths), **_seen(place)}
        for place in mention.places
    ]
    return {
        "mention": mention.id,
        "name": normalised(mention.text),
        **{name: getattr(mention, name) for name in own},
        "image": regions[0]["path"] if regions else _path(0, paths),
        "regions": regions,
        "spans": [span._asdict() for span in mention.spans],
        "frames": [
            {"frame": place.frame, "time": place.time, **_seen(place)} for place in mention.frames
        ],
    }


def _path(picture: int, paths: list[str | None]) -> str | None:
    return paths[picture] if picture < len(paths) else None


def _seen(place: Place) -> dict[str, Any]:
    mask = None
    if place.mask is not None:
        height, width = place.mask.size
        mask = {"height": height, "width": width, "counts": place.mask.counts}
    box = dict(zip(_BOX, place.box, strict=True))
    return {**box, "score": place.score, "source": place.by, "mask": mask}


def _link(link: Link, mentions: list[Mention]) -> dict[str, Any]:
    subject, object_ = mentions[link.subject], mentions[link.object]
    return {
        "relation": link.id,
        "type": link.type,
        "subject": subject.id,
        "subject_text": subject.text,
        "object": object_.id,
        "object_text": object_.text,
        "confidence": link.confidence,
    }


def _happening(event: Happening, mentions: list[Mention]) -> dict[str, Any]:
    return {
        "event": event.id,
        **{name: getattr(event, name) for name in ("type", "trigger", "start", "end")},
        "confidence": event.confidence,
        "arguments": [
            {
                "role": role.role,
                "mention": mentions[role.entity].id,
                "text": mentions[role.entity].text,
                "confidence": role.confidence,
            }
            for role in event.roles
        ],
    }


EXPORTER = Exporter("parquet", "tables for pandas, DuckDB and Spark", write, True, ("pictures",))
