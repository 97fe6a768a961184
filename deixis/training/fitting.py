"""What is fitted to held-out predictions: the price of a span, and what a probability is worth."""

from collections.abc import Sequence
from itertools import chain

import numpy as np

from deixis.evaluation.metrics.mner import Pair, correct_flags, score_mentions
from deixis.tools.tagger.base import FLOOR
from deixis.tools.tagger.marginals import Floats, Span, best_spans, chain_spans
from deixis.training.samples import Sample, Types, gold_pairs

FEWEST = 30
"""Mentions found of a type from which it has a curve of its own, if some are right and some not."""


def candidates_of(
    sample: Sample, scores: Floats, start: Floats, transitions: Floats, types: Types
) -> dict[Span, float]:
    """Return the probability of every span of a text that is at least 0.05 likely.

    Each line is a chain of its own, as it is when a text is read.
    """
    return {
        (line.start + begin, line.start + end, kind): probability
        for line in sample.lines()
        for (begin, end, kind), probability in chain_spans(
            scores[line], start, transitions, types.labels, FLOOR
        ).items()
    }


def chosen_pairs(
    sample: Sample, candidates: dict[Span, float], price: float
) -> tuple[list[Pair], list[float]]:
    """Return the mentions that are chosen among candidates, and their probabilities."""
    chosen = best_spans(candidates, price)
    pairs = [(" ".join(sample.tokens[start:end]), kind) for (start, end, kind), _ in chosen]
    return pairs, [probability for _, probability in chosen]


def best_price(
    samples: Sequence[Sample], told: Sequence[dict[Span, float]], slack: float = 0.0
) -> tuple[float, float]:
    """Return the price of a span with the best F1 on held-out predictions, and that F1 (0..1).

    Args:
        samples: the texts.
        told: the candidate spans of each.
        slack: the lowest price is taken whose F1 (0..1) falls so little short of the best.
    """
    gold = [gold_pairs(sample) for sample in samples]

    def f1(price: float) -> float:
        pairs = [chosen_pairs(s, c, price)[0] for s, c in zip(samples, told, strict=True)]
        return score_mentions(gold, pairs)["all"].f1

    scores = {price: f1(price) for price in (round(0.2 + 0.02 * k, 2) for k in range(18))}
    least = max(scores.values()) - slack
    return next((price, score) for price, score in scores.items() if score >= least)


def calibrate(
    samples: Sequence[Sample], told: Sequence[dict[Span, float]], price: float, types: Types
) -> dict[str, dict[str, float]]:
    """Fit for each type a logistic curve (Platt) from the log odds of the raw marginal.

    A type of which few are found, or all rightly, has the curve of all types together.
    """
    raw: dict[str, list[float]] = {kind: [] for kind in types.coarse}
    right: dict[str, list[bool]] = {kind: [] for kind in types.coarse}
    for sample, candidates in zip(samples, told, strict=True):
        pairs, marginals = chosen_pairs(sample, candidates, price)
        flags = correct_flags(gold_pairs(sample), pairs)
        for (_, kind), marginal, flag in zip(pairs, marginals, flags, strict=True):
            raw[kind].append(marginal)
            right[kind].append(flag)
    every = list(chain.from_iterable(raw.values())), list(chain.from_iterable(right.values()))
    pooled = platt(*every)
    own = {kind for kind in types.coarse if len(raw[kind]) >= FEWEST and len(set(right[kind])) == 2}
    return {kind: platt(raw[kind], right[kind]) if kind in own else pooled for kind in types.coarse}


def platt(raw: Sequence[float], right: Sequence[bool]) -> dict[str, float]:
    """Fit a logistic curve from the log odds of probabilities to whether they were right.

    Where all were right, or all wrong, there is nothing to fit: probabilities stay as they are.
    """
    from sklearn.linear_model import LogisticRegression

    if len(set(right)) < 2:
        return {"slope": 1.0, "offset": 0.0}
    odds = np.clip(np.array(raw), 1e-6, 1 - 1e-6)
    model = LogisticRegression(C=1e6).fit(np.log(odds / (1 - odds))[:, None], right)
    return {
        "slope": round(float(model.coef_[0, 0]), 5),
        "offset": round(float(model.intercept_[0]), 5),
    }
