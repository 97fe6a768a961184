"""Going on with a batch run: which finished rows still are what the input says."""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from deixis.base.urls import without_credentials
from deixis.batch.input import Rows
from deixis.batch.output import Finished, Output, Place
from deixis.batch.row import Task
from deixis.errors import DataError
from deixis.schema import AudioInfo, ImageInfo, VideoInfo

_LISTED = 5
_Info = ImageInfo | AudioInfo | VideoInfo


class Resumed(NamedTuple):
    """What became of the rows of an earlier run.

    ``changed``: how many no longer fit the input, ``examples`` the first of them with what has
    changed. ``gone``: how many results of rows that are no longer in the input were taken out.
    """

    changed: int
    examples: tuple[str, ...]
    gone: int


def go_on(rows: Rows, output: Output[Finished], renew: bool) -> Resumed:
    """Take the finished rows out of those to run.

    Args:
        rows: of the input, scanned.
        output: of the run.
        renew: whether results that no longer fit the input are taken out of the output, so that
            their rows are run again.

    Raises:
        DataError: the output holds no results, a row twice, or (without `renew`) one that is
            not in the input.
        SettingsError: it was made with other settings.
        InputError: it cannot be written.
    """
    stale: list[Place] = []
    examples: list[str] = []
    changed = gone = 0
    for place, row in output.finished():
        try:
            task = rows.finish(row.id)
        except KeyError:
            raise DataError(
                f"{place.where}: {row.id!r} stands on an earlier line too; delete one of the two"
            ) from None
        if task is None:
            if not renew:
                raise DataError(
                    f"{place.where}: {row.id!r} is no row of {rows.path}; put it back there, give "
                    "another --out, or take such results out with --renew"
                )
            gone += 1
            stale.append(place)
        elif isinstance(task, Task) and (what := _changed(row, task)):
            changed += 1
            examples += [f"{row.id!r} ({what})"] if len(examples) < _LISTED else []
            if renew:
                rows.again(row.id)
                stale.append(place)
    if stale:
        output.take_out(stale)
    return Resumed(changed, tuple(examples), gone)


def _changed(row: Finished, task: Task) -> str:
    """Say what of a row is no longer what its result is about; "" for nothing."""
    if row.text != task.text:
        return "text"
    others = (task.caption, task.mentions, task.document)
    told = row.input or any(each is not None for each in others)
    if told and row.input != task.input:  # earlier versions did not tell of patches
        more = ", mentions or document" if task.document else " or mentions"
        return f"patches, caption{more}"
    if row.task != task.carried.get("task"):
        return "task"
    media: list[tuple[str, Sequence[_Info], Sequence[str]]] = [
        ("picture", row.pictures, task.pictures),
        ("audio", [row.audio] if row.audio else [], [task.audio] if task.audio else []),
        ("video", [row.video] if row.video else [], [task.video] if task.video else []),
    ]
    for what, seen, given in media:
        if len(seen) != len(given) or not all(map(_same, seen, given)):
            return what
    return ""


def _same(info: _Info, given: str) -> bool:
    if "://" in given:
        return info.source in (given, without_credentials(given))
    try:
        # No time says that it is the same: links, copies and renamed folders keep old ones.
        with Path(given).open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest() == info.sha256
    except OSError:
        return False
