"""Read which names of a sample are shown in its picture, from Pascal VOC files.

The files are parsed with the standard library's ElementTree, so they must come from a trusted
place; as one guard against entity expansion, a file that declares a DTD is refused.
"""

import tarfile
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from deixis.errors import DataError

Box = tuple[int, int, int, int]


def read_voc(path: Path) -> dict[str, dict[str, list[Box]]]:
    """Return ``{sample id: {name: boxes}}``; samples without a file have nothing to show.

    The id is the file's own name without ``.xml``: the ``filename`` inside is often wrong. A
    name links to an entity by exact, case-sensitive equality with its tokens joined by single
    spaces. Boxes are ``(xmin, ymin, xmax, ymax)`` as given: absolute pixels, 1-based, both
    corners inside.

    Args:
        path: a folder of ``*.xml`` files or a ``.tar.gz`` archive of them.

    Raises:
        DataError: a file does not parse; the message names it.
        OSError: the path cannot be read.
    """
    return {name: _objects(data, f"{path}:{name}.xml") for name, data in _files(path)}


def _files(path: Path) -> Iterator[tuple[str, bytes]]:
    if path.is_dir():
        for file in sorted(path.glob("*.xml")):
            yield file.stem, file.read_bytes()
        return
    try:
        with tarfile.open(path) as archive:
            for member in archive:
                name = PurePosixPath(member.name)
                stream = archive.extractfile(member) if name.suffix == ".xml" else None
                if stream is not None:
                    yield name.stem, stream.read()
    except (tarfile.TarError, EOFError) as error:
        raise DataError(f"{path}: not a readable tar archive ({error})") from None


def _objects(data: bytes, where: str) -> dict[str, list[Box]]:
    if b"<!DOCTYPE" in data or b"<!ENTITY" in data:
        raise DataError(f"{where}: declares a DTD, which is not read")
    try:
        root = ElementTree.fromstring(data)
    except ElementTree.ParseError as error:
        raise DataError(f"{where}: not well-formed XML ({error})") from None
    found: dict[str, list[Box]] = {}
    for item in root.iter("object"):
        name = item.findtext("name")
        if not name:
            raise DataError(f"{where}: an object without a name")
        for box in item.findall("bndbox"):
            found.setdefault(name, []).append(_box(box, where))
    return found


def _box(element: "ElementTree.Element[str]", where: str) -> Box:
    try:
        x1, y1, x2, y2 = (
            int(element.findtext(side) or "") for side in ("xmin", "ymin", "xmax", "ymax")
        )
    except ValueError:
        raise DataError(f"{where}: a box without four whole numbers") from None
    return x1, y1, x2, y2
