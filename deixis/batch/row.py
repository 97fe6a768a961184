"""One row of a batch run, as it stands in a line of the input."""

import json
import re
from hashlib import blake2b
from pathlib import Path
from typing import Any, NamedTuple

from deixis.agents.context.patches import checked_patches
from deixis.agents.open import checked_text
from deixis.agents.reading.given import checked_caption, checked_mentions
from deixis.base.json_lines import LIST, parsed
from deixis.base.text_files import LONGEST
from deixis.base.urls import without_credentials_in
from deixis.errors import InputError
from deixis.rows import id_of

_URL = re.compile(r"https?://", re.IGNORECASE)


class Task(NamedTuple):
    """One row to run: ``image`` is an absolute path, a URL, or None; all else is checked."""

    line: int
    id: str
    text: str
    image: str | None
    patches: list[dict[str, Any]] | None = None
    caption: str | None = None
    mentions: list[dict[str, Any]] | None = None

    @property
    def given(self) -> dict[str, Any]:
        """What a graph is given."""
        return {key: value for key, value in self._asdict().items() if key not in ("line", "id")}

    @property
    def input(self) -> str:
        """Hash of what no result repeats: patches, caption and mentions; "" without any."""
        rest: list[Any] = [self.patches]
        if self.caption is not None or self.mentions is not None:
            rest += [self.caption, self.mentions]
        if rest == [None]:
            return ""
        hashed = self.patches if rest == [self.patches] else rest
        return blake2b(json.dumps(hashed).encode(), digest_size=8).hexdigest()


class Problem(NamedTuple):
    """A row that cannot be run, by the number of its line from 1; ``id`` is None if it has none."""

    line: int
    id: str | None
    error: str


class BadRow(Exception):
    """A row is wrong: its id, as far as it has one, and why."""

    def __init__(self, row: object, error: str) -> None:
        super().__init__(_writable(error))
        given = id_of(row.get("id")) if isinstance(row, dict) else None
        self.id = _writable(given) if isinstance(given, str) else None


def task_of(
    number: int, line: bytes, folder: Path, max_text: int, *, gold_mentions: bool = False
) -> Task:
    """Read one line.

    Args:
        number: of the line, from 1.
        line: without its end.
        folder: what a relative ``image`` is relative to; absolute.
        max_text: most characters of a text.
        gold_mentions: takes the ``entities`` of the row for its mentions.

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
        text = checked_text(row.get("text"), max_text)
        patches = checked_patches(row.get("patches"))
        caption = checked_caption(row.get("caption"), max_text)
        mentions = checked_mentions(row.get("entities" if gold_mentions else "mentions"), text)
    except InputError as error:
        raise BadRow(row, str(error)) from None
    if gold_mentions and mentions is None:
        raise BadRow(row, "the row has no entities, whose mentions are to be given")
    return Task(number, id_, text, _image(row, folder), patches, caption, mentions)


def _image(row: dict[str, Any], folder: Path) -> str | None:
    image = row.get("image")
    if image is None:
        return None
    if not isinstance(image, str):
        raise BadRow(row, f"image must be a path, a URL or null; got {_kind(image)}")
    if not image.strip() or image != _writable(image):
        raise BadRow(row, "image is empty, or has a character that no path has")
    if _URL.match(image):
        return image
    path = folder / image
    shown = repr(without_credentials_in(image)[:200])
    try:
        there = path.is_file()
    except OSError as error:  # a name that is too long
        raise BadRow(row, f"cannot look at the image {shown}: {error.strerror}") from None
    if not there:
        why = "is no file" if path.exists() else "is not there"
        raise BadRow(row, f"the image {shown} {why} (looked in {folder})")
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
