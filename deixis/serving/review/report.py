"""What reviewers have said: how much, what they changed, how far they agree, and who was right.

Agreement of two reviewers is of the rows that both have accepted or corrected. Beyond chance it is
Cohen's kappa (J. Cohen, A Coefficient of Agreement for Nominal Scales, Educational and
Psychological Measurement 20, 1960): ``(po - pe) / (1 - pe)``, with ``po`` the share of items that
both put into one category, and ``pe`` the share expected if each chose by its own frequencies.
There are three:

- ``types``: an item is a mention (its place in the text, or its words where it has none) that
  either reviewer has. Its category is its type; of the reviewer who lacks it, "no mention".
- ``visible``: the same items. Categories: it has a place in a medium, has none, undecided, and "no
  mention".
- ``verdicts``: an item is a row; categories: accepted, corrected.

The IoU is that of regions which both have, as `deixis.evaluation.construction.agreement` pairs
them.
"""

import json
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from pathlib import Path
from typing import Any, NamedTuple

from deixis.base.text_files import lines_of
from deixis.errors import DataError
from deixis.evaluation.construction.agreement import agreement
from deixis.evaluation.metrics.scoring import How
from deixis.evaluation.scored import read_gold, score_file
from deixis.formats.muie_rows import MuieContent
from deixis.rows import parse_row
from deixis.serving.review.index import HOW
from deixis.serving.review.shelf import gold_files, lines

ABSENT = "no mention"


class Reviewed(NamedTuple):
    """A row that a reviewer has accepted or corrected: as it stands, and as a gold row."""

    data: dict[str, Any]
    row: MuieContent

    @property
    def verdict(self) -> str:
        """``accepted`` or ``corrected``."""
        return str(self.data["review"]["verdict"])


def cohen_kappa(pairs: Sequence[tuple[Any, Any]]) -> float | None:
    """Return the agreement of two raters beyond chance; None without items, or of one category.

    Args:
        pairs: of every item, the category that each rater has put it into.
    """
    if not pairs:
        return None
    number = len(pairs)
    observed = sum(one == other for one, other in pairs) / number
    ones, others = Counter(one for one, _ in pairs), Counter(other for _, other in pairs)
    expected = sum(count * others[category] for category, count in ones.items()) / number**2
    return None if expected == 1 else (observed - expected) / (1 - expected)


def reviewed(folder: Path) -> dict[str, dict[str, Reviewed]]:
    """Return the gold rows of every reviewer, by id; half a line at the end is left out.

    Raises:
        DataError: a line is no review.
    """
    return {name: _gold_of(path) for name, path in _files(folder).items()}


def report(results: Path, folder: Path) -> dict[str, Any]:
    """Return the report as plain data: what `deixis review RESULTS --report --json` prints.

    Args:
        results: the file under review.
        folder: with the files of the reviewers.

    Raises:
        DataError: a line is no review, or there is none.
        InputError: a file cannot be read.
    """
    rows = reviewed(folder)
    skipped = Counter(
        said.review["reviewer"]
        for path in sorted(folder.glob("*.skipped.jsonl"))
        for said in {each.id: each for each in lines(path)}.values()
        if said.id not in rows.get(said.review["reviewer"], {})
    )
    if not rows and not skipped:
        raise DataError(f"nobody has reviewed {results} into {folder} yet")
    people = [
        {**_counted(name, rows.get(name, {}), skipped[name]), "score": None}
        for name in sorted({*rows, *skipped})
    ]
    with tempfile.TemporaryDirectory() as scratch:
        for each in people:
            if own := rows.get(each["reviewer"]):
                each["score"] = _score(results, own, Path(scratch))
        pairs = [
            _agreed(one, other, rows, Path(scratch)) for one, other in combinations(sorted(rows), 2)
        ]
    return {"results": str(results), "reviewers": people, "pairs": pairs}


def _files(folder: Path) -> dict[str, Path]:
    found = {}
    for path in gold_files(folder):
        if (first := next(lines(path), None)) is not None:
            found[first.review["reviewer"]] = path
    return found


def _gold_of(path: Path) -> dict[str, Reviewed]:
    found: dict[str, Reviewed] = {}
    with path.open("rb") as file:
        for said in lines(path):
            file.seek(said.start)
            data = json.loads(file.readline())
            found[said.id] = Reviewed(data, parse_row(data, MuieContent))
    return found


def _counted(name: str, own: Mapping[str, Reviewed], skipped: int) -> dict[str, Any]:
    reviews = [each.data["review"] for each in own.values()]
    changed = Counter(what for review in reviews for what in review["changed"])
    seconds = [review["seconds"] for review in reviews]
    verdicts = Counter(review["verdict"] for review in reviews)
    return {
        "reviewer": name,
        "accepted": verdicts["accepted"],
        "corrected": verdicts["corrected"],
        "skipped": skipped,
        "changed": dict(changed),
        "seconds_a_row": sum(seconds) / len(seconds) if seconds else None,
    }


def _score(results: Path, own: Mapping[str, Reviewed], scratch: Path) -> dict[str, Any]:
    """Score the results as they were against what a reviewer says.

    Where a reviewer leaves undecided whether something can be seen, the row counts for names and
    types (``mner``) alone, and not for places (``gmner``).
    """
    decided = {
        id_: each
        for id_, each in own.items()
        if all(entity.regions is not None for entity in each.row.entities)
    }
    scores: dict[str, Any] = {}
    for task, rows in {"mner": own, "gmner": decided}.items():
        scores[task] = None
        if rows:
            gold, answers = scratch / "gold.jsonl", scratch / "answers.jsonl"
            gold.write_text(
                "".join(json.dumps(each.data) + "\n" for each in rows.values()), "utf-8"
            )
            answers.write_text("".join(line + "\n" for line in _lines_with(results, rows)), "utf-8")
            how = How.named(task)
            measured = score_file(read_gold(gold, how), answers, how).measured()["all"]
            figures = {name: each.document() for name, each in measured.items()}
            scores[task] = {"rows": len(rows), **figures}
    return scores


def _lines_with(results: Path, ids: Mapping[str, Any]) -> Iterator[str]:
    seen = set()
    for _, line in lines_of(results):
        try:
            id_ = json.loads(line)["id"]
        except (ValueError, TypeError, KeyError, RecursionError):
            continue
        if str(id_) in ids and str(id_) not in seen:
            seen.add(str(id_))
            yield line


def _agreed(
    one: str, other: str, rows: Mapping[str, Mapping[str, Reviewed]], scratch: Path
) -> dict[str, Any]:
    both = [id_ for id_ in rows[one] if id_ in rows[other]]
    pairs = [(rows[one][id_], rows[other][id_]) for id_ in both]
    types: list[tuple[str, str]] = []
    visible: list[tuple[str, str]] = []
    for mine, others in pairs:
        sides = _mentions(mine.row), _mentions(others.row)
        for place in {**sides[0], **sides[1]}:
            first, second = (side.get(place, (ABSENT, ABSENT)) for side in sides)
            types.append((first[0], second[0]))
            visible.append((first[1], second[1]))
    figures: dict[str, Any] = {
        "one": one,
        "other": other,
        "rows": len(both),
        "mentions": len(types),
    }
    figures["kappa"] = {
        "types": cohen_kappa(types),
        "visible": cohen_kappa(visible),
        "verdicts": cohen_kappa([(mine.verdict, others.verdict) for mine, others in pairs]),
    }
    return {**figures, **_regions(pairs, scratch)}


def _regions(pairs: Sequence[tuple[Reviewed, Reviewed]], scratch: Path) -> dict[str, Any]:
    names = "mean_iou", "regions_shared"
    if not pairs:
        return dict.fromkeys(names)
    files = [scratch / "one.jsonl", scratch / "other.jsonl"]
    for file, side in zip(files, zip(*pairs, strict=True), strict=True):
        file.write_text("".join(json.dumps(each.data) + "\n" for each in side), "utf-8")
    found = agreement(files, HOW.threshold).figures["pairs"][0]
    return {name: found[name] for name in names}


def _mentions(row: MuieContent) -> dict[Any, tuple[str, str]]:
    """Return type and visibility of each mention, by its place, or by its words and their turn."""
    found: dict[Any, tuple[str, str]] = {}
    for entity in row.entities:
        seen = "undecided" if entity.regions is None else "no"
        if entity.regions or entity.spans or entity.track:
            seen = "yes"
        place = (entity.text, entity.start, entity.end)
        turn = sum(key[:3] == place for key in found)
        found[*place, turn] = (entity.type, seen)
    return found
