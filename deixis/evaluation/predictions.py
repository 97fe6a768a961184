"""Files of predictions, as they are scored and compared: rows, or answers in a paper's format."""

from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from deixis.evaluation.compare import Agreement, Result, agree
from deixis.evaluation.metrics.mentions import Aligned
from deixis.evaluation.metrics.scoring import Comparison, How, compare_two
from deixis.formats import files
from deixis.rows import Row, read_rows


class Predictions(NamedTuple):
    """A file that was read; ``unreadable`` has of each id the pieces that were not."""

    path: Path
    rows: list[Any]
    unreadable: dict[str, list[dict[str, str]]]

    def document(self) -> dict[str, Any]:
        """Return JSON-ready data."""
        return {"predictions": str(self.path), "unreadable": self.unreadable}

    def oddities(self, aligned: Aligned) -> Iterator[str]:
        """Yield what was odd, a line for each."""
        pieces = sum(map(len, self.unreadable.values()))
        for number, problem in (
            (pieces, f"pieces of answers could not be read ({some(self.unreadable)})"),
            (
                len(aligned.missing),
                f"samples have no predictions and count as empty ({some(aligned.missing)})",
            ),
            (aligned.undecided, "predictions do not say whether they can be seen: never right"),
            (aligned.unusable, "predicted regions have no area or lack a mask: never right"),
        ):
            if number:
                yield f"{self.path}: {number} {problem}"


class Compared(NamedTuple):
    """Two files side by side; ``scores`` are those of both where there is gold."""

    gold: Path | None
    first: Predictions
    second: Predictions
    agreement: Agreement
    scores: Comparison | None

    def oddities(self) -> Iterator[str]:
        """Yield what was odd, a line for each."""
        both = self.agreement
        for side, ids in ((self.first, both.only_first), (self.second, both.only_second)):
            if ids:
                yield f"{side.path}: {len(ids)} rows are not in the other file ({some(ids)})"
        if self.scores:
            yield from self.first.oddities(self.scores.first)
            yield from self.second.oddities(self.scores.second)

    def document(self, top: int) -> dict[str, Any]:
        """Return JSON-ready data with the rows that differ most."""
        document = (self.scores or self.agreement.how).document()
        for name, side in (("first", self.first), ("second", self.second)):
            document[name] = {**side.document(), **document.get(name, {})}
        gold = str(self.gold) if self.gold else None
        return {"gold": gold, **document, **self.agreement.document(top)}


def read_predictions(
    path: Path, format_name: str | None, gold: Sequence[Row], kind: type[Row] = Row
) -> Predictions:
    """Read predictions: rows (of this kind), or answers to gold rows in a paper's format.

    Raises:
        DataError: a line is no row, or the answers do not fit the gold.
        InputError: the file cannot be read.
        SettingsError: there is no such format.
    """
    if format_name is None:
        return Predictions(path, read_rows(path, kind), {})
    answers = files.read(path, format_name, gold)
    refused = {id_: [p._asdict() for p in pieces] for id_, pieces in answers.problems.items()}
    return Predictions(path, answers.rows, refused)


def compare_files(
    first: Path, second: Path, how: How, gold: Path | None, format_name: str | None
) -> Compared:
    """Compare two files of predictions, and score both against `gold` where there is some.

    They hold rows, or with a `format_name` answers to the rows of the gold.

    Raises:
        DataError: a line is no row, or the files do not fit each other or the gold.
        InputError: a file cannot be read.
        SettingsError: there is no such format.
    """
    wanted = read_rows(gold) if gold else []
    one, other = (read_predictions(path, format_name, wanted, Result) for path in (first, second))
    scores = compare_two(wanted, one.rows, other.rows, how) if gold else None
    return Compared(gold, one, other, agree(one.rows, other.rows, how, wanted), scores)


def some(ids: Collection[str]) -> str:
    """Name some ids, the first five."""
    return ", ".join([*map(repr, list(ids)[:5]), *["..."][: len(ids) - 5]])
