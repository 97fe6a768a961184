"""A file of gold rows that people add to, with the media of what they have corrected beside it."""

import json
import os
import stat
from collections.abc import Iterator, Mapping
from contextlib import suppress
from hashlib import sha256
from itertools import chain, count
from pathlib import Path
from typing import Any

from deixis.base.atomic import is_standard, whole_file
from deixis.base.forks import Lock
from deixis.errors import InputError
from deixis.exchange.gold import gold_row
from deixis.formats.muie_rows import Task
from deixis.rows import id_of
from deixis.schema import Extraction

Uploads = Mapping[str, list[tuple[str, bytes]]]
"""Names, as a client gives them, and bytes, by field: image, audio, video."""

_MAGIC: tuple[tuple[int, bytes, str], ...] = (
    (0, b"\xff\xd8\xff", "jpg"),
    (0, b"\x89PNG", "png"),
    (0, b"GIF8", "gif"),
    (8, b"WEBP", "webp"),
    (8, b"WAVE", "wav"),
    (8, b"AVI ", "avi"),
    (0, b"BM", "bmp"),
    (0, b"II*\0", "tif"),
    (0, b"MM\0*", "tif"),
    (0, b"\x1aE\xdf\xa3", "webm"),
    (0, b"OggS", "ogg"),
    (0, b"fLaC", "flac"),
    (0, b"ID3", "mp3"),
    (4, b"ftypavif", "avif"),
    (4, b"ftypheic", "heic"),
    (4, b"ftypM4A", "m4a"),
    (4, b"ftyp", "mp4"),
)
_ENDS = {"image": "img", "audio": "mp3", "video": "mp4"}


def row_of(
    extraction: Extraction, id_: str, uploads: Uploads, task: Task | None = None
) -> dict[str, Any]:
    """Return the gold row of a corrected extraction; uploads are named as the client names them.

    What was sent as bytes, and is not sent again, is named by its hash. ``task`` is what was asked
    for, where rows have one.

    Raises:
        InputError: the id is empty, or an upload is not what was looked at or listened to.
    """
    if not id_.strip() or len(id_) > 500:
        raise InputError("the id is empty, or has more than 500 characters; give one")
    names = [Path(name.replace("\\", "/")).name for name, _ in uploads.get("image", ())]
    return gold_row(extraction, id_, _sources(extraction, uploads, names)) | _tasked(task)


def _tasked(task: Task | None) -> dict[str, Any]:
    return {} if task is None else {"task": task}


def _sources(extraction: Extraction, uploads: Uploads, images: list[str]) -> dict[str, Any]:
    """Return what the media of a row are called, each checked against what was looked at."""
    sources: dict[str, Any] = {}
    pictures = []
    for place, info in enumerate(extraction.pictures):
        sent = uploads.get("image", [])
        if place < len(sent):
            _check(sent[place][1], info.sha256, f"picture {place + 1}")
            pictures.append(images[place] or info.sha256)
        else:
            pictures.append(info.source if "://" in info.source else info.sha256)
    if pictures:
        sources = {"image": pictures[0], "images": pictures}
    for name in ("audio", "video"):
        if (heard := getattr(extraction, name)) is None:
            continue
        sources[name] = heard.source if "://" in heard.source else heard.sha256
        for said, data in uploads.get(name, [])[:1]:
            _check(data, heard.sha256, name)
            sources[name] = Path(said.replace("\\", "/")).name or heard.sha256
    return sources


def _check(data: bytes, expected: str, what: str) -> None:
    if sha256(data).hexdigest() != expected:
        raise InputError(f"{what} is not the one that the result is of; send that")


class GoldFile:
    """A JSONL file that rows are appended to, by many threads of one process.

    Args:
        path: need not exist yet.

    Raises:
        InputError: it is there and no regular file, or cannot be written.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = Lock()
        self._ids: set[str] = set()
        self._read = 0  # bytes of the file whose ids are known
        if is_standard(path) or (path.exists() and not stat.S_ISREG(path.stat().st_mode)):
            raise InputError(f"{path} is no regular file; give a file of gold rows")
        self.media = path.with_name(f"{path.name.removesuffix('.jsonl')}.media")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("ab"):
                pass
        except OSError as error:
            raise InputError(f"cannot write {path}: {error.strerror}") from None

    def add(
        self, extraction: Extraction, id_: str, uploads: Uploads, task: Task | None = None
    ) -> dict[str, Any]:
        """Append the row of a corrected extraction, and return it; its uploads lie beside.

        An id that the file has already gets a number behind it: ids of a file stand once.

        Raises:
            InputError: as for `row_of`, or the place cannot be written.
        """
        row_of(extraction, id_, uploads)  # nothing is written of what is wrong
        kept = {name: self._kept(name, given) for name, given in uploads.items()}
        sources = _sources(extraction, uploads, kept.get("image", []))
        sources |= {name: kept[name][0] for name in ("audio", "video") if kept.get(name)}
        row = gold_row(extraction, id_, sources) | _tasked(task)
        try:
            with self._lock, self.path.open("ab") as file:
                row["id"] = self._free(id_, file.tell())
                line = json.dumps(row, ensure_ascii=False).encode("utf-8") + b"\n"
                if file.tell() and not _ends_a_line(self.path):
                    line = b"\n" + line  # somebody's editor left the last line open
                file.write(line)
                file.flush()
                os.fsync(file.fileno())
                self._ids.add(row["id"])
                self._read = file.tell()
        except OSError as error:
            raise InputError(f"the row could not be saved: {error.strerror}") from None
        return row

    def _free(self, id_: str, size: int) -> str:
        """Return an id that no row of the file has; what others have written is read first."""
        if size != self._read:
            self._ids = set(_ids_of(self.path))
        numbered = (f"{id_}-{n}" for n in count(2))
        return next(each for each in chain([id_], numbered) if each not in self._ids)

    def _kept(self, name: str, given: list[tuple[str, bytes]]) -> list[str]:
        """Write uploads under the names of their hashes; return these, relative to the file."""
        names = []
        for _, data in given:
            place = self.media / f"{sha256(data).hexdigest()}.{_end(name, data)}"
            if not place.exists():
                try:
                    with whole_file(place) as file:
                        file.write(data)
                except OSError as error:
                    raise InputError(f"a file could not be saved: {error.strerror}") from None
            names.append(f"{self.media.name}/{place.name}")
        return names


def _end(name: str, data: bytes) -> str:
    """Return the end of a file's name, by what its bytes are: nobody's name is taken over."""
    for start, magic, end in _MAGIC:
        if data[start : start + len(magic)] == magic:
            return end
    return _ENDS[name]


def _ids_of(path: Path) -> Iterator[str]:
    """Yield the ids of a file of rows; other lines are none of ours."""
    with path.open("rb") as file:
        for line in file:
            with suppress(ValueError, RecursionError):
                row = json.loads(line)
                if isinstance(row, dict) and isinstance(id_ := id_of(row.get("id")), str):
                    yield id_


def _ends_a_line(path: Path) -> bool:
    with path.open("rb") as file:
        file.seek(-1, os.SEEK_END)
        return file.read(1) == b"\n"
