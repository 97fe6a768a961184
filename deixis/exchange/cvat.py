"""CVAT: boxes and masks of pictures as its XML 1.1, and the tracks of each video in a file.

What people correct in CVAT comes back as COCO, which it exports.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from xml.etree import ElementTree

import numpy as np

from deixis.base.atomic import whole_file
from deixis.base.records import Mask
from deixis.errors import InputError
from deixis.exchange.brat_names import file_name
from deixis.exchange.items import Exporter, How, Item, Written
from deixis.exchange.labels import Labels, LeftOut
from deixis.exchange.shapes import bounds
from deixis.exchange.sizes import VideoSize, picture_sizes, pictures_of, video_size
from deixis.exchange.xml_text import element
from deixis.formats.muie_rows import MuieEntity
from deixis.rows import RowRegion

_PICTURES = "annotations.xml"
_SAID = ("name", "fine_type", "entity", "post")
"""What is said of each box: free texts."""


def write(items: Iterable[Item], out: Path, how: How) -> Written:
    """Write ``annotations.xml``, and a file in ``videos`` for each video that has tracks.

    Raises:
        InputError: the folder cannot be written.
    """
    pictures = out / _PICTURES
    try:
        with TemporaryDirectory() as drafts:
            writer = _Writer(out, how, Path(drafts))
            with writer.pictures:
                for number, item in enumerate(items, start=1):
                    writer.add(number, item)
            # What types there are, which stand first, is known when all has been seen.
            for path in (pictures, *writer.videos):
                with whole_file(path) as file, (writer.drafts / path.name).open("rb") as draft:
                    file.writelines(_document(writer.labels.types(), draft))
    except OSError as error:
        raise InputError(f"cannot write into {out}: {error.strerror}") from None
    return Written([pictures, *writer.videos], writer.counts, writer.left.lines())


class _Writer:
    def __init__(self, out: Path, how: How, drafts: Path) -> None:
        self.labels, self.left = Labels(how.schema), LeftOut()
        self.counts = {"images": 0, "boxes": 0, "masks": 0, "tracks": 0}
        self.videos: list[Path] = []
        self._out, self._how, self.drafts = out, how, drafts
        self.pictures = (drafts / _PICTURES).open("wb")
        self._groups = 0

    def add(self, number: int, item: Item) -> None:
        """Write the pictures of an item, and its video."""
        self.labels.add(item)
        if item.row.relations or item.row.events:
            self.left.add("relations and events", item.id)
        if any(not (each.regions or each.track) for each in item.row.entities):
            self.left.add("entities without a box", item.id)
        if any(each.spans for each in item.row.entities):
            self.left.add("spans of sound", item.id)
        pictures = zip(pictures_of(item), picture_sizes(item), strict=True)
        for place, (source, size) in enumerate(pictures):
            if size is None:
                self.left.add("pictures whose size is unknown", item.id)
                continue
            name = source if "://" in source else f"{self._how.pictures or ''}{source}"
            about: dict[str, object] = {"id": self.counts["images"], "name": name}
            image = element("image", about | {"width": size[0], "height": size[1]})
            self.counts["images"] += 1
            for which, entity in enumerate(item.row.entities):
                said = _said(item, which, entity)
                for region in entity.regions or ():
                    if region.image == place:
                        image.extend(self._shapes(item, entity, region, size, said))
            self.pictures.write(_bytes(image))
        tracks = [*self._tracks(item)]
        if tracks:
            path = self._out / "videos" / f"{file_name(number, item.id)}.xml"
            (self.drafts / path.name).write_bytes(b"".join(map(_bytes, tracks)))
            self.videos.append(path)

    def _shapes(
        self,
        item: Item,
        entity: MuieEntity,
        region: RowRegion,
        size: tuple[int, int],
        said: dict[str, str],
    ) -> Iterator["ElementTree.Element"]:
        """Yield a box and its mask, which are of one group."""
        group: dict[str, object] = {}
        masked = None
        if region.mask is not None:
            masked = _mask(region.mask) if region.mask.size == size[::-1] else None
            if masked is None:
                self.left.add("masks that are empty, or of another size than the picture", item.id)
            else:
                self._groups += 1
                group = {"group_id": self._groups}
        about = {"label": entity.type, "source": "file", "occluded": 0, "z_order": 0, **group}
        box = element("box", {**about, **_edges(region)})
        self.counts["boxes"] += 1
        yield _with(box, said)
        if masked is not None:
            self.counts["masks"] += 1
            yield _with(element("mask", {**about, **masked}), said)

    def _tracks(self, item: Item) -> Iterator["ElementTree.Element"]:
        video = video_size(item)
        for which, entity in enumerate(item.row.entities):
            frames = list(entity.track or ())
            for lane in range(max((len(frame.regions) for frame in frames), default=0)):
                about = {"id": self.counts["tracks"], "label": entity.type, "source": "file"}
                track = element("track", about)
                self.counts["tracks"] += 1
                for shape in _lane([(f.frame, f.regions[lane : lane + 1]) for f in frames], video):
                    track.append(_with(shape, _said(item, which, entity)))
                yield track
            if any(region.mask for frame in frames for region in frame.regions):
                self.left.add("masks in frames of a video", item.id)


def _lane(
    frames: list[tuple[int, tuple[RowRegion, ...]]], video: VideoSize | None
) -> Iterator["ElementTree.Element"]:
    """Yield the boxes of a track; where it is gone, the last one is said to be outside."""
    last: RowRegion | None = None
    for index, regions in frames:
        if regions or last is not None:
            region, outside = (regions[0], 0) if regions else (last, 1)
            assert region is not None
            yield _key(index, region, outside)
            last = regions[0] if regions else None
    after = frames[-1][0] + 1
    if last is not None and (video is None or not video.frames or after < video.frames):
        yield _key(after, last, 1)


def _key(index: int, region: RowRegion, outside: int) -> "ElementTree.Element":
    about = {"frame": index, "outside": outside, "occluded": 0, "keyframe": 1, "z_order": 0}
    return element("box", {**about, **_edges(region)})


def _edges(region: RowRegion) -> dict[str, str]:
    names = ("xtl", "ytl", "xbr", "ybr")
    return {name: f"{edge:.2f}" for name, edge in zip(names, region.box, strict=True)}


def _said(item: Item, place: int, entity: MuieEntity) -> dict[str, str]:
    given = (entity.text, entity.fine_type or "", f"e{place}", item.id)
    return dict(zip(_SAID, given, strict=True))


def _with(shape: "ElementTree.Element", said: dict[str, str]) -> "ElementTree.Element":
    shape.extend(element("attribute", {"name": name}, text) for name, text in said.items())
    return shape


def _mask(mask: Mask) -> dict[str, object] | None:
    """Return a mask as CVAT has it: run lengths along the lines of its box, background first."""
    try:
        dense = mask.to_array()
        left, top, right, bottom = map(int, bounds(dense))
    except ValueError:
        return None
    flat = dense[top:bottom, left:right].ravel()
    edges = np.flatnonzero(flat[1:] != flat[:-1]) + 1
    runs = np.diff(np.concatenate([[0], edges, [flat.size]])).tolist()
    rle = ", ".join(map(str, [0, *runs] if flat[0] else runs))
    return {"rle": rle, "left": left, "top": top, "width": right - left, "height": bottom - top}


def _document(types: Iterable[str], parts: Iterable[bytes]) -> Iterator[bytes]:
    meta, task, labels = element("meta"), element("task"), element("labels")
    for name in types:
        label, attributes = element("label"), element("attributes")
        for said in _SAID:
            attribute = element("attribute")
            about = {"name": said, "mutable": "False", "input_type": "text"}
            about |= {"default_value": "", "values": ""}
            attribute.extend(element(tag, text=text) for tag, text in about.items())
            attributes.append(attribute)
        label.extend([element("name", text=name), attributes])
        labels.append(label)
    task.append(labels)
    meta.append(task)
    yield b'<?xml version="1.0" encoding="utf-8"?>\n<annotations>\n<version>1.1</version>\n'
    yield _bytes(meta)
    yield from parts
    yield b"</annotations>\n"


def _bytes(made: "ElementTree.Element") -> bytes:
    ElementTree.indent(made)
    return bytes(ElementTree.tostring(made, encoding="utf-8")).strip() + b"\n"


EXPORTER = Exporter(
    "cvat",
    "boxes, masks and tracks as XML of CVAT",
    write,
    folder=True,
    options=("pictures", "schema"),
)
