"""Files of predictions, as they are scored: rows, or answers in a paper's format."""

from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from deixis.evaluation.metrics.mentions import Aligned
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
        pieces = [each["piece"][:60] for own in self.unreadable.values() for each in own]
        unread = f"pieces of answers could not be read ({some(self.unreadable)}): {some(pieces)}"
        for number, problem in (
            (len(pieces), unread),
            (
                len(aligned.missing),
                f"samples have no predictions and count as empty ({some(aligned.missing)})",
            ),
            (aligned.undecided, "predictions do not say whether they can be seen: never right"),
            (aligned.unusable, "predicted regions have no area or lack a mask: never right"),
        ):
            if number:
                yield f"{self.path}: {number} {problem}"


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


def some(ids: Collection[str]) -> str:
    """Name some ids or pieces of text, the first five."""
    return ", ".join([*map(repr, list(ids)[:5]), *["..."][: len(ids) - 5]])
