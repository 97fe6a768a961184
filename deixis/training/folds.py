"""Predictions out of fold: of every row by a model that did not learn it.

VKEL's second stage is shown what the first says. Of rows that the first has learned that is the
gold nearly always, and of a new post it is not: so the rows are dealt into folds, and those of each
are predicted by a first stage that learned the others alone.
"""

import json
from collections.abc import Callable, Sequence
from hashlib import sha256
from pathlib import Path

from deixis.base.text_files import read_text, write_lines
from deixis.errors import DataError, InputError
from deixis.evaluation.construction.samples import Sample, all_samples, write_samples

PLAN, PREDICTIONS, HELD_OUT, ROWS, RUN = (
    *("folds.json", "predictions.jsonl", "held_out.jsonl", "rows.jsonl"),
    "run",
)
Learn = Callable[[Path, Path], Path]
"""Trains on a file of rows, in a folder that may hold a run that was stopped; returns a stack."""
Predict = Callable[[Path, Path, Path], None]
"""Runs a stack over a file of rows, and writes their results into another, or goes on with it."""


def dealt(samples: Sequence[Sample], folds: int, seed: int) -> list[int]:
    """Return the fold of each row, from 0: rows of one text are in one, and folds of even size.

    Raises:
        DataError: there are fewer texts than folds.
    """
    texts = list(dict.fromkeys(each.row.text for each in samples))
    if len(texts) < folds:
        raise DataError(f"there are {len(texts)} different texts, too few for {folds} folds")
    drawn = sorted(texts, key=lambda text: sha256(f"{seed}/{text}".encode()).digest())
    fold = {text: place % folds for place, text in enumerate(drawn)}
    return [fold[each.row.text] for each in samples]


def out_of_fold(
    rows: Path,
    out: Path,
    folds: int,
    seed: int,
    learn: Learn,
    predict: Predict,
    also: Path | None = None,
) -> Path:
    """Predict every row by a model that did not learn it; go on where an earlier call ended.

    ``out/fold-1`` and so on have ``rows.jsonl``, ``run`` and ``predictions.jsonl``.

    Args:
        rows: gold.
        out: folder for all of it.
        folds: how many.
        seed: of who is in which.
        learn: trains a model.
        predict: asks it.
        also: rows that every model learns and nobody predicts, such as synthetic pairs.

    Returns:
        The file of predictions of all rows, in their order.

    Raises:
        DataError: a file is wrong, the folds are too many, or a row has no prediction.
        InputError: ``out`` is of other rows, folds or seed; or a file cannot be read or written.
    """
    samples, more = all_samples(rows), all_samples(also) if also else []
    fold_of = dealt(samples, folds, seed)
    _same_plan(out, {"folds": folds, "seed": seed, "rows": _hash(samples), "also": _hash(more)})
    stacks: dict[Path, Path] = {}
    for fold in range(folds):  # all learn first, so that no model that answers takes up memory
        held = [each for each, own in zip(samples, fold_of, strict=True) if own == fold]
        known = {each.row.text for each in held}
        others = [each for each, own in zip(samples, fold_of, strict=True) if own != fold]
        learned = [*others, *(each for each in more if each.row.text not in known)]
        folder = out / f"fold-{fold + 1}"
        _write(folder, learned, held)
        stacks[folder] = learn(folder / ROWS, folder / RUN)
    predicted: dict[str, Sample] = {}
    for folder, stack in stacks.items():
        predict(stack, folder / HELD_OUT, folder / PREDICTIONS)
        predicted |= {each.row.id: each for each in all_samples(folder / PREDICTIONS)}
    if missing := [each.row.id for each in samples if each.row.id not in predicted]:
        raise DataError(
            f"{len(missing)} rows have no prediction, such as {missing[0]!r}; the files of "
            f"failures in {out} say why; run it again"
        )
    write_samples(out / PREDICTIONS, (predicted[each.row.id] for each in samples))
    return out / PREDICTIONS


def _write(folder: Path, learned: list[Sample], held: list[Sample]) -> None:
    """Write the rows of a fold."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, own in ((ROWS, learned), (HELD_OUT, held)):
        if not (folder / name).exists():  # of a run that goes on, they stay as they were
            write_samples(folder / name, own)


def _same_plan(out: Path, plan: dict[str, object]) -> None:
    """Write down what the folds are made of, or check that it is the same as before."""
    path = out / PLAN
    if not path.exists():
        out.mkdir(parents=True, exist_ok=True)
        write_lines(path, [json.dumps(plan)])
        return
    try:
        before = json.loads(read_text(path))
    except ValueError:
        before = None
    if before != plan:
        raise InputError(f"{path} is of other rows, folds or seed; give another --out")


def _hash(samples: Sequence[Sample]) -> str:
    data = json.dumps([each.data for each in samples], sort_keys=True)
    return sha256(data.encode()).hexdigest()
