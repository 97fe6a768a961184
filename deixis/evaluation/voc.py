"""Read which names of a sample are shown in its picture, from Pascal VOC files.

The files are parsed with the standard library's ElementTree, so they must come from a trusted
place; as one guard against entity expansion, a file that declares a DTD is refused.
"""

import gzip
import tarfile
import xml.etree.ElementTree as ElementTree
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import NamedTuple
from xml.parsers import expat

from deixis.errors import DataError

Box = tuple[int, int, int, int]


class Annotation(NamedTuple):
    """What one file says, as given.

    ``filename`` is the picture that the file claims to be about, often wrongly. ``size`` is
    ``(width, height)`` of the picture, None when it is not given or 0; ``depth`` its number of
    channels. ``objects`` are names with boxes, in the order of the file.
    """

    where: str
    filename: str
    size: tuple[int, int] | None
    depth: int | None
    objects: tuple[tuple[str, Box], ...]


def read_voc(path: Path) -> dict[str, dict[str, list[Box]]]:
    """Return ``{sample id: {name: boxes}}``; samples without a file have nothing to show.

    A name links to an entity by exact, case-sensitive equality with its tokens joined by
    single spaces. The rest is as `read_annotations` says.
    """
    return {key: boxes_by_name(each) for key, each in read_annotations(path).items()}


def boxes_by_name(annotation: Annotation) -> dict[str, list[Box]]:
    """Gather the boxes of each name, in the order of the file."""
    found: dict[str, list[Box]] = {}
    for name, box in annotation.objects:
        found.setdefault(name, []).append(box)
    return found


def read_annotations(path: Path) -> dict[str, Annotation]:
    """Return what is said of every sample, by sample id.

    The id is the file's own name without ``.xml``: the ``filename`` inside is often wrong.
    Boxes are ``(xmin, ymin, xmax, ymax)`` as given: absolute pixels, 1-based, both corners
    inside.

    Args:
        path: a folder of ``*.xml`` files or a ``.tar.gz`` archive of them.

    Raises:
        DataError: a file does not parse; the message names it and the line.
        OSError: the path cannot be read.
    """
    found: dict[str, Annotation] = {}
    for identity, where, data in _files(path):
        if identity in found:
            raise DataError(f"{where}: the sample {identity!r} has {found[identity].where} too")
        found[identity] = _annotation(data, where)
    return found


def _files(path: Path) -> Iterator[tuple[str, str, bytes]]:
    """Yield sample id, the place for messages, and contents."""
    if path.is_dir():
        for file in sorted(path.glob("*.xml")):
            yield file.stem, str(file), file.read_bytes()
        return
    try:
        with tarfile.open(path) as archive:
            for member in archive:
                name = PurePosixPath(member.name)
                stream = archive.extractfile(member) if name.suffix == ".xml" else None
                if stream is not None:
                    yield name.stem, f"{path}:{name}", stream.read()
    except (tarfile.TarError, EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise DataError(f"{path}: not a readable tar archive ({error})") from None


def _annotation(data: bytes, where: str) -> Annotation:
    for declaration in (b"<!DOCTYPE", b"<!ENTITY"):
        if declaration in data:
            line = data[: data.index(declaration)].count(b"\n") + 1
            raise DataError(f"{where}:{line}: declares a DTD, which is not read")
    try:
        root = ElementTree.fromstring(data)
    except ElementTree.ParseError as error:
        raise DataError(f"{where}:{error.position[0]}: not well-formed XML ({error})") from None
    except (ValueError, LookupError) as error:  # an encoding that Python does not know
        raise DataError(f"{where}:1: not readable XML ({error})") from None
    if root.tag != "annotation":
        raise DataError(f"{where}:1: expected an <annotation>, found <{root.tag}>")
    objects: list[tuple[str, Box]] = []
    for number, item in enumerate(root.iter("object")):
        try:
            objects.append(_object(item))
        except ValueError as error:
            raise DataError(f"{where}:{_line(data, number)}: {error}") from None
    try:
        size = root.find("size")
        width, height = (0, 0) if size is None else _whole(size, "width", "height")
        depth = root.findtext("size/depth")
        channels = int(depth) if depth else None
    except ValueError:
        line = _line(data, 0, "size")
        raise DataError(f"{where}:{line}: a size that is not in whole numbers") from None
    known = (width, height) if width > 0 and height > 0 else None
    return Annotation(where, root.findtext("filename") or "", known, channels, tuple(objects))


def _object(item: "ElementTree.Element[str]") -> tuple[str, Box]:
    name, boxes = item.findtext("name"), item.findall("bndbox")
    if not name:
        raise ValueError("an object without a name")
    if len(boxes) != 1:
        raise ValueError(f"an object with {len(boxes)} boxes in place of one")
    try:
        x1, y1, x2, y2 = _whole(boxes[0], "xmin", "ymin", "xmax", "ymax")
    except ValueError:
        raise ValueError("a box without four whole numbers") from None
    return name, (x1, y1, x2, y2)


def _whole(element: "ElementTree.Element[str]", *names: str) -> list[int]:
    return [int(element.findtext(name) or "") for name in names]


def _line(data: bytes, number: int, tag: str = "object") -> int:
    """Return the line of the element `tag` with this number (from 0), which ElementTree forgets."""
    lines: list[int] = []
    parser = expat.ParserCreate()

    def start(name: str, _attributes: dict[str, str]) -> None:
        if name == tag:
            lines.append(parser.CurrentLineNumber)

    parser.StartElementHandler = start
    parser.Parse(data, True)
    return lines[number]
