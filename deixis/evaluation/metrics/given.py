"""Scores of the parts of a system that were run on gold mentions (RiVEG, table IX and figure 7).

The entities of such a result are those of the gold, so nothing is lost or gained by recognition:
what is scored is whether a mention is rightly called visible, and where it was pointed at.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from deixis.errors import DataError
from deixis.evaluation.judgements import JudgedEntity, JudgedRow, entailed, linked, told
from deixis.evaluation.metrics.chance import Shares, shares
from deixis.evaluation.metrics.matching import best_iou
from deixis.evaluation.metrics.sheet import NAMES, Sheet, ratios, side_by_side
from deixis.rows import Row, RowEntity

BINS = 10
"""Equal bins of probability, between which calibration is compared."""
_LEVELS = 1001  # probabilities are told apart to three decimals


class Given(NamedTuple):
    """A gold mention, and what was said of it; None if its row has no result or lacks it."""

    gold: RowEntity
    said: JudgedEntity | None


def given(gold: Sequence[Row], predicted: Sequence[JudgedRow]) -> list[list[Given]]:
    """Bring gold mentions and what was said of them together, a list for each row of gold.

    Mentions are the same by their exact text, those of one text by their place, else in order.

    Raises:
        DataError: a result has a mention that the gold lacks, or gold does not say whether a
            mention can be seen.
    """
    answers = {row.id: row for row in predicted}
    return [_given(row, answers.get(row.id)) for row in gold]


def _given(row: Row, answer: JudgedRow | None) -> list[Given]:
    said: dict[int, JudgedEntity] = {}
    for judged, own in linked(answer.entities if answer else (), row.entities):
        if own is None:
            raise DataError(
                f"the result of {row.id!r} has the mention {judged.text!r} that the gold lacks: "
                "these scores are of runs on gold mentions (deixis batch --gold-mentions)"
            )
        said[id(own)] = judged
    for entity in row.entities:
        if entity.regions is None:
            raise DataError(
                f"the gold entity {entity.text!r} of {row.id!r} does not say whether it can be "
                "seen, which entailment and grounding score"
            )
    return [Given(entity, said.get(id(entity))) for entity in row.entities]


def verdict(said: JudgedEntity | None) -> bool | None:
    """Return whether a mention was said to be seen; None if it is undecided.

    The step `entail` has the word where it said anything, for that is the part which is scored:
    what it calls visible may have no box in the end. Without it the result counts.
    """
    if said is None:
        return None
    judged = told(entailed(said))
    if judged is None and said.regions is not None:
        return bool(said.regions)
    return judged


def probability(said: JudgedEntity | None) -> float | None:
    """Return how likely it was said to be that a mention can be seen, 0..1, if that was said.

    It is that of the step `entail`; without that, of the last verdict that has a confidence.
    """
    if said is None:
        return None
    verdicts = [each for each in said.decisions if each.subject == "groundable"]
    judged = entailed(said)
    for made in [judged] if told(judged) is not None else reversed(verdicts):
        if made and made.outcome and made.confidence is not None:
            return made.confidence if made.outcome == "yes" else 1 - made.confidence
    return None


def tally(pairs: Sequence[Given]) -> dict[str, int]:
    """Count the mentions that can be seen, were pointed at, are undecided, have a probability."""
    said = [pair.said for pair in pairs]
    return {
        "groundable": sum(bool(pair.gold.regions) for pair in pairs),
        "pointed_at": sum(bool(each and each.regions) for each in said),
        "undecided": sum(verdict(each) is None for each in said),
        "with_probability": sum(probability(each) is not None for each in said),
    }


def of_type(rows: Sequence[Sequence[Given]], kind: str) -> list[list[Given]]:
    """Return the mentions of one (coarse) type alone."""
    return [[pair for pair in row if pair.gold.type == kind] for row in rows]


def entailment(rows: Sequence[Sequence[Given]]) -> Sheet:
    """Score whether mentions are rightly said to be seen (RiVEG, table IX: the VE module).

    Who is scored is the entailer, whatever was pointed at then (see `verdict`).
    Its measures: ``accuracy`` (an undecided mention is wrong); ``precision``, ``recall`` and
    ``f1`` of "can be seen"; ``undecided``, the share of the mentions; and where decisions have
    a confidence ``auc``, the chance that a mention that can be seen got a higher probability
    than one that cannot (ties count half, probabilities are told apart to three decimals), and
    ``calibration_error``: the mean of ``|share seen - mean probability|`` over ten equal bins,
    weighted by their size.
    """
    verdicts = np.zeros((len(rows), 6))
    bins = np.zeros((len(rows), BINS + 1))
    levels = np.zeros((len(rows), 2, _LEVELS))
    for place, row in enumerate(rows):
        for gold, said in row:
            verdicts[place] += _verdict(bool(gold.regions), said)
            stated = probability(said)
            if stated is not None:
                bins[place, min(int(stated * BINS), BINS - 1)] += bool(gold.regions) - stated
                bins[place, -1] += 1
                levels[place, int(bool(gold.regions)), round(stated * (_LEVELS - 1))] += 1
    right, undecided, *counts, total = verdicts.T[..., None]
    return side_by_side(
        ratios(("accuracy",), right, total),
        Sheet(NAMES, np.hstack(counts), shares),
        ratios(("undecided",), undecided, total),
        Sheet(("auc",), levels.reshape(len(rows), -1), _auc),
        Sheet(("calibration_error",), bins, _calibration_error),
    )


def _verdict(seen: bool, said: JudgedEntity | None) -> tuple[bool, bool, bool, bool, bool, bool]:
    """Return whether it is right, undecided, rightly said, said and really to be seen; and 1."""
    found = verdict(said)
    return found is seen, found is None, seen and found is True, found is True, seen, True


def _auc(totals: NDArray[np.float64]) -> Shares:
    """Return the area under the ROC curve of mentions by verdict and level of probability."""
    unseen, seen = np.moveaxis(totals.reshape(*totals.shape[:-1], 2, _LEVELS), -2, 0)
    below = np.cumsum(unseen, axis=-1) - unseen / 2
    pairs = seen.sum(-1) * unseen.sum(-1)
    won = (seen * below).sum(-1)
    return _divided(won, pairs)


def _calibration_error(totals: NDArray[np.float64]) -> Shares:
    return _divided(np.abs(totals[..., :-1]).sum(-1), totals[..., -1])


def _divided(above: NDArray[np.float64], below: NDArray[np.float64]) -> Shares:
    undefined = np.full_like(above, np.nan)
    quotients: Shares = np.divide(above, below, out=undefined, where=below > 0)
    return quotients[..., None]


def grounding(rows: Sequence[Sequence[Given]], threshold: float = 0.5) -> Sheet:
    """Score where the groundable gold mentions are pointed at (RiVEG, table IX: the VG module).

    Its measures: ``precision`` (Prec@0.5), the share of the groundable gold mentions of which a
    region has this IoU with any gold one; ``precision_pointed``, the share of those that were
    pointed at; and ``mean_iou`` of the best regions, 0 for a mention that was not pointed at.
    """
    sums = np.zeros((len(rows), 4))
    for place, row in enumerate(rows):
        for gold, said in row:
            if gold.regions:
                pointed = said.regions if said and said.regions else ()
                iou = best_iou(pointed, gold.regions, masks=False)
                sums[place] += (iou >= threshold, iou, bool(pointed), True)
    hits, ious, pointed_at, total = sums.T[..., None]
    return ratios(
        ("precision", "precision_pointed", "mean_iou"),
        np.hstack([hits, hits, ious]),
        np.hstack([total, pointed_at, total]),
    )
