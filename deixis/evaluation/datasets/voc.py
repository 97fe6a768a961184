"""Read which names of a sample are shown in its picture, from Pascal VOC files.

The files are parsed with the standard library's ElementTree, so they must come from a trusted
place; as one guard against entity expansion, a file that declares a DTD is refused.
"""

import gzip
import lzma
import math
import re
import tarfile
import xml.etree.ElementTree as ElementTree
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path, PurePosixPath
from typing import NamedTuple
from xml.parsers import expat

from deixis.base.boxes import Box
from deixis.base.gathering import counts, files_in
from deixis.base.text_files import UTF_16
from deixis.errors import DataError

_LARGEST = 10_000_000
"""Bytes of a file in an archive: one of annotations has a few thousand."""
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)


class Annotation(NamedTuple):
    """What one file says, as given.

    ``filename`` is the picture that the file claims to be about, often wrongly. ``size`` is
    ``(width, height)`` of the picture, None when it is not given or 0; ``depth`` its number of
    channels. ``objects`` are names with boxes, in the order of the file; of `swapped` ones the
    corners stood the wrong way round.
    """

    where: str
    filename: str
    size: tuple[int, int] | None
    depth: int | None
    objects: tuple[tuple[str, Box], ...]
    swapped: int = 0


def read_voc(path: Path) -> dict[str, dict[str, list[Box]]]:
    """Return ``{sample id: {name: boxes}}``; samples without a file have nothing to show.

    A name links to an entity by exact, case-sensitive equality with its tokens joined by
    single spaces. The rest is as `read_annotations` says.
    """
    return {key: boxes_by_name(annotation) for key, annotation in read_annotations(path).items()}


def boxes_by_name(annotation: Annotation) -> dict[str, list[Box]]:
    """Gather the boxes of each name, in the order of the file."""
    boxes: dict[str, list[Box]] = {}
    for name, box in annotation.objects:
        boxes.setdefault(name, []).append(box)
    return boxes


def read_annotations(path: Path) -> dict[str, Annotation]:
    """Return what is said of every sample, by sample id.

    The id is the file's own name without ``.xml``: the ``filename`` inside is often wrong.
    Boxes are ``(xmin, ymin, xmax, ymax)``: absolute pixels, 1-based, both corners inside, in
    whole numbers or not. Corners that stand the wrong way round are put right.

    Args:
        path: a folder of ``*.xml`` files, or an archive of them (tar, ``.tar.gz``, zip).

    Raises:
        DataError: a file does not parse; the message names it and the line.
        OSError: the path cannot be read.
    """
    annotations: dict[str, Annotation] = {}
    for identity, where, data in _files(path):
        if identity in annotations:
            before = annotations[identity].where
            raise DataError(f"{where}: the sample {identity!r} has {before} too")
        annotations[identity] = _annotation(data, where)
    return annotations


def _files(path: Path) -> Iterator[tuple[str, str, bytes]]:
    """Yield sample id, the place for messages, and contents."""
    if path.is_dir():
        for file in files_in(path, ".xml"):
            yield file.stem, str(file), file.read_bytes()
        return
    try:
        for name, data in _zipped(path) if zipfile.is_zipfile(path) else _tarred(path):
            if len(data) > _LARGEST:
                raise DataError(f"{path}:{name}: more than {_LARGEST:,} bytes are no box file")
            yield name.stem, f"{path}:{name}", data
    except (tarfile.TarError, EOFError, *_DAMAGED) as error:
        raise DataError(f"{path}: not a readable tar or zip archive ({error})") from None


_DAMAGED = (zlib.error, lzma.LZMAError, gzip.BadGzipFile, zipfile.BadZipFile, NotImplementedError)


def _tarred(path: Path) -> Iterator[tuple[PurePosixPath, bytes]]:
    with tarfile.open(path) as archive:
        for member in archive:
            name = PurePosixPath(member.name)
            stream = archive.extractfile(member) if counts(name, ".xml") else None
            if stream is not None:
                yield name, stream.read(_LARGEST + 1)


def _zipped(path: Path) -> Iterator[tuple[PurePosixPath, bytes]]:
    with zipfile.ZipFile(path) as archive:
        for member in archive.infolist():
            name = PurePosixPath(member.filename)
            if not member.is_dir() and counts(name, ".xml"):
                if member.flag_bits & 1:
                    raise zipfile.BadZipFile("it is encrypted")
                with archive.open(member) as stream:
                    yield name, stream.read(_LARGEST + 1)


def _annotation(data: bytes, where: str) -> Annotation:
    if b"\0" in data:
        raise DataError(f"{where}:1: it is {UTF_16}")
    _refuse_dtd(data, where)
    try:
        root = ElementTree.fromstring(data)
    except ElementTree.ParseError as error:
        raise DataError(f"{where}:{error.position[0]}: not well-formed XML ({error})") from None
    except (ValueError, LookupError) as error:  # an encoding that Python does not know
        raise DataError(f"{where}:1: not readable XML ({error})") from None
    if root.tag != "annotation":
        raise DataError(f"{where}:1: expected an <annotation>, found <{root.tag}>")
    objects: list[tuple[str, Box]] = []
    swapped = 0
    for number, item in enumerate(root.iter("object")):
        try:
            name, (x1, y1, x2, y2) = _object(item)
        except ValueError as error:
            raise DataError(f"{where}:{_line(data, number)}: {error}") from None
        swapped += x2 < x1 or y2 < y1
        objects.append((name, (min(x1, x2), min(y1, y2), max(x1, x2), max(y1, y2))))
    try:
        width, height, depth = (_size(root, side) for side in ("width", "height", "depth"))
    except ValueError as error:
        raise DataError(f"{where}:{_line(data, 0, 'size')}: {error}") from None
    known = (width, height) if width > 0 and height > 0 else None
    filename = (root.findtext("filename") or "").strip()
    return Annotation(where, filename, known, depth or None, tuple(objects), swapped)


def _refuse_dtd(data: bytes, where: str) -> None:
    """Parse once for that alone: in some encodings no bytes could be looked for."""
    parser = expat.ParserCreate()
    lines: list[int] = []

    def stop(*_declared: object) -> None:
        lines.append(parser.CurrentLineNumber)
        raise ValueError

    parser.StartDoctypeDeclHandler = stop
    with suppress(expat.ExpatError, ValueError, LookupError):
        parser.Parse(data, True)
    if lines:
        raise DataError(f"{where}:{lines[0]}: declares a DTD, which is not read; take it out")


def _object(item: "ElementTree.Element[str]") -> tuple[str, Box]:
    name, boxes = item.findtext("name") or "", item.findall("bndbox")
    if "\n" in name:  # set on lines of its own; elsewhere a blank may be part of a name
        name = name.strip()
    if not name:
        raise ValueError("an object without a name; give it one, or take it out")
    if len(boxes) != 1:
        raise ValueError(f"an object with {len(boxes)} boxes in place of one <bndbox>")
    x1, y1, x2, y2 = (_number(boxes[0], edge) for edge in ("xmin", "ymin", "xmax", "ymax"))
    return name, (x1, y1, x2, y2)


def _number(box: "ElementTree.Element[str]", name: str) -> float:
    given = (box.findtext(name) or "").strip()
    value = float(given) if _NUMBER.fullmatch(given) else math.inf
    if not math.isfinite(value):
        raise ValueError(f"a box without four numbers: <{name}> is {given[:40]!r}; mend it")
    return value


def _size(root: "ElementTree.Element[str]", name: str) -> int:
    """Return a number of the picture's size, 0 where it is not given."""
    given = (root.findtext(f"size/{name}") or "").strip()
    value = float(given or 0) if _NUMBER.fullmatch(given or "0") else math.inf
    if not value.is_integer():
        raise ValueError(f"a size that is not in whole numbers: <{name}> is {given[:40]!r}")
    return int(value)


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
