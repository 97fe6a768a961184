"""One row of a batch run, as it stands in a line of the input."""

import json
import re
from hashlib import blake2b
from pathlib import Path
from typing import Any, NamedTuple

from deixis.agents.context.patches import checked_patches
from deixis.agents.open import checked_text
from deixis.agents.reading.given import checked_caption, checked_mentions
from deixis.agents.reading.tasks import checked_tasks
from deixis.base.json_lines import LIST, parsed
from deixis.base.text_files import LONGEST
from deixis.base.urls import without_credentials_in
from deixis.documents.places import Origin, checked_origin
from deixis.errors import InputError
from deixis.rows import CARRIED, Problem, id_of

__all__ = ["BadRow", "Problem", "Reading", "Task", "task_of"]
_URL = re.compile(r"https?://", re.IGNORECASE)


class Task(NamedTuple):
    """One row to run: media are absolute paths, URLs, or None; all else is checked.

    ``carried`` is what its result repeats, for who scores it; ``document`` says where on the pages
    of a document the row stands.
    """

    line: int
    id: str
    text: str
    image: str | None
    patches: list[dict[str, Any]] | None = None
    caption: str | None = None
    mentions: list[dict[str, Any]] | None = None
    images: list[str] | None = None
    audio: str | None = None
    video: str | None = None
    task: str | None = None
    carried: dict[str, Any] = {}  # noqa: RUF012  # never changed
    document: Origin | None = None

    @property
    def given(self) -> dict[str, Any]:
        """What a graph is given."""
        own = ("text", "image", "patches", "caption", "mentions")
        others = {name: getattr(self, name) for name in ("images", "audio", "video", "task")}
        given = {name: getattr(self, name) for name in own}
        return given | {name: value for name, value in others.items() if value is not None}

    @property
    def pictures(self) -> list[str]:
        """All pictures."""
        return self.images or ([self.image] if self.image else [])

    @property
    def input(self) -> str:
        """Hash of what no result repeats, as patches, caption and mentions; "" without any."""
        rest: list[Any] = [self.patches]
        if self.caption is not None or self.mentions is not None:
            rest += [self.caption, self.mentions]
        if self.document is not None:
            rest += ["document", self.document.model_dump(mode="json")]
        if rest == [None]:
            return ""
        hashed = self.patches if rest == [self.patches] else rest
        return blake2b(json.dumps(hashed).encode(), digest_size=8).hexdigest()


class BadRow(Exception):
    """A row is wrong: its id, as far as it has one, and why."""

    def __init__(self, row: object, error: str) -> None:
        super().__init__(_writable(error))
        given = id_of(row.get("id")) if isinstance(row, dict) else None
        self.id = _writable(given) if isinstance(given, str) else None


class Reading(NamedTuple):
    """How rows are read.

    ``folder``: what relative paths of media are relative to; absolute. ``max_text``: most
    characters of a text. ``gold_mentions``: takes the ``entities`` of a row for its mentions.
    ``takes``: what the graph takes (`deixis.agents.context.system.System`).
    """

    folder: Path
    max_text: int
    gold_mentions: bool = False
    takes: tuple[str, ...] = ()


def task_of(number: int, line: bytes, how: Reading) -> Task:
    """Read one line.

    Args:
        number: of the line, from 1.
        line: without its end.
        how: it is read.

    Raises:
        BadRow: it is no row that could be run.
    """
    row = _parsed(line)
    if not isinstance(row, dict):
        hint = f" ({LIST})" if isinstance(row, list) else ""
        raise BadRow(row, f'a row is a JSON object, {{"id": ..., "text": ..., "image": ...}}{hint}')
    id_ = id_of(row.get("id"))
    if not isinstance(id_, str):
        raise BadRow(row, f"id must be a string or a whole number; got {_kind(id_)}")
    if not id_.strip() or id_ != _writable(id_):
        raise BadRow(row, "the id is empty, or has a character that no text has")
    try:
        text = _text(row, how)
        patches = checked_patches(row.get("patches"))
        caption = checked_caption(row.get("caption"), how.max_text)
        named = row.get("entities" if how.gold_mentions else "mentions")
        mentions = checked_mentions(named, text, regions="regions" in how.takes)
        if "task" in how.takes:
            checked_tasks(row.get("task"))
    except InputError as error:
        raise BadRow(row, str(error)) from None
    if how.gold_mentions and mentions is None:
        raise BadRow(row, "the row has no entities, whose mentions are to be given")
    media: dict[str, Any] = {name: _medium(row, name, how) for name in ("image", "audio", "video")}
    if images := _images(row, how):
        media |= {"image": None, "images": images}
    if "task" in how.takes:
        media |= {"task": row.get("task"), "carried": _carried(row)}
    pictures = len(media.get("images") or [media["image"]] * (media["image"] is not None))
    try:
        media["document"] = checked_origin(row.get("document"), text, pictures)
    except InputError as error:
        raise BadRow(row, str(error)) from None
    return Task(number, id_, text, patches=patches, caption=caption, mentions=mentions, **media)


def _carried(row: dict[str, Any]) -> dict[str, Any]:
    """Return what the result repeats; as something else its line could not be read again."""
    dataset, aligned = row.get("dataset"), row.get("aligned")
    if dataset is not None and not isinstance(dataset, str):
        raise BadRow(row, f"dataset must be a name or null; got {_kind(dataset)}")
    if dataset is not None and dataset != _writable(dataset):
        raise BadRow(row, "dataset has a character that no text has")
    if aligned is not None and not isinstance(aligned, bool):
        raise BadRow(row, f"aligned must be true, false or null; got {_kind(aligned)}")
    return {name: row[name] for name in CARRIED if name in row}


def _text(row: dict[str, Any], how: Reading) -> str:
    """Return the text; "" without one where the graph takes other media, and one is there."""
    text = row.get("text")
    if text in (None, "") and "audio" in how.takes:
        if not any(row.get(name) for name in ("image", "images", "audio", "video")):
            raise InputError("neither text nor image, audio or video")
        return ""
    return checked_text(text, how.max_text)


def _images(row: dict[str, Any], how: Reading) -> list[str] | None:
    """Return the pictures of a row that has several; the first alone is looked at otherwise."""
    images = row.get("images")
    if images is None or "images" not in how.takes:
        return None
    if not isinstance(images, list):
        raise BadRow(row, f"images must be a list of paths and URLs; got {_kind(images)}")
    if images and row.get("image") not in (None, images[0]):
        raise BadRow(row, "image and images are given; put all pictures into images")
    found = [_medium({**row, "image": each}, "image", how) for each in images]
    return [path for path in found if path is not None] or None


def _medium(row: dict[str, Any], name: str, how: Reading) -> str | None:
    given = row.get(name)
    if given is None:
        return None
    if name != "image" and name not in how.takes:
        raise BadRow(row, f"the row has {name}, and the graph takes none; use --graph muie")
    if not isinstance(given, str):
        raise BadRow(row, f"{name} must be a path, a URL or null; got {_kind(given)}")
    if not given.strip() or given != _writable(given):
        raise BadRow(row, f"{name} is empty, or has a character that no path has")
    if _URL.match(given):
        return given
    path = how.folder / given
    shown = repr(without_credentials_in(given)[:200])
    try:
        there = path.is_file()
    except OSError as error:  # a name that is too long
        raise BadRow(row, f"cannot look at the {name} {shown}: {error.strerror}") from None
    if not there:
        why = "is no file" if path.exists() else "is not there"
        raise BadRow(row, f"the {name} {shown} {why} (looked in {how.folder})")
    return str(path)


def _parsed(line: bytes) -> Any:
    if len(line) > LONGEST:
        raise BadRow(None, f"a line of more than {LONGEST:,} bytes")
    try:
        return parsed(line.decode("utf-8"), constants=False)
    except UnicodeDecodeError as error:
        raise BadRow(None, f"not UTF-8 ({error.reason} at byte {error.start})") from None
    except ValueError as error:
        raise BadRow(None, f"not JSON: {error}") from None


def _kind(value: object) -> str:
    if value is None:
        return "null, or nothing"
    return {bool: "true or false", int: "a number", float: "a number", str: "a string"}.get(
        type(value), "a list" if isinstance(value, list) else "an object"
    )


def _writable(text: str) -> str:
    """Replace what no file can hold: NUL, and half a surrogate pair."""
    return text.encode("utf-8", "replace").decode("utf-8").replace("\0", "\ufffd")
