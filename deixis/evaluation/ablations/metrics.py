"""What a plan scores: ``TASK``, ``TASK.MEASURE``, and with ``@0.75`` the IoU to reach."""

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple, Self

from deixis.base.problems import nearest
from deixis.errors import SettingsError
from deixis.evaluation.metrics.scoring import How
from deixis.evaluation.metrics.sheet import Sheet
from deixis.evaluation.metrics.tasks import TASKS
from deixis.evaluation.scored import read_gold, score_file
from deixis.evaluation.variants import measure_of
from deixis.rows import Row, read_rows


class Metric(NamedTuple):
    """One column: what the plan calls it, the task and its rules, and which of its measures.

    ``measure`` is "" for the main one of the task.
    """

    name: str
    how: How
    measure: str

    @classmethod
    def named(cls, name: str, convention: str, iou: float, rounds: int, seed: int) -> Self:
        """Read what a plan says.

        Raises:
            SettingsError: there is no such task (with the nearest right name) or convention, or
                a number is none or out of range.
        """
        head, at, threshold = name.partition("@")
        task, _, measure = head.partition(".")
        if task not in TASKS:
            raise SettingsError(
                f"there is no task {task!r}{nearest(task, TASKS)}; known: {', '.join(TASKS)}"
            )
        if at and not TASKS[task].located:
            raise SettingsError(f"{name}: no place counts in {task}, so it has no IoU")
        try:
            reached = float(threshold) if at else iou
        except ValueError:
            raise SettingsError(f"{name}: {threshold!r} is no IoU; write {head}@0.75") from None
        how = How.named(task, convention, threshold=reached, rounds=rounds, seed=seed)
        return cls(name, how, measure)

    @property
    def needs_gold_mentions(self) -> bool:
        """Whether it scores a part of a system that was given the gold mentions."""
        return self.how.task.kind == "given"

    def check(self, gold: Path) -> None:
        """Check that gold can be scored so, and that there is such a measure.

        Raises:
            SettingsError, DataError, InputError, MissingExtraError: it cannot.
        """
        with tempfile.TemporaryDirectory() as folder:
            nothing = Path(folder) / "nothing.jsonl"
            nothing.touch()
            measure_of(score_file(read_gold(gold, self.how), nothing, self.how), self.measure)

    def sheets(self, rows: list[Row], results: Sequence[Path], limit: int | None) -> list[Sheet]:
        """Score results by rows, those of all files against the same rows of gold.

        Args:
            rows: of the gold, as `read_gold` reads them for the task.
            results: files of ``deixis batch`` that were run on the same rows.
            limit: rows that were run, the first ones that could be; None is all.

        Raises:
            DataError: they do not fit together.
            InputError: a file cannot be read.
        """
        if limit is not None:
            rows = rows[: max(limit, _end(rows, results))]
        return [measure_of(score_file(rows, path, self.how), self.measure) for path in results]


def _end(rows: Sequence[Row], results: Sequence[Path]) -> int:
    """Return where the rows that have a result end: what could not be run is passed over."""
    found = {row.id for path in results for row in read_rows(path)}
    return max((place for place, row in enumerate(rows, start=1) if row.id in found), default=0)
