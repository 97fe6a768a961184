"""Count what is right: for all samples, for parts of them, and for what costs nothing."""

import math
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from deixis.evaluation.metrics.convention import Convention
from deixis.evaluation.metrics.matching import best_iou, best_pairs, count_pairs
from deixis.evaluation.metrics.mentions import Key, Mention, Sample
from deixis.evaluation.metrics.mner import Score
from deixis.evaluation.metrics.tasks import Task

AGREED = math.inf
"""The overlap of two mentions that have, or need, no region."""
NEVER = -math.inf
"""The overlap of two mentions that differ in whether they can be seen."""


SIZES = {"0": 0, "1": 1, "2": 2, "3": 3, "4": 4, "5 or more": 5}
"""Rows by how many gold mentions they have."""


class Compared(NamedTuple):
    """A sample with the overlaps of all that could be paired.

    ``overlaps`` has for each key that both sides have a row for each prediction and a column
    for each gold mention.
    """

    predicted: int
    gold: int
    groundable: int
    overlaps: tuple[Sequence[Sequence[float]], ...]


class Grounding(NamedTuple):
    """How well mentions are grounded whose text (and type, where it counts) is right.

    Gold and predictions are paired so that most agree on whether there is something to see,
    and then by the highest IoU. All are shares 0..1, and 0 where nothing can be divided.

    Attributes:
        accuracy: for IoU 0.5 and 0.75, the share of the groundable gold mentions whose
            prediction reaches it (E2E-GMNER, equation 11; a mention that was not found fails).
        mean_iou: mean over the groundable gold mentions of the IoU of the best regions; 0 for
            one that was not found or not grounded (E2E-GMNER, equation 12).
        entailment: share of the pairs that agree on whether it can be seen (the accuracy of
            RiVEG's visual entailment, table IX, on predicted mentions).
        precision: share of the pairs with regions on both sides whose IoU reaches 0.5 (RiVEG's
            Prec@0.5 of visual grounding, table IX, on predicted mentions).
    """

    accuracy: dict[float, float]
    mean_iou: float
    entailment: float
    precision: float


def compare(samples: Iterable[Sample], task: Task) -> list[Compared]:
    """Find what could be paired; thresholds come later, so that many can be tried."""
    done = []
    for sample in samples:
        gold, predicted = _by_key(sample.gold), _by_key(sample.predicted)
        overlaps = tuple(
            [[_overlap(wanted, guess, task) for wanted in gold[key]] for guess in guesses]
            for key, guesses in predicted.items()
            if key in gold
        )
        groundable = sum(bool(mention.regions) for mention in sample.gold)
        done.append(Compared(len(sample.predicted), len(sample.gold), groundable, overlaps))
    return done


def _by_key(mentions: Iterable[Mention]) -> dict[Key, list[Mention]]:
    groups: dict[Key, list[Mention]] = {}
    for mention in mentions:
        groups.setdefault(mention.key, []).append(mention)
    return groups


def _overlap(gold: Mention, guess: Mention, task: Task) -> float:
    if not task.region:
        return AGREED
    if guess.regions is None or gold.regions is None or bool(gold.regions) != bool(guess.regions):
        return NEVER
    if not gold.regions or not task.located:
        return AGREED
    return best_iou(guess.regions, gold.regions, task.region == "mask")


def count(
    compared: Iterable[Compared], convention: Convention, threshold: float
) -> NDArray[np.int64]:
    """Return the correct, predicted and gold mentions of each sample, shape ``(N, 3)``."""

    def fits(value: float) -> bool:
        return convention.reached(value, threshold)

    rows = [
        (
            sum(count_pairs(overlap, fits, convention.matching) for overlap in sample.overlaps),
            sample.predicted,
            sample.gold,
        )
        for sample in compared
    ]
    return np.array(rows, dtype=np.int64).reshape(-1, 3)


def score(counts: NDArray[np.int64]) -> Score:
    """Add up the counts of samples."""
    return Score(*map(int, counts.sum(0)))


def ground(compared: Sequence[Compared], convention: Convention) -> Grounding:
    """Score the grounding alone."""
    values: list[float] = []
    for sample in compared:
        for overlaps in sample.overlaps:
            table = np.array(overlaps)
            # Two that agree on seeing weigh more than any IoU of those that would not.
            weights = np.where(table == NEVER, 0.0, 1.0 + np.minimum(table, 1.0))
            values += table[best_pairs(weights)].tolist()
    shared = [value for value in values if math.isfinite(value)]
    groundable = sum(sample.groundable for sample in compared)
    hits = {t: sum(convention.reached(value, t) for value in shared) for t in (0.5, 0.75)}
    return Grounding(
        {t: _share(number, groundable) for t, number in hits.items()},
        _share(sum(shared), groundable),
        _share(sum(value != NEVER for value in values), len(values)),
        _share(hits[0.5], len(shared)),
    )


def _share(part: float, whole: int) -> float:
    return part / whole if whole else 0.0


def without_regions(samples: Iterable[Sample], names_from_gold: bool) -> list[Sample]:
    """Return the predictions of a baseline that calls nothing visible.

    Args:
        samples: as predicted.
        names_from_gold: whether its names and types are those of gold, or those predicted.
    """
    return [
        sample._replace(
            predicted=tuple(
                mention._replace(regions=())
                for mention in (sample.gold if names_from_gold else sample.predicted)
            )
        )
        for sample in samples
    ]


def parts(samples: Sequence[Sample], by: str) -> dict[str, list[Sample]]:
    """Break samples down.

    Args:
        samples: all of them.
        by: ``type``: of both sides, only the mentions of one (coarse) type; ``groundable``: of
            both sides, only those with regions, or without; ``entities``: only the samples
            with so many gold mentions.
    """
    if by == "entities":
        return {
            name: [sample for sample in samples if min(len(sample.gold), 5) == size]
            for name, size in SIZES.items()
        }
    if by == "groundable":
        return {
            "groundable": _only(samples, lambda mention: bool(mention.regions)),
            "ungroundable": _only(samples, lambda mention: not mention.regions),
        }
    types = sorted({m.type for sample in samples for m in sample.gold + sample.predicted})
    return {kind: _only(samples, partial(_is_a, kind)) for kind in types}


def _is_a(kind: str, mention: Mention) -> bool:
    return mention.type == kind


def _only(samples: Iterable[Sample], keep: Callable[[Mention], bool]) -> list[Sample]:
    return [
        Sample(sample.id, tuple(filter(keep, sample.gold)), tuple(filter(keep, sample.predicted)))
        for sample in samples
    ]
