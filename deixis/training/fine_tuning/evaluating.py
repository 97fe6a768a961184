"""The score of a model in training: its graph runs over rows that it does not learn."""

from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from deixis.batch.run import Batch
from deixis.errors import DataError, SettingsError
from deixis.evaluation.metrics.scoring import How
from deixis.evaluation.scored import read_gold, score_file
from deixis.llms.local.transformers_load import lent
from deixis.rows import Row, read_rows
from deixis.settings import Settings
from deixis.training.courses import course_named
from deixis.training.fine_tuning.learner import Learner
from deixis.training.lessons.records import Manifest
from deixis.training.recipes import Evaluation

Scorer = Callable[[Learner, int], float]
"""Scores a model, 0 to 1, after an epoch, counted from 1."""


def scorer(manifest: Manifest, rows: Path, evaluation: Evaluation, folder: Path) -> Scorer:
    """Return what scores a model as ``deixis batch`` and ``deixis eval`` would.

    Whoever else is asked, a committee, is asked once for all epochs, if the stack has a cache.

    Args:
        manifest: of the lessons: which graph asks, and how it is set.
        rows: gold that is not learned.
        evaluation: what counts.
        folder: for the results, ``epoch-1.jsonl`` and so on.

    Raises:
        DataError, InputError: the rows cannot be read, or are not of the task.
        SettingsError: the task has no such measure.
    """
    how = How.named(evaluation.task)
    gold = read_gold(rows, how)
    settings = Settings.model_validate(manifest.settings)
    course = course_named(manifest.course)
    mentions = "mentions" in course.given(read_rows(rows, course.row)[0])
    _check_measure(gold, how, evaluation)

    def score(learner: Learner, epoch: int) -> float:
        out = folder / f"epoch-{epoch}.jsonl"
        for old in folder.glob(f"{out.stem}.*"):  # of a run that was stopped here
            old.unlink()
        with lent(learner.name, learner.loaded):
            Batch(settings, rows, out, gold_mentions=mentions).run()
        return score_file(gold, out, how).sheet.plain()[evaluation.measure] or 0.0

    return score


def _check_measure(gold: list[Row], how: How, evaluation: Evaluation) -> None:
    """Refuse a measure that there is not, and rows that cannot be scored, by scoring nothing."""
    with TemporaryDirectory() as folder:
        nothing = Path(folder) / "nothing.jsonl"
        nothing.write_bytes(b"")
        try:
            names = score_file(gold, nothing, how).sheet.names
        except DataError as error:
            raise DataError(f"the rows of --dev cannot be scored: {error}") from None
    if evaluation.measure not in names:
        raise SettingsError(
            f"{evaluation.task} has no measure {evaluation.measure!r}; known: {', '.join(names)}"
        )
