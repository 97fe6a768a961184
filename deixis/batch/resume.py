"""Going on with a batch run: which finished rows still are what the input says."""

import hashlib
from pathlib import Path
from typing import NamedTuple

from deixis.base.urls import without_credentials
from deixis.batch.input import Rows
from deixis.batch.output import Finished, Output, Place
from deixis.batch.row import Task
from deixis.errors import DataError

_LISTED = 5


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
    told = row.input or task.caption is not None or task.mentions is not None
    if told and row.input != task.input:  # earlier versions did not tell of patches
        return "patches, caption or mentions"
    if row.image is None or task.image is None:
        return "" if row.image is None and task.image is None else "picture"
    if "://" in task.image:
        same = row.image.source in (task.image, without_credentials(task.image))
        return "" if same else "picture"
    try:
        # No time says that it is the same: links, copies and renamed folders keep old ones.
        with Path(task.image).open("rb") as file:
            same = hashlib.file_digest(file, "sha256").hexdigest() == row.image.sha256
    except OSError:
        return "picture"
    return "" if same else "picture"
