"""One file of gold from several reviewers, and the rows on which they differ."""

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from deixis.base.text_files import write_lines
from deixis.errors import InputError
from deixis.evaluation.disagreements import compare_row
from deixis.serving.review.index import HOW, Index
from deixis.serving.review.media import moved_record, moved_source
from deixis.serving.review.report import Reviewed, reviewed


class Merged(NamedTuple):
    """How many rows were merged.

    ``alone`` of these one reviewer had, ``agreed`` several alike, ``decided`` were disputed and
    then decided. ``disputed`` ones are in the other file.
    """

    alone: int
    agreed: int
    decided: int
    disputed: int


def disputed_of(out: Path) -> Path:
    """Return the file of disputed rows that belongs to a file of merged gold."""
    return out.with_name(out.name.removesuffix(".jsonl") + ".disputed.jsonl")


def reviews_of(results: Path) -> Path:
    """Return the folder in which reviewers of a file of results keep what they say."""
    return results.with_name(results.name.removesuffix(".jsonl") + ".review")


def merge(results: Path, folder: Path, out: Path) -> Merged:
    """Write the gold of rows that one reviewer has, or several alike.

    Reviewers are alike where names, types and fine types, relations and events are the same, and
    places have an IoU of 0.5 or more; the row is then as the first (by name) has it. Others are
    written, as results, beside `out`, to be reviewed again: what is said of them there counts
    when they are merged again.

    Raises:
        DataError: a line is no review.
        InputError: there is nothing to merge, or a file cannot be read or written.
    """
    disputed = disputed_of(out)
    later = reviews_of(disputed)
    rows: dict[str, dict[str, Reviewed]] = defaultdict(dict)
    for name, own in reviewed(folder).items():
        for id_, each in own.items():
            rows[id_][name] = each
    if not rows:
        raise InputError(f"nobody has accepted or corrected a row in {folder} yet")
    decisions = {id_: each for own in reviewed(later).values() for id_, each in own.items()}
    gold: list[dict[str, Any]] = []
    open_: dict[str, dict[str, Reviewed]] = {}
    counts = dict.fromkeys(Merged._fields, 0)
    for id_, said in rows.items():
        first, *others = (said[name] for name in sorted(said))
        if all(_alike(first, other) for other in others):
            counts["agreed" if others else "alone"] += 1
            gold.append(_moved(first.data, folder, out.parent))
        elif id_ in decisions:
            counts["decided"] += 1
            gold.append(_moved(decisions[id_].data, later, out.parent))
        else:
            counts["disputed"] += 1
            open_[id_] = said
    write_lines(out, (json.dumps(row, ensure_ascii=False) for row in gold))
    write_lines(disputed, _disputed(results, open_, disputed.parent))
    return Merged(**counts)


def _alike(one: Reviewed, other: Reviewed) -> bool:
    def rest(each: Reviewed) -> Any:
        fine = sorted(f"{e.start} {e.text} {e.fine_type}" for e in each.row.entities)
        return fine, each.row.relations, each.row.events

    same = not compare_row(one.row, other.row, None, HOW).differences
    return same and rest(one) == rest(other)


def _moved(row: dict[str, Any], old: Path, new: Path) -> dict[str, Any]:
    """Return a gold row for a file in another folder."""
    review = {name: value for name, value in row["review"].items() if name != "found"}
    moved = {**row, "review": review}
    for name in ("image", "audio", "video"):
        if isinstance(row.get(name), str):
            moved[name] = moved_source(row[name], old, new)
    if isinstance(row.get("images"), list):
        moved["images"] = [moved_source(each, old, new) for each in row["images"]]
    return moved


def _disputed(
    results: Path, rows: Mapping[str, Mapping[str, Reviewed]], folder: Path
) -> Iterator[str]:
    if not rows:
        return
    index = Index(results)
    try:
        for id_ in rows:
            if (n := index.number_of(id_)) is None:
                continue
            data = index.data(index.row(n)["start"])
            for name in ("image", "audio", "video"):
                if data.get(name):
                    data[name] = moved_record(data[name], results.parent, folder)
            if data.get("images"):
                data["images"] = [
                    moved_record(each, results.parent, folder) for each in data["images"]
                ]
            yield json.dumps(data, ensure_ascii=False)
    finally:
        index.close()
