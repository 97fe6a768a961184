"""Files of predictions scored, whatever the task: measures that are sums over rows."""

from collections.abc import Callable, Collection, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from deixis.errors import DataError, SettingsError
from deixis.evaluation import papers
from deixis.evaluation.datasets.mmre import MmreRow
from deixis.evaluation.judgements import JudgedRow, by_verdict
from deixis.evaluation.metrics import given
from deixis.evaluation.metrics.mentions import Sample, align
from deixis.evaluation.metrics.scoring import How, check_breakdown
from deixis.evaluation.metrics.sheet import Measured, Sheet, counted
from deixis.evaluation.metrics.tables import SIZES, compare, count, parts
from deixis.evaluation.muie_answers import read_muie
from deixis.evaluation.muie_tables import aligned_of, inputs_of, rows_by
from deixis.evaluation.predictions import Predictions, read_predictions, some
from deixis.formats.muie_rows import MuieRow
from deixis.rows import Row, read_rows


class Scored(NamedTuple):
    """What one file of predictions scores.

    Attributes:
        path: the file.
        how: the task and its rules.
        sheet: of all rows of the gold.
        parts: sheets of the breakdown that was asked for.
        ids: of the rows of the gold, in their order.
        missing: ids of the gold that the file lacks; they count as empty.
        about: JSON-ready, what else was met, and signatures of libraries.
        oddities: the same in words, a line each.
    """

    path: Path
    how: How
    sheet: Sheet
    parts: dict[str, Sheet]
    ids: tuple[str, ...]
    missing: tuple[str, ...]
    about: dict[str, Any]
    oddities: tuple[str, ...]

    def measured(self) -> dict[str, dict[str, Measured]]:
        """Return the measures of ``all`` and of each part."""
        sheets = {"all": self.sheet, **self.parts}
        return {
            name: sheet.measured(self.how.rounds, self.how.seed) for name, sheet in sheets.items()
        }

    def document(self) -> dict[str, Any]:
        """Return JSON-ready data; measures run 0..1."""
        whole, *others = self.measured().items()
        return {
            "predictions": str(self.path),
            "samples": len(self.ids),
            "missing": list(self.missing),
            **self.about,
            "measures": _documents(whole[1]),
            "parts": {name: _documents(part) for name, part in others},
        }


def _documents(measures: dict[str, Measured]) -> dict[str, Any]:
    return {name: measured.document() for name, measured in measures.items()}


def read_gold(path: Path, how: How) -> list[Row]:
    """Read the gold rows of a task.

    Raises:
        DataError: a line is no row of the task's kind, or there is none.
        InputError: the file cannot be read.
    """
    kinds: dict[str, type[Row]] = {"mmre": MmreRow, "muie": MuieRow}
    try:
        rows: list[Row] = [*read_rows(path, kinds.get(how.task.kind, Row))]
    except DataError as error:
        if how.task.kind not in kinds:
            raise
        made = f"gold of {how.task.kind} is made by deixis dataset convert {how.task.kind}"
        raise DataError(f"{error}; {made}") from None
    if not rows:
        raise DataError(f"{path}: there are no rows of gold")
    return rows


def read_mentions(
    gold: Sequence[Row], path: Path, how: How, format_name: str | None, some: bool = False
) -> Predictions:
    """Read predictions of mentions; where it counts what is visible, by what was judged.

    With `some`, those of rows that the gold lacks are left out.

    Raises:
        DataError, InputError, SettingsError: as for `read_predictions`.
    """
    if how.task.region != "seen" or format_name is not None:
        read = read_predictions(path, format_name, gold)
    else:
        read = read_predictions(path, None, gold, JudgedRow)
        read = read._replace(rows=[by_verdict(row) for row in read.rows])
    known = {row.id for row in gold}
    return read._replace(rows=[row for row in read.rows if row.id in known]) if some else read


def score_file(
    gold: Sequence[Row],
    path: Path,
    how: How,
    by: str | None = None,
    format_name: str | None = None,
) -> Scored:
    """Score a file of predictions.

    Args:
        gold: as `read_gold` reads it.
        path: rows, or with a `format_name` answers in a paper's format.
        how: the task and its rules.
        by: break down by ``type``, ``groundable`` or ``entities``, as far as the task can; muie
            also by ``dataset``, ``input`` (its media) or ``aligned``.
        format_name: a format of `deixis.formats.files`.

    Raises:
        DataError: a line is no row, or the file does not fit the gold.
        InputError: the file cannot be read.
        MissingExtraError: of mmre, rouge-score or sacrebleu is not installed.
        SettingsError: there is no such breakdown or format, or not of this task.
    """
    check_breakdown(how.task, by)
    divide = _by_size if by == "entities" else _MUIE_PARTS.get(by or "")
    scored = _SCORERS[how.task.kind](gold, path, how, None if divide else by, format_name)
    return scored._replace(parts=divide(gold, scored.sheet)) if divide else scored


def _score_mentions(
    gold: Sequence[Row], path: Path, how: How, by: str | None, format_name: str | None
) -> Scored:
    read = read_mentions(gold, path, how, format_name)
    aligned = align(gold, read.rows, how.task, how.convention)

    def sheet_of(samples: Sequence[Sample]) -> Sheet:
        return counted(count(compare(samples, how.task), how.convention, how.threshold))

    divided = parts(aligned.samples, by) if by else {}
    about = {"unreadable": read.unreadable, "undecided": aligned.undecided}
    return Scored(
        path,
        how,
        sheet_of(aligned.samples),
        {name: sheet_of(samples) for name, samples in divided.items()},
        tuple(row.id for row in gold),
        aligned.missing,
        about,
        tuple(read.oddities(aligned)),
    )


def _score_given(
    gold: Sequence[Row], path: Path, how: How, by: str | None, format_name: str | None
) -> Scored:
    if format_name is not None:
        raise SettingsError(
            f"--task {how.task.name} scores results of deixis batch, not --format {format_name}"
        )
    rows = read_rows(path, JudgedRow)
    missing = missing_of(gold, {row.id for row in rows}, path)
    pairs = given.given(gold, rows)

    def sheet_of(some: Sequence[Sequence[given.Given]]) -> Sheet:
        grounds = how.task.located
        return given.grounding(some, how.threshold) if grounds else given.entailment(some)

    told = [pair for row in pairs for pair in row]
    kinds = sorted({pair.gold.type for pair in told}) if by else []
    return Scored(
        path,
        how,
        sheet_of(pairs),
        {kind: sheet_of(given.of_type(pairs, kind)) for kind in kinds},
        tuple(row.id for row in gold),
        missing,
        {"mentions": len(told), **given.tally(told)},
        missing_told(path, missing),
    )


def _score_paper(
    gold: Sequence[Any], path: Path, how: How, by: str | None, format_name: str | None
) -> Scored:
    reader = papers.read_mmre if how.task.kind == "mmre" else read_muie
    read: papers.Answers = reader(gold, path, format_name)
    missing = missing_of(gold, read.answers, path)
    kinds = read.kinds() if by else []
    unreadable, oddities = read.unreadable, missing_told(path, missing)
    if unreadable:
        oddities = (f"{path}: {unreadable} pieces of answers could not be read", *oddities)
    whole, about = read.sheet(how.wording)
    return Scored(
        path,
        how,
        whole,
        {kind: read.of_type(kind) for kind in kinds},
        tuple(row.id for row in gold),
        missing,
        {"unreadable": unreadable, **about},
        oddities,
    )


_SCORERS: dict[str, Callable[..., Scored]] = {
    "mentions": _score_mentions,
    "given": _score_given,
    "mmre": _score_paper,
    "muie": _score_paper,
}


def missing_of(gold: Sequence[Row], answered: Collection[str], path: Path) -> tuple[str, ...]:
    """Return the ids of gold without a prediction.

    Raises:
        DataError: there is a prediction for an id that the gold lacks.
    """
    known = {row.id for row in gold}
    if unknown := [name for name in answered if name not in known]:
        raise DataError(f"{path}: the gold has no sample {unknown[0]!r}")
    return tuple(row.id for row in gold if row.id not in answered)


def missing_told(path: Path, missing: Sequence[str]) -> tuple[str, ...]:
    """Say which samples have no predictions, in a line."""
    told = f"{path}: {len(missing)} samples have no predictions and count as empty"
    return (f"{told} ({some(missing)})",) if missing else ()


def _by_size(gold: Sequence[Row], sheet: Sheet) -> dict[str, Sheet]:
    """Return the sheets of the rows with so many gold entities."""
    return {
        name: sheet.only([at for at, row in enumerate(gold) if min(len(row.entities), 5) == size])
        for name, size in SIZES.items()
    }


def _by_key(key: Callable[[Any], str], gold: Sequence[Any], sheet: Sheet) -> dict[str, Sheet]:
    """Return the sheets of the rows that have each key."""
    return {name: sheet.only(places) for name, places in rows_by(gold, key).items()}


def _dataset_of(row: MuieRow) -> str:
    return row.dataset or "unknown"


_MUIE_PARTS = {
    "dataset": partial(_by_key, _dataset_of),
    "input": partial(_by_key, inputs_of),
    "aligned": partial(_by_key, aligned_of),
}
