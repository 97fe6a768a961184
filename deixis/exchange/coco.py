"""COCO instances: all pictures of a file in one document, and gold rows of any such document.

What COCO has no room for stands under ``deixis``: the posts, with all their entities, relations
and events, so that one without a box is not lost.
"""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from tempfile import SpooledTemporaryFile
from typing import IO, Any

from deixis.base.atomic import whole_file
from deixis.errors import InputError
from deixis.exchange.coco_read import read
from deixis.exchange.items import Exporter, How, Importer, Item, Written
from deixis.exchange.labels import Labels, LeftOut
from deixis.exchange.sizes import picture_sizes, pictures_of, video_size
from deixis.formats.muie_rows import MuieEntity
from deixis.rows import RowRegion
from deixis.show.detections import coco_shape

_IN_MEMORY = 1 << 24  # bytes of each list, before it is put on disk


def write(items: Iterable[Item], out: Path, how: How) -> Written:
    """Write one document; only the names of types are held in memory.

    Raises:
        InputError: the file cannot be written.
    """
    try:
        with whole_file(out) as file, _Lists(how) as lists:
            for item in items:
                lists.add(item)
            lists.write(file)
    except OSError as error:
        raise InputError(f"cannot write {out}: {error.strerror}") from None
    counts = {"posts": lists.posts, "images": lists.images, "annotations": lists.annotations}
    return Written([out], counts, lists.left.lines())


class _Lists:
    """The lists of a document, each written apart while the items come."""

    def __init__(self, how: How) -> None:
        self.left = LeftOut()
        self.posts = self.images = self.annotations = 0
        self._how, self._labels = how, Labels(how.schema)
        self._types: dict[str, int] = {}
        self._tracks = 0
        self._files: dict[str, IO[bytes]] = {
            name: SpooledTemporaryFile(_IN_MEMORY)  # noqa: SIM115  # closed when this is left
            for name in ("images", "annotations", "posts")
        }

    def __enter__(self) -> "_Lists":
        return self

    def __exit__(self, *_: object) -> None:
        for file in self._files.values():
            file.close()

    def add(self, item: Item) -> None:
        """Write the pictures, the regions and the post of an item."""
        self._labels.add(item)
        self.posts += 1
        sizes, sources = picture_sizes(item), pictures_of(item)
        pictures = [
            self._image(item, source, size, {"picture": place})
            for place, (source, size) in enumerate(zip(sources, sizes, strict=True))
        ]
        frames = self._frames(item)
        post = item.row.model_dump(mode="json", exclude_none=True, exclude={"entities"})
        post["entities"] = [
            self._entity(item, place, entity, pictures, frames)
            for place, entity in enumerate(item.row.entities)
        ]
        self._put("posts", post)

    def _frames(self, item: Item) -> dict[int, int]:
        tracks = [frame for entity in item.row.entities for frame in entity.track or ()]
        seen = sorted({frame.frame for frame in tracks if frame.regions})
        if not seen:
            return {}
        size, video = video_size(item), item.row.video or "video"
        return {
            index: self._image(
                item, f"{video}#frame-{index:06d}", size and size[:2], {"frame": index}
            )
            for index in seen
        }

    def _image(
        self, item: Item, source: str, size: tuple[int, int] | None, which: dict[str, int]
    ) -> int:
        self.images += 1
        name = source if "://" in source else f"{self._how.pictures or ''}{source}"
        sides = {"width": size[0], "height": size[1]} if size else {}
        if not sides:
            self.left.add("sizes that nobody knows: images without width and height", item.id)
        about = {"id": self.images, "file_name": name, **sides}
        self._put("images", about | {"post_id": item.id, "text": item.row.text} | which)
        return self.images

    def _entity(
        self,
        item: Item,
        place: int,
        entity: MuieEntity,
        pictures: list[int],
        frames: dict[int, int],
    ) -> dict[str, Any]:
        """Write the regions of an entity; return what is left to say of it."""
        names: dict[str, Any] = {
            "post_id": item.id,
            "entity_id": f"e{place}",
            "entity_text": entity.text,
        }
        about = {"start": entity.start, "end": entity.end, "fine_type": entity.fine_type}
        names |= {name: each for name, each in about.items() if each is not None}
        record = item.extraction and item.extraction.entities[place]
        made = entity.model_dump(mode="json", exclude_none=True, exclude={"regions", "track"})
        made["id"] = f"e{place}"
        if entity.regions is not None:
            made["looked"] = True
        for number, region in enumerate(entity.regions or ()):
            if region.image >= len(pictures):
                self.left.add("regions in pictures that the post does not have", item.id)
                continue
            score = {"score": record.regions[number].score} if record else {}
            self._annotation(item, pictures[region.image], entity.type, region, names | score)
        if entity.track is not None:
            made["frames"] = [frame.frame for frame in entity.track]
            self._tracks += 1
        for frame in entity.track or ():
            for region in frame.regions:
                track = {"track_id": self._tracks}
                self._annotation(item, frames[frame.frame], entity.type, region, names | track)
        return made

    def _annotation(
        self, item: Item, image: int, kind: str, region: RowRegion, names: dict[str, Any]
    ) -> None:
        self.annotations += 1
        try:
            shape = coco_shape(region)
        except ValueError:
            self.left.add("masks whose run lengths do not fill them", item.id)
            shape = coco_shape(region.model_copy(update={"mask": None}))
        given = {"id": self.annotations, "image_id": image, **shape, "iscrowd": 0} | names
        number = self._types.setdefault(kind, len(self._types))
        # Categories are numbered when all are known: the number is put in front of the line.
        self._files["annotations"].write(f"{number} ".encode() + _json(given) + b"\n")

    def _put(self, name: str, thing: dict[str, Any]) -> None:
        self._files[name].write(_json(thing) + b"\n")

    def write(self, file: IO[bytes]) -> None:
        """Put the document together."""
        types = dict.fromkeys([*self._labels.types(), *self._types])
        numbers = {name: number for number, name in enumerate(types, start=1)}
        category = [numbers[name] for name in self._types]
        file.write(b'{"info": ' + _json({"description": f"{self.posts} posts"}))
        listed = [{"id": number, "name": name} for name, number in numbers.items()]
        file.write(b',\n"categories": ' + _json(listed))
        file.write(b',\n"images": [')
        _copy(file, self._lines("images"))
        file.write(b'],\n"annotations": [')
        pairs = (line.split(b" ", 1) for line in self._lines("annotations"))
        _copy(file, (b'{"category_id": %d, ' % category[int(n)] + line[1:] for n, line in pairs))
        file.write(b'],\n"deixis": {"posts": [')
        _copy(file, self._lines("posts"))
        file.write(b"]}}\n")

    def _lines(self, name: str) -> Iterator[bytes]:
        self._files[name].seek(0)
        return (line.rstrip(b"\n") for line in self._files[name])


def _json(thing: Any) -> bytes:
    return json.dumps(thing, ensure_ascii=False).encode("utf-8", "replace")


def _copy(file: IO[bytes], lines: Iterable[bytes]) -> None:
    for number, line in enumerate(lines):
        file.write(b",\n" + line if number else b"\n" + line)


EXPORTER = Exporter(
    "coco",
    "one COCO document of instances: boxes and masks of all pictures, and the posts",
    write,
    options=("pictures", "schema"),
)
IMPORTER = Importer("coco", "COCO instances, whether exported from here or not", read, ("rows",))
