"""The table of an ablation: what each variant scores, whether that is luck, and what it cost."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from deixis.base.records import Usage
from deixis.batch.output import beside
from deixis.errors import SettingsError
from deixis.evaluation.ablations.checks import Checked, Run
from deixis.evaluation.compare import Result
from deixis.evaluation.metrics.scoring import How
from deixis.evaluation.metrics.sheet import Sheet, contrast
from deixis.evaluation.runs import Spread
from deixis.evaluation.scored import read_gold
from deixis.evaluation.totals import add_usage
from deixis.rows import Row, read_rows


class Progress(NamedTuple):
    """How far a run is: its rows, those that are still to be run, and those that failed."""

    rows: int
    left: int
    failed: int


class Cell(NamedTuple):
    """One measure of one variant; what is not defined is None.

    Attributes:
        value: most run 0..1; over several seeds their mean.
        low: where the 95% interval of the value begins.
        high: where it ends.
        deviation: standard deviation over seeds (of a sample, n - 1); None with one.
        difference: the value less that of the first variant, on the rows that both have.
        p: of that difference, two-sided (`deixis.evaluation.metrics.chance.difference`).
    """

    value: float | None
    low: float | None
    high: float | None
    deviation: float | None
    difference: float | None
    p: float | None


@dataclass
class Line:
    """One variant: how far it is, what it scores, and what all its rows have asked.

    ``cells`` is empty until it is ``done``. ``cost`` is None if a call had no price.
    """

    name: str
    about: str
    differs: Mapping[str, str]
    files: tuple[str, ...]
    rows: int = 0
    left: int = 0
    failed: int = 0
    done: bool = False
    calls: int = 0
    failed_calls: int = 0
    cached: int = 0
    tokens: int = 0
    cost: float | None = 0.0
    cells: dict[str, Cell] = field(default_factory=dict)

    def document(self) -> dict[str, Any]:
        """Return JSON-ready data."""
        own = {name: value for name, value in vars(self).items() if name != "cells"}
        return {
            **own,
            "differs": dict(self.differs),
            "files": list(self.files),
            "metrics": {name: cell._asdict() for name, cell in self.cells.items()},
        }


class Table(NamedTuple):
    """All variants, the first of them the base line; ``notes`` say how it was scored."""

    metrics: tuple[str, ...]
    lines: tuple[Line, ...]
    notes: tuple[str, ...]

    def document(self) -> dict[str, Any]:
        """Return JSON-ready data; shares are 0..1."""
        lines = [line.document() for line in self.lines]
        return {"metrics": list(self.metrics), "notes": list(self.notes), "variants": lines}


def check_results(checked: Checked, folder: Path) -> None:
    """Check, before anything is asked, that what is in a folder was made with these settings.

    Raises:
        SettingsError: a file of results was made with others.
    """
    for run in checked.runs:
        path = folder / run.file
        if not path.is_file() or not path.stat().st_size:
            continue
        try:
            before = json.loads(beside(path, ".settings.json").read_bytes())
            wrong = [name for name, value in before.items() if run.known[name] != value]
        except (OSError, ValueError, AttributeError, KeyError):
            continue  # the batch says what is wrong with it
        if wrong:
            raise SettingsError(
                f"{path}: was made with other settings (different: {', '.join(wrong)}); delete it "
                "to run the variant anew, or give another --out"
            )


def tabulate(checked: Checked, folder: Path, progress: Mapping[str, Progress]) -> Table:
    """Score what is finished.

    Args:
        checked: the plan.
        folder: of the results.
        progress: file of a run to how far it is; one that was not begun is missing.

    Raises:
        DataError: gold and results do not fit together, or lack what is compared.
        InputError: a file cannot be read.
    """
    variants: dict[str, list[Run]] = {}
    for run in checked.runs:
        variants.setdefault(run.variant.name, []).append(run)
    lines = [_line(checked, runs, folder, progress) for runs in variants.values()]
    gold: dict[str, list[Row]] = {}
    for metric in checked.metrics:
        base: list[Sheet] | None = None
        kind = metric.how.task.kind
        gold[kind] = gold.get(kind) or read_gold(checked.gold, metric.how)
        for line, runs in zip(lines, variants.values(), strict=True):
            if line.done:
                paths = [folder / run.file for run in runs]
                own = metric.sheets(gold[kind], paths, runs[0].limit)
                line.cells[metric.name] = _cell(own, base, metric.how)
                base = own if line is lines[0] else base
    names = tuple(metric.name for metric in checked.metrics)
    return Table(names, tuple(lines), (*_notes(checked), *_unanswered(lines)))


def _line(
    checked: Checked, runs: Sequence[Run], folder: Path, progress: Mapping[str, Progress]
) -> Line:
    first = runs[0]
    differs = {name: value for run in runs for name, value in checked.differs(run).items()}
    files = tuple(run.file for run in runs)
    line = Line(first.variant.name, first.variant.about, differs, files)
    for run in runs:
        far = progress.get(run.file)
        if far is None:
            continue
        line.rows += far.rows
        line.left += far.left
        line.failed += far.failed
        for row in read_rows(folder / run.file, Result):
            _add(line, row.usage or ())
    line.done = not line.left and all(run.file in progress for run in runs)
    return line


def _add(line: Line, used: Sequence[Usage]) -> None:
    total = Usage(role="all", model="")
    for usage in used:
        add_usage(total, usage)
        if usage.cost is None and usage.calls:
            line.cost = None
    line.calls += total.calls
    line.failed_calls += total.failed
    line.cached += total.cached
    line.tokens += total.input_tokens + total.output_tokens
    if line.cost is not None:
        line.cost += total.cost or 0.0


def _cell(own: Sequence[Sheet], base: Sequence[Sheet] | None, how: How) -> Cell:
    (measured,) = _averaged(own).measured(how.rounds, how.seed).values()
    value, low, high = measured
    each = Spread(tuple(value for sheet in own for value in sheet.plain().values()))
    deviation = each.deviation if len(own) > 1 else None
    if base is None:
        return Cell(value, low, high, deviation, None, None)
    rows = min(len(sheet.sums) for sheet in (*own, *base))
    sides = [[sheet.only(range(rows)) for sheet in sheets] for sheets in (base, own)]
    times = math.lcm(len(own), len(base))
    pair = [_averaged(side * (times // len(side))) for side in sides]
    (gap,) = contrast(pair[0], pair[1], how.rounds, how.seed).values()
    return Cell(value, low, high, deviation, gap.difference.value, gap.p)


def _averaged(sheets: Sequence[Sheet]) -> Sheet:
    """Return the sheet of the mean over repetitions, whose rows are drawn together."""
    width = sheets[0].sums.shape[1]

    def values(totals: NDArray[np.float64]) -> NDArray[np.float64]:
        spans = (totals[..., at * width : (at + 1) * width] for at in range(len(sheets)))
        each = [sheet.values(span) for sheet, span in zip(sheets, spans, strict=True)]
        mean: NDArray[np.float64] = np.mean(np.stack(each), axis=0)
        return mean

    return Sheet(sheets[0].names, np.hstack([sheet.sums for sheet in sheets]), values)


def _unanswered(lines: Sequence[Line]) -> list[str]:
    """Say of which variants models did not answer: their rows count, with what went on without."""
    return [
        f"{line.name}: {line.failed_calls} of {line.calls} calls of language models brought "
        f"nothing usable, and the rows went on without; "
        f"the warnings in {', '.join(line.files)} say why."
        for line in lines
        if line.failed_calls
    ]


def _notes(checked: Checked) -> tuple[str, ...]:
    hows: dict[str, list[str]] = {}
    for metric in checked.metrics:
        hows.setdefault(metric.how.describe(), []).append(metric.name)
    return (
        "In per cent, with the middle 95% of bootstrapped rows; p against the first variant, by "
        f"approximate randomisation in {checked.plan.rounds:,} rounds (seed {checked.plan.draws}).",
        *(f"{', '.join(names)}: {how}." for how, names in hows.items()),
    )
