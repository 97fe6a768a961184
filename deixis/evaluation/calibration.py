"""What stated probabilities are worth: Platt curves and thresholds from a run with gold.

Every mention that a run judged says who judged it, and with which probability; gold says whether
it is shown. Of each judge and type a curve (`deixis.base.curves`) is fitted, and a threshold on
it. What is measured after it is cross-validated: no row counts on a curve that was fitted with it.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from deixis.base.curves import Curve, logit
from deixis.evaluation.judgements import Judgement

FEWEST = 30
"""Mentions from which a type has a curve of its own, if not all of them are shown, or none."""
BINS = 10
FOLDS = 5
_CLEARLY = 3.0
POOLED = "*"
"""Stands for all types of a judge."""

Numbers = NDArray[np.float64]


class Reliability(NamedTuple):
    """Probabilities against what is so, in `BINS` equal parts of 0..1.

    ``error`` is the expected calibration error: how far the mean probability of a part is from
    the share that is shown, on average over mentions (Naeini et al. 2015). ``bins`` has of each
    part that is not empty: mentions, mean probability, share shown.
    """

    accuracy: float
    error: float
    bins: tuple[tuple[int, float, float], ...]


class Part(NamedTuple):
    """A judge and a type: how good the verdicts are, and would be; a curve if one was fitted.

    ``own`` is whether the curve is of this type; if not, it is that of all types together.
    """

    judge: str
    type: str
    mentions: int
    shown: int
    curve: Curve | None
    own: bool
    before: Reliability
    after: Reliability | None

    def document(self) -> dict[str, Any]:
        """Return JSON-ready data."""
        return {
            **self._asdict(),
            "curve": self.curve and self.curve.model_dump(),
            "before": self.before._asdict(),
            "after": self.after and self.after._asdict(),
        }


def calibrate(judgements: Sequence[Judgement]) -> list[Part]:
    """Fit curves, and say of each judge and type what they change; all types come first."""
    judges: dict[str, list[Judgement]] = defaultdict(list)
    for judgement in judgements:
        judges[judgement.judge].append(judgement)
    return [part for judge, own in judges.items() for part in _of_judge(judge, own)]


def curves(parts: Iterable[Part]) -> dict[str, dict[str, Curve]]:
    """Return the curves that were fitted: judge to type, `POOLED` for all others, to curve."""
    found: dict[str, dict[str, Curve]] = {}
    for part in parts:
        if part.curve and part.own:
            found.setdefault(part.judge, {})[part.type] = part.curve
    return found


def _of_judge(judge: str, own: Sequence[Judgement]) -> list[Part]:
    types = np.array([judgement.type for judgement in own])
    stated = np.array([judgement.stated for judgement in own])
    said = np.array([judgement.said for judgement in own])
    shown = np.array([judgement.shown for judgement in own])
    fold = _folds([judgement.row for judgement in own])
    pooled = fitted(stated, shown) if enough(shown) else None
    together = crossed(stated, shown, fold) if pooled else None
    parts = []
    for name in (POOLED, *sorted(set(types))):
        rows = types == name if name != POOLED else np.ones(len(own), bool)
        curve, checked, alone = pooled, None, name == POOLED
        if together:
            checked = (together[0][rows], together[1][rows])
            if not alone and enough(shown[rows]):
                curve, alone = fitted(stated[rows], shown[rows]), True
                checked = crossed(stated[rows], shown[rows], fold[rows])
        before = reliability(stated[rows], said[rows], shown[rows])
        after = reliability(*checked, shown[rows]) if checked else None
        numbers = int(rows.sum()), int(shown[rows].sum())
        parts.append(Part(judge, str(name), *numbers, curve, alone, before, after))
    return parts


def enough(shown: NDArray[np.bool_]) -> bool:
    """Whether there are mentions enough for a curve, of both kinds."""
    return len(shown) >= FEWEST and bool(shown.any()) and not shown.all()


def _folds(rows: Sequence[str]) -> NDArray[np.int64]:
    """Return the fold of each mention; those of one row are in one."""
    different = sorted(set(rows))
    order = np.random.default_rng(0).permutation(len(different))
    place = dict(zip(different, order.tolist(), strict=True))
    return np.array([place[row] % FOLDS for row in rows])


def crossed(
    stated: Numbers, shown: NDArray[np.bool_], fold: NDArray[np.int64]
) -> tuple[Numbers, NDArray[np.bool_]]:
    """Return probabilities and verdicts by curves that were fitted on the other folds."""
    worth, said = np.zeros(len(stated)), np.zeros(len(stated), bool)
    for number in set(fold.tolist()):
        out = fold == number
        curve = fitted(stated[~out], shown[~out])
        worth[out] = [curve.of(each) for each in stated[out]]
        said[out] = worth[out] >= curve.threshold
    return worth, said


def fitted(stated: Numbers, shown: NDArray[np.bool_]) -> Curve:
    """Fit a curve and its threshold.

    On a right curve that is 0.5. Another one is taken where it makes clearly more verdicts right:
    by three times the square root of how many it changes, so that chance alone moves none.
    Targets are Platt's, ``(n + 1) / (n + 2)`` for what is shown, and one mention that keeps ``a``
    near 1 and ``b`` near 0 is added, so that there is one best curve in any case.
    """
    from scipy.optimize import minimize  # imports slowly

    logits = np.array([logit(each) for each in stated])
    seen = int(shown.sum())
    high, low = (seen + 1) / (seen + 2), 1 / (len(shown) - seen + 2)
    targets = np.where(shown, high, low)

    def loss(parameters: Numbers) -> tuple[float, Numbers]:
        a, b = parameters
        line = a * logits + b
        off = 1.0 / (1.0 + np.exp(-line)) - targets
        value = np.logaddexp(0.0, line).sum() - targets @ line + ((a - 1) ** 2 + b**2) / 2
        return float(value), np.array([off @ logits + a - 1, off.sum() + b])

    a, b = minimize(loss, [1.0, 0.0], jac=True, bounds=[(0, 100), (-100, 100)]).x
    curve = Curve(a=round(float(a), 4), b=round(float(b), 4))
    worth = np.array([curve.of(each) for each in stated])
    return curve.model_copy(update={"threshold": _threshold(worth, shown)})


def _threshold(worth: Numbers, shown: NDArray[np.bool_]) -> float:
    levels = np.unique(worth)
    middles = (levels[1:] + levels[:-1]) / 2
    tried = np.unique(np.clip([*middles.round(4), 0.5], 0.01, 0.99))
    order = np.argsort(worth)
    # Right at a threshold: what is not shown below it, and what is shown from it on.
    below = np.searchsorted(worth[order], tried)
    unseen = np.concatenate([[0], np.cumsum(~shown[order])])
    seen = np.concatenate([[0], np.cumsum(shown[order])])
    right = unseen[below] + seen[-1] - seen[below]
    half = int(np.flatnonzero(tried == 0.5)[0])
    gained = right - right[half]
    clear = gained > _CLEARLY * np.sqrt(abs(below - below[half]))
    best = tried[clear & (gained == gained[clear].max())] if clear.any() else tried[[half]]
    return float(best[np.argmin(abs(best - 0.5))])


def reliability(
    probability: Numbers, said: NDArray[np.bool_], shown: NDArray[np.bool_]
) -> Reliability:
    """Hold probabilities and verdicts against what is so."""
    place = np.minimum((probability * BINS).astype(int), BINS - 1)
    bins = [
        (int(own.sum()), float(probability[own].mean()), float(shown[own].mean()))
        for own in (place == number for number in range(BINS))
        if own.any()
    ]
    error = sum(count * abs(mean - share) for count, mean, share in bins) / len(shown)
    return Reliability(float((said == shown).mean()), float(error), tuple(bins))
