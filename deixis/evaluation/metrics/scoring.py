"""Score predictions, or compare two of them: what ``deixis eval`` and ``compare`` print."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from deixis.errors import SettingsError
from deixis.evaluation.metrics.chance import Difference, Shares, difference, interval
from deixis.evaluation.metrics.convention import Convention
from deixis.evaluation.metrics.convention import convention as named_convention
from deixis.evaluation.metrics.mentions import Aligned, Sample, align
from deixis.evaluation.metrics.mner import Score
from deixis.evaluation.metrics.sheet import NAMES
from deixis.evaluation.metrics.tables import (
    Grounding,
    compare,
    count,
    ground,
    parts,
    score,
    without_regions,
)
from deixis.evaluation.metrics.tasks import Task
from deixis.evaluation.metrics.tasks import task as named_task
from deixis.rows import Row

SWEEP = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
"""The IoUs of VKEL's table IX, and those between."""
BREAKDOWNS = ("type", "groundable", "entities")
MUIE_BREAKDOWNS = ("dataset", "input", "aligned")
"""What the rows of muie alone say of themselves."""


@dataclass(frozen=True)
class How:
    """How to score.

    Attributes:
        task: what is compared.
        convention: what counts as equal.
        threshold: the IoU to reach or exceed, above 0 and up to 1.
        rounds: how often samples are drawn for an interval or a p.
        seed: of what is drawn.
        wording: how the summaries of mmre are compared, a key of `mmre.WORDINGS`.

    Raises:
        SettingsError: the threshold or the rounds are out of range.
    """

    task: Task
    convention: Convention
    threshold: float = 0.5
    rounds: int = 1000
    seed: int = 0
    wording: str = "plain"

    def __post_init__(self) -> None:
        """Check the ranges."""
        if not 0 < self.threshold <= 1:
            raise SettingsError(f"the IoU is above 0 and up to 1; got {self.threshold:g}")
        if self.rounds < 1:
            raise SettingsError(f"at least one round has to be drawn; got {self.rounds}")

    @classmethod
    def named(
        cls, task: str, convention: str = "deixis", coarse: bool = False, **rest: Any
    ) -> "How":
        """Return how to score by the names of a task and a convention; `rest` is all else.

        Raises:
            SettingsError: there is no such task or convention, or a number is out of range.
        """
        return cls(named_task(task, coarse), named_convention(convention), **rest)

    def describe(self) -> str:
        """Return one line that says every choice."""
        return self.convention.describe(self.threshold if self.task.located else None)

    def document(self) -> dict[str, Any]:
        """Return the same as JSON-ready data."""
        iou = self.threshold if self.task.located else None
        about = {"task": asdict(self.task), "convention": asdict(self.convention), "iou": iou}
        return {**about, "rounds": self.rounds, "seed": self.seed}


class Entry(NamedTuple):
    """One score with what surrounds it.

    Attributes:
        score: the counts.
        low: where the 95% intervals of precision, recall and F1 begin.
        high: where they end.
        names_and_none: the score of the same names and types if nothing was called visible.
        gold_and_none: the score of gold names and types with nothing called visible. Both are
            None where regions do not count.
        sweep: the score at each IoU of `SWEEP`; None where it does not count.
    """

    score: Score
    low: Shares
    high: Shares
    names_and_none: Score | None
    gold_and_none: Score | None
    sweep: dict[float, Score] | None

    def document(self) -> dict[str, Any]:
        """Return JSON-ready data; shares are 0..1."""
        intervals = zip(NAMES, self.low.tolist(), self.high.tolist(), strict=True)
        baselines = {"names_and_none": self.names_and_none, "gold_and_none": self.gold_and_none}
        return {
            **_counts(self.score),
            "interval": {name: [low, high] for name, low, high in intervals},
            "baselines": {name: score and _counts(score) for name, score in baselines.items()},
            "sweep": self.sweep and {f"{t:g}": _counts(score) for t, score in self.sweep.items()},
        }


@dataclass(frozen=True)
class Report:
    """The scores of one file of predictions.

    ``parts`` are the entries of the breakdown that was asked for; ``grounding`` is None where it
    does not count where regions are.
    """

    how: How
    aligned: Aligned
    all: Entry
    parts: dict[str, Entry]
    grounding: Grounding | None

    def document(self) -> dict[str, Any]:
        """Return JSON-ready data; shares are 0..1."""
        grounding = self.grounding
        return {
            **self.how.document(),
            **_noticed(self.aligned),
            "score": self.all.document(),
            "parts": {name: part.document() for name, part in self.parts.items()},
            "grounding": grounding
            and {
                **{f"accuracy@{t:g}": share for t, share in grounding.accuracy.items()},
                "mean_iou": grounding.mean_iou,
                "entailment_accuracy": grounding.entailment,
                "grounding_precision@0.5": grounding.precision,
            },
        }


def evaluate(
    gold: Sequence[Row], predicted: Sequence[Row], how: How, by: str | None = None
) -> Report:
    """Score predictions.

    Args:
        gold: the labelled samples.
        predicted: predictions with the same ids; a sample without one counts as empty.
        how: the task and its rules.
        by: break down by ``type``, ``groundable`` or ``entities`` (see `parts`).

    Raises:
        DataError: the rows do not fit together, or lack what is compared.
        SettingsError: there is no such breakdown, or not of this task; or the task has measures
            of its own.
    """
    check_breakdown(how.task, by)
    if how.task.kind != "mentions":
        raise SettingsError(f"{how.task.name} has measures of its own: see deixis eval")
    aligned = align(gold, predicted, how.task, how.convention)
    sides = _with_baselines(aligned.samples, how)
    divided = [parts(side, by) if by else {} for side in sides]
    located = how.task.located
    return Report(
        how,
        aligned,
        _entry(sides, how),
        {name: _entry([side.get(name, []) for side in divided], how) for name in divided[0]},
        ground(compare(aligned.samples, how.task), how.convention) if located else None,
    )


def check_breakdown(task: Task, by: str | None) -> None:
    """Refuse a breakdown that there is not, or not of this task.

    Raises:
        SettingsError: so it is.
    """
    known = (*BREAKDOWNS, *(MUIE_BREAKDOWNS if task.kind == "muie" else ()))
    if by is not None and by not in known:
        raise SettingsError(f"there is no breakdown {by!r}; known: {', '.join(known)}")
    if by == "groundable" and not task.region:
        raise SettingsError(f"{task.name} scores no regions, so nothing is groundable in it")
    if by == "groundable" and task.kind != "mentions":
        others = ", ".join(name for name in known if name != by)
        raise SettingsError(f"{task.name} cannot be broken down by groundable; take {others}")


def _with_baselines(samples: Sequence[Sample], how: How) -> list[Sequence[Sample]]:
    if not how.task.region:
        return [samples]
    return [samples, *(without_regions(samples, gold) for gold in (False, True))]


def _entry(sides: Sequence[Sequence[Sample]], how: How) -> Entry:
    """Score samples, followed by those of the baselines where there are any."""
    compared = compare(sides[0], how.task)
    counts = count(compared, how.convention, how.threshold)
    low, high = interval(counts, how.rounds, how.seed)
    names, gold = (score(_count(side, how)) for side in sides[1:]) if sides[1:] else (None, None)
    at = {t: score(count(compared, how.convention, t)) for t in SWEEP}
    return Entry(score(counts), low, high, names, gold, at if how.task.located else None)


def _count(samples: Sequence[Sample], how: How) -> NDArray[np.int64]:
    return count(compare(samples, how.task), how.convention, how.threshold)


@dataclass(frozen=True)
class Comparison:
    """Two files of predictions, sample by sample.

    ``won`` samples have fewer errors (wrong and missed mentions together) in the second,
    ``lost`` ones more; the others have as many.
    """

    how: How
    first: Aligned
    second: Aligned
    entries: tuple[Entry, Entry]
    difference: Difference
    won: int
    lost: int

    def document(self) -> dict[str, Any]:
        """Return JSON-ready data; shares are 0..1."""
        columns = zip(NAMES, *(numbers.tolist() for numbers in self.difference), strict=True)
        files = zip((self.first, self.second), self.entries, strict=True)
        first, second = ({**_noticed(rows), "score": entry.document()} for rows, entry in files)
        return {
            **self.how.document(),
            "first": first,
            "second": second,
            "difference": {
                name: {"value": value, "interval": [low, high], "p": p}
                for name, value, low, high, p in columns
            },
            "won": self.won,
            "lost": self.lost,
            "tied": len(self.first.samples) - self.won - self.lost,
        }


def compare_two(
    gold: Sequence[Row], first: Sequence[Row], second: Sequence[Row], how: How
) -> Comparison:
    """Say how much the second file of predictions scores above the first, and if that is luck.

    Raises:
        DataError: the rows do not fit together, or lack what is compared.
    """
    one, other = (align(gold, rows, how.task, how.convention) for rows in (first, second))
    counts = [_count(aligned.samples, how) for aligned in (one, other)]
    entries = [_entry(_with_baselines(aligned.samples, how), how) for aligned in (one, other)]
    more = (counts[1] - counts[0]) @ (-2, 1, 1)  # errors are predicted + gold - 2 correct
    return Comparison(
        how,
        one,
        other,
        (entries[0], entries[1]),
        difference(counts[0], counts[1], how.rounds, how.seed),
        int((more < 0).sum()),
        int((more > 0).sum()),
    )


def _counts(score: Score) -> dict[str, float]:
    shares = zip(NAMES, (score.precision, score.recall, score.f1), strict=True)
    return {**score._asdict(), **dict(shares)}


def _noticed(aligned: Aligned) -> dict[str, Any]:
    missing = list(aligned.missing)
    oddities = {"undecided": aligned.undecided, "unusable_regions": aligned.unusable}
    return {"samples": len(aligned.samples), "missing": missing, **oddities}
