"""Several files of predictions for the same gold: what each has above the first, and if by luck."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from deixis.errors import SettingsError
from deixis.evaluation.metrics.scoring import How
from deixis.evaluation.metrics.sheet import Contrasted, Measured, Sheet, contrast
from deixis.evaluation.scored import Scored, read_gold, score_file

MAIN = {"entailment": "accuracy", "grounding": "precision"}
"""The measure of a task that is meant where none is named; of all others F1."""


class Contrast(NamedTuple):
    """Two files of predictions for the same gold, measure by measure."""

    how: How
    first: Scored
    second: Scored
    measures: dict[str, Contrasted]

    def document(self) -> dict[str, Any]:
        """Return JSON-ready data; measures run 0..1."""
        return {
            **self.how.document(),
            "first": self.first.document(),
            "second": self.second.document(),
            "difference": {name: each.document() for name, each in self.measures.items()},
        }


class Variant(NamedTuple):
    """A measure of one of several files, and what it has above the first of them."""

    path: Path
    measured: Measured
    above: Contrasted | None


def compare_variants(
    gold: Path, results: Sequence[Path], metric: str = "gmner", how: How | None = None
) -> list[Variant]:
    """Return a metric of several files, each with its interval and what it has above the first.

    Args:
        gold: rows that all results are of.
        results: files of ``deixis batch``.
        metric: a task, or ``TASK.MEASURE``: ``gmner``, ``mner.recall``, ``mmre.bleu``,
            ``entailment.auc``. Without a measure it is the one in `MAIN`.
        how: other rules than the default ones, of the same task.

    Returns:
        For each file its value with the 95% interval, and, but for the first, the paired
        difference with its interval and p.

    Raises:
        SettingsError: there is no such metric.
        DataError: a file does not fit the gold.
        InputError: a file cannot be read.
    """
    task, _, measure = metric.partition(".")
    how = how or How.named(task)
    rows = read_gold(gold, how)
    sheets = [measure_of(score_file(rows, path, how), measure) for path in results]
    variants: list[Variant] = []
    for path, sheet in zip(results, sheets, strict=True):
        (measured,) = sheet.measured(how.rounds, how.seed).values()
        above = None
        if variants:
            (above,) = contrast(sheets[0], sheet, how.rounds, how.seed).values()
        variants.append(Variant(path, measured, above))
    return variants


def measure_of(scored: Scored, measure: str = "") -> Sheet:
    """Return the sheet of one measure; without a name, of the main one of the task.

    Raises:
        SettingsError: the task has no such measure.
    """
    name, task = measure or MAIN.get(scored.how.task.name, "f1"), scored.how.task.name
    if name not in scored.sheet.names:
        raise SettingsError(
            f"{task} has no measure {name!r}; name one as "
            + " or ".join(f"{task}.{known}" for known in scored.sheet.names)
        )
    return scored.sheet.pick(name)


def contrast_files(first: Scored, second: Scored) -> Contrast:
    """Compare two files of predictions for the same gold, measure by measure."""
    how = first.how
    return Contrast(how, first, second, contrast(first.sheet, second.sheet, how.rounds, how.seed))
