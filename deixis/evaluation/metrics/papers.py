"""Whole files of two papers that have scores of their own: M-MRE and MUIE.

Predictions are rows, or answers as the paper's models write them.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from deixis.errors import DataError, SettingsError
from deixis.evaluation.datasets.mmre import MmreRow, Patch
from deixis.evaluation.metrics import mmre, muie
from deixis.evaluation.metrics.mner import Score
from deixis.formats import files, pfa
from deixis.formats import muie as muie_format
from deixis.formats.muie_rows import MuieRow
from deixis.rows import Row, read_rows

R = TypeVar("R", bound=Row)
Document = dict[str, Any]


class Paper(NamedTuple):
    """The format that the answers of a paper's models have, and how they are scored."""

    format: str
    score: Callable[[Path, Path, str | None, str], Document]


def score_files(
    task: str, gold: Path, predictions: Path, format_name: str | None, wording: str
) -> Document:
    """Score a file against gold.

    Args:
        task: a key of `PAPERS`.
        gold: rows as `deixis dataset convert` writes them.
        predictions: rows of the same kind, or answers in the format of the task; of M-MRE also
            lines of `deixis batch`, whose caption is the summary.
        format_name: that format; None for rows.
        wording: how the summaries of M-MRE are compared, a key of `mmre.WORDINGS`.

    Returns:
        A JSON-ready document: scores, and the samples that had no prediction.

    Raises:
        DataError: a file does not parse, or names samples that the gold does not have.
        MissingExtraError: rouge-score or sacrebleu is not installed.
        SettingsError: the format or the wording is not one of this task.
    """
    paper = PAPERS[task]
    if format_name not in (None, paper.format):
        raise SettingsError(
            f"--task {task} takes rows, or answers with --format {paper.format}; "
            f"got --format {format_name}"
        )
    return {"task": task, **paper.score(gold, predictions, format_name, wording)}


def _score_mmre(gold: Path, path: Path, format_name: str | None, wording: str) -> Document:
    rows = read_rows(gold, MmreRow)
    empty = pfa.Answer("", (), {}, ())
    if format_name is None:
        by_id = {row.id: row for row in rows}
        own_rows = read_rows(path, _Predicted)
        answered = {row.id: _answer_of(row, by_id.get(row.id)) for row in own_rows}
    else:
        answers = files.read_answers(path, format_name, rows)
        answered = {answer.row.id: pfa.parse_answer(answer.text) for answer in answers}
    missing = _missing(rows, answered, path)
    predicted = [answered.get(row.id, empty) for row in rows]
    report = mmre.score([mmre.answer_of(row) for row in rows], predicted, wording)
    return {
        "samples": len(rows),
        "missing": missing,
        "unreadable": sum(len(answer.problems) for answer in predicted),
        "ner": {name: _document(score) for name, score in report.pairs.items()},
        "patch_accuracy": report.accuracy,
        "rouge": report.summaries.rouge,
        "bleu": report.summaries.bleu,
        "signatures": list(report.summaries.signatures),
    }


class _Predicted(Row):
    """A row of M-MRE, or a line of `deixis batch`, which has a caption and no letters."""

    summary: str | None = None
    caption: str | None = None
    patches: tuple[Patch, ...] | None = None


def _answer_of(row: _Predicted, gold: MmreRow | None) -> pfa.Answer:
    """Return what a row says.

    Without letters a region is the patch of the gold that has its box; of two entities with
    one box it shows the one of the gold.
    """
    if row.patches is not None:
        patches = {patch.letter: patch.entity for patch in row.patches if patch.entity is not None}
    else:
        patches = {}
        for patch in gold.patches if gold else ():
            holders = [
                entity.text
                for entity in row.entities
                if any(region.box == patch.box for region in entity.regions or ())
            ]
            if holders:
                patches[patch.letter] = patch.entity if patch.entity in holders else holders[0]
    pairs = tuple((entity.text, entity.type) for entity in row.entities)
    return pfa.Answer(row.summary or row.caption or "", pairs, patches)


def _score_muie(gold: Path, path: Path, format_name: str | None, _wording: str) -> Document:
    rows = read_rows(gold, MuieRow)
    unreadable = 0
    if format_name is None:
        answered = {row.id: row for row in read_rows(path, MuieRow)}
    else:
        by_id = {row.id: row for row in rows}
        answered = {}
        for line in files.read_answers(path, format_name, rows):
            row = by_id[line.row.id]
            answer = muie_format.parse_answer(line.text, row.task)
            unreadable += len(answer.problems)
            answered[row.id] = muie_format.row_of(answer, row)
    missing = _missing(rows, answered, path)
    predicted = [answered.get(row.id) or _nothing(row) for row in rows]
    other = [row.id for row, guess in zip(rows, predicted, strict=True) if row.task != guess.task]
    if other:
        raise DataError(f"{path}: the sample {other[0]!r} has another task than in the gold")
    extracted = muie.score_extraction(rows, predicted)
    return {
        "samples": len(rows),
        "missing": missing,
        "unreadable": unreadable,
        **{name: _document(score) for name, score in extracted._asdict().items()},
        "mean_iou": muie.score_grounding(rows, predicted)._asdict(),
    }


def _nothing(row: MuieRow) -> MuieRow:
    return row.model_copy(update={"entities": (), "relations": (), "events": ()})


def _missing(rows: Sequence[R], answered: dict[str, Any], path: Path) -> list[str]:
    """Return the ids without a prediction; an id that the gold does not have is an error."""
    known = {row.id for row in rows}
    unknown = [identity for identity in answered if identity not in known]
    if unknown:
        raise DataError(f"{path}: the gold has no sample {unknown[0]!r}")
    return [row.id for row in rows if row.id not in answered]


def _document(score: Score) -> Document:
    shares = {"precision": score.precision, "recall": score.recall, "f1": score.f1}
    return {**score._asdict(), **shares}


PAPERS = {"mmre": Paper("pfa", _score_mmre), "muie": Paper("muie", _score_muie)}
"""The tasks with scores of their own."""
