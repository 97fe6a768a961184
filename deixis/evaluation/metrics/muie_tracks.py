"""Whether the tracks of a video keep to their things, beside the per-frame IoU of the paper.

HOTA (Luiten et al., IJCV 2021, "HOTA: A Higher Order Metric for Evaluating Multi-object
Tracking") and IDF1 (Ristani et al., ECCV workshops 2016, "Performance Measures and a Data Set for
Multi-Target, Multi-Camera Tracking"). An identity is an entity with all its regions; what it is
called does not count, but a track that changes from one thing to another costs in both. The
library that its authors released asks for a package that takes the place of the OpenCV which
Deixis uses, so the formulas are written out here.

Both are computed from sums over videos, as the papers have it, and on the frames of the gold.
"""

from collections.abc import Sequence
from itertools import product

import numpy as np
from numpy.typing import NDArray

from deixis.errors import DataError
from deixis.evaluation.metrics.chance import Shares
from deixis.evaluation.metrics.muie_facts import check_same
from deixis.evaluation.metrics.muie_grounding import overlaps_of
from deixis.evaluation.metrics.muie_places import Held, compared, place_iou
from deixis.evaluation.metrics.sheet import Sheet
from deixis.formats.muie_rows import MuieRow

Numbers = NDArray[np.float64]
ALPHAS = np.arange(1, 20) / 20
"""The IoUs, 0.05 to 0.95, at which HOTA is computed before it is averaged."""
_ENOUGH = 0.5  # the IoU of IDF1
_EPSILON = 1e-12  # an IoU that is a threshold but for rounding reaches it


class _Frames:
    """The detections of a video: of each frame the identities of both sides, and their IoU."""

    def __init__(self, wanted: MuieRow, guess: MuieRow) -> None:
        one, other = compared(wanted, guess, "video")
        self.frames: list[tuple[NDArray[np.intp], NDArray[np.intp], Numbers]] = []
        self.gold, self.predicted = np.zeros(len(wanted.entities)), np.zeros(len(guess.entities))
        for frame in sorted(one.keys() | other.keys()):
            seen, told = one.get(frame, []), other.get(frame, [])
            mine, theirs = (
                np.array([held.holder for held in side], dtype=np.intp) for side in (seen, told)
            )
            np.add.at(self.gold, mine, 1)
            np.add.at(self.predicted, theirs, 1)
            self.frames.append((mine, theirs, overlaps_of(seen, told, _iou)))

    def table(self) -> Numbers:
        """Return zeros for each pair of identities, shape ``(G, K)``."""
        return np.zeros((len(self.gold), len(self.predicted)))

    def either(self, both: Numbers) -> Numbers:
        """Return the detections that either identity has, where `both` is what they share."""
        return self.gold[:, None] + self.predicted[None, :] - both


def _iou(one: Held, other: Held) -> float:
    return place_iou(one.place, other.place)


def track_sheet(gold: Sequence[MuieRow], predicted: Sequence[MuieRow]) -> Sheet:
    """Return HOTA and IDF1 as sums over rows; NaN where no row has a track.

    Raises:
        DataError: masks of one frame cannot be compared.
        ValueError: the two do not have the same samples.
    """
    check_same(gold, predicted)
    rows = []
    for wanted, guess in zip(gold, predicted, strict=True):
        try:
            video = _Frames(wanted, guess)
        except ValueError as error:
            raise DataError(f"row {wanted.id!r}: {error}") from None
        right, associated = _hota(video)
        number = video.gold.sum() + video.predicted.sum()
        rows.append([number, _kept(video), *right, *associated])
    size = len(ALPHAS)
    return Sheet(("hota", "idf1"), np.array(rows).reshape(-1, 2 + 2 * size), _values)


def _values(totals: Numbers) -> Shares:
    """Turn sums into HOTA and IDF1.

    At each IoU HOTA is the geometric mean of the detection accuracy ``TP / (TP + FN + FP)`` and
    the association accuracy, the mean over TP: their product is what is associated, divided by
    ``TP + FN + FP``.
    """
    number, kept = totals[..., 0], totals[..., 1]
    right, associated = np.split(totals[..., 2:], 2, axis=-1)
    with np.errstate(invalid="ignore", divide="ignore"):
        hota = np.sqrt(associated / (number[..., None] - right)).mean(-1)
        return np.stack([hota, 2 * kept / number], axis=-1)


def _hota(video: _Frames) -> tuple[Numbers, Numbers]:
    """Return at each of `ALPHAS` the true positives, and the sum of their association scores."""
    from scipy.optimize import linear_sum_assignment  # imports slowly

    shared = video.table()
    for mine, theirs, ious in video.frames:
        either = ious.sum(0)[None, :] + ious.sum(1)[:, None] - ious
        alike = np.divide(ious, either, out=np.zeros_like(ious), where=either > 0)
        np.add.at(shared, (mine[:, None], theirs[None, :]), alike)
    aligned = np.divide(shared, video.either(shared), out=video.table(), where=shared > 0)
    matched = np.zeros((len(ALPHAS), *shared.shape))
    for mine, theirs, ious in video.frames:
        pairs = linear_sum_assignment(aligned[np.ix_(mine, theirs)] * ious, maximize=True)
        reached = ious[pairs][None, :] >= ALPHAS[:, None] - _EPSILON
        for at, one, other in zip(np.arange(len(pairs[0])), *pairs, strict=True):
            matched[:, mine[one], theirs[other]] += reached[:, at]
    union = video.either(matched)
    scores = np.divide(matched**2, union, out=np.zeros_like(matched), where=union > 0)
    return matched.sum((1, 2)), scores.sum((1, 2))


def _kept(video: _Frames) -> float:
    """Return the true positives of IDF1: each identity is one other throughout, the best choice."""
    from scipy.optimize import linear_sum_assignment  # imports slowly

    shared = video.table()
    for mine, theirs, ious in video.frames:
        hits = (ious >= _ENOUGH - _EPSILON).astype(np.float64)
        if len(set(mine)) == len(mine) and len(set(theirs)) == len(theirs):
            shared[mine[:, None], theirs[None, :]] += hits
            continue
        for one, other in product(set(mine), set(theirs)):  # a thing has several parts
            own = hits[np.ix_(mine == one, theirs == other)]
            shared[one, other] += own[linear_sum_assignment(own, maximize=True)].sum()
    pairs = linear_sum_assignment(shared, maximize=True)
    return float(shared[pairs].sum())
