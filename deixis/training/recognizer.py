"""How the shipped CRF is learned: field, price, calibration, prior. Needs the extra `train`."""

import errno
import json
import os
import random
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np

from deixis.base.boxes import Box
from deixis.evaluation.datasets.conll import TYPES, TaggedTweet, mentions
from deixis.evaluation.metrics.mner import Pair, correct_flags, score_mentions
from deixis.tools.tagger.base import FLOOR, FORMAT
from deixis.tools.tagger.crf import CrfTagger
from deixis.tools.tagger.features import (
    PRIOR_FEATURES,
    Lexicon,
    MentionSpan,
    load_lexicon,
    prior_features,
    token_features,
)
from deixis.tools.tagger.field import Told, write
from deixis.tools.tagger.marginals import (
    Floats,
    Span,
    best_spans,
    chain_spans,
)

LABELS = ("O", *(f"{prefix}-{kind}" for kind in TYPES for prefix in "BI"))

Shown = dict[str, dict[str, list[Box]]]


PENALTIES = {"c1": 0.1, "c2": 1.5}
"""Weights of the L1 and the L2 penalty."""

ITERATIONS = 100
FOLDS = 4
SEED = 20240611


def gold_pairs(sample: TaggedTweet) -> list[Pair]:
    """Return the ``(text, type)`` pairs of a sample; a text is its tokens joined by spaces."""
    return [(" ".join(sample.tokens[m.start : m.end]), m.type) for m in mentions(sample.tags)]


def train(samples: Sequence[TaggedTweet], shown: Shown, lexicon: Path, out: Path) -> None:
    """Learn everything from ``samples`` and replace the folder ``out`` in one step.

    Price and calibration come from predictions for samples that the predicting field has not
    seen (cross-validation); the field that is written has seen all samples.

    Args:
        samples: the training split.
        shown: what `read_voc` gives for it.
        lexicon: the table of `build_lexicon`, copied into the folder.
        out: the model folder; a ``MODEL_CARD.md`` in it is kept. A link to one is followed.

    Raises:
        NotADirectoryError: ``out`` is something else.
    """
    out = Path(os.path.realpath(out))
    if out.exists() and not out.is_dir():
        raise NotADirectoryError(errno.ENOTDIR, "it is no folder", str(out))
    table = load_lexicon(lexicon)
    start = np.zeros(len(LABELS))
    candidates = [
        candidates_of(scores, start, transitions)
        for scores, transitions in held_out(samples, lexicon, table)
    ]
    price = best_price(samples, candidates)
    settings: dict[str, Any] = {
        "format": FORMAT,
        "labels": list(LABELS),
        "price": price,
        "calibration": calibrate(samples, candidates, price),
        "prior": fit_prior(samples, shown),
    }
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out.parent) as scratch:
        fresh, old = Path(scratch) / "new", Path(scratch) / "old"
        _write(fresh, samples, lexicon, table, settings)
        if (out / "MODEL_CARD.md").exists():
            shutil.copyfile(out / "MODEL_CARD.md", fresh / "MODEL_CARD.md")
        if out.exists():
            out.rename(old)
        fresh.rename(out)


def _write(
    folder: Path,
    samples: Sequence[TaggedTweet],
    lexicon: Path,
    table: Lexicon,
    settings: dict[str, Any],
) -> None:
    folder.mkdir()
    rows = _without_singletons([token_features(sample.tokens, table) for sample in samples])
    tags = [sample.tags for sample in samples]
    transitions = _fit_field(rows, tags, folder / "weights.npz")
    shutil.copyfile(lexicon, folder / "lexicon.tsv.gz")
    text = json.dumps({**settings, "transitions": transitions}, indent=1, sort_keys=True)
    (folder / "recognizer.json").write_text(text + "\n", encoding="utf-8")


def _without_singletons(rows: list[list[list[str]]]) -> list[list[list[str]]]:
    """Drop features seen in one text only, so that no text can be read from the shipped model."""
    texts = Counter(feature for text in rows for feature in set(chain.from_iterable(text)))
    return [[[f for f in token if texts[f] > 1] for token in text] for text in rows]


def _fit_field(
    rows: Iterable[list[list[str]]], tags: Iterable[Sequence[str]], path: Path
) -> list[list[float]]:
    """Train a field, write its weights to ``path`` and return those of its transitions."""
    import pycrfsuite

    trainer = pycrfsuite.Trainer("lbfgs", verbose=False)
    for row, tag in zip(rows, tags, strict=True):
        trainer.append(row, tag)
    trainer.set_params(
        {
            **PENALTIES,
            "max_iterations": ITERATIONS,
            "feature.possible_transitions": True,
        }
    )
    with tempfile.TemporaryDirectory() as scratch:
        model = str(Path(scratch) / "model")
        trainer.train(model)
        tagger = pycrfsuite.Tagger()
        with tagger.open(model):
            learnt = tagger.info()
    write(learnt.state_features, LABELS, path)
    return [[float(learnt.transitions.get((a, b), 0.0)) for b in LABELS] for a in LABELS]


def held_out(samples: Sequence[TaggedTweet], lexicon: Path, table: Lexicon) -> list[Told]:
    """Return what a field that has not seen a sample says of it: scores of labels and of pairs."""
    order = list(range(len(samples)))
    random.Random(SEED).shuffle(order)
    told: dict[int, Told] = {}
    unused: dict[str, Any] = {
        "format": FORMAT,
        "labels": list(LABELS),
        "price": 0.5,
        "calibration": {kind: {"slope": 1.0, "offset": 0.0} for kind in TYPES},
        "prior": {kind: [0.0] * len(PRIOR_FEATURES) for kind in TYPES},
    }
    for fold in range(FOLDS):
        apart = set(order[fold::FOLDS])
        with tempfile.TemporaryDirectory() as scratch:
            folder = Path(scratch) / "fold"
            rest = [sample for k, sample in enumerate(samples) if k not in apart]
            _write(folder, rest, lexicon, table, unused)
            tagger = CrfTagger(folder)
        for k in apart:
            told[k] = tagger.scores(samples[k].tokens), tagger.transitions
    return [told[k] for k in range(len(samples))]


def candidates_of(scores: Floats, start: Floats, transitions: Floats) -> dict[Span, float]:
    """Return the probability of every span of a line that is at least 0.05 likely."""
    return chain_spans(scores, start, transitions, LABELS, FLOOR)


def chosen_pairs(
    sample: TaggedTweet, candidates: dict[Span, float], price: float
) -> tuple[list[Pair], list[float]]:
    """Return the mentions that are chosen among candidates, and their probabilities."""
    chosen = best_spans(candidates, price)
    pairs = [(" ".join(sample.tokens[start:end]), kind) for (start, end, kind), _ in chosen]
    return pairs, [probability for _, probability in chosen]


def best_price(
    samples: Sequence[TaggedTweet], told: Sequence[dict[Span, float]], slack: float = 0.0
) -> float:
    """Return the price of a span with the best F1 on held-out predictions.

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
    return next(price for price, score in scores.items() if score >= least)


def calibrate(
    samples: Sequence[TaggedTweet], told: Sequence[dict[Span, float]], price: float
) -> dict[str, dict[str, float]]:
    """Fit for each type a logistic curve (Platt) from the log odds of the raw marginal."""
    raw: dict[str, list[float]] = {kind: [] for kind in TYPES}
    right: dict[str, list[bool]] = {kind: [] for kind in TYPES}
    for sample, candidates in zip(samples, told, strict=True):
        pairs, marginals = chosen_pairs(sample, candidates, price)
        flags = correct_flags(gold_pairs(sample), pairs)
        for (_, kind), marginal, flag in zip(pairs, marginals, flags, strict=True):
            raw[kind].append(marginal)
            right[kind].append(flag)
    return {kind: platt(raw[kind], right[kind]) for kind in TYPES}


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


def prior_table(
    samples: Sequence[TaggedTweet], shown: Shown
) -> dict[str, tuple[list[list[float]], list[bool]]]:
    """Return for each type the features of its gold mentions and whether each is pictured."""
    table: dict[str, tuple[list[list[float]], list[bool]]] = {kind: ([], []) for kind in TYPES}
    for sample in samples:
        spans = [MentionSpan(*mention) for mention in mentions(sample.tags)]
        names = shown.get(sample.id, {})
        for span, row in zip(spans, prior_features(sample.tokens, spans), strict=True):
            table[span.type][0].append(row)
            table[span.type][1].append(" ".join(sample.tokens[span.start : span.end]) in names)
    return table


def fit_prior(samples: Sequence[TaggedTweet], shown: Shown) -> dict[str, list[float]]:
    """Fit one logistic regression per type: the weights of `prior_features`."""
    from sklearn.linear_model import LogisticRegression

    weights: dict[str, list[float]] = {}
    for kind, (rows, flags) in prior_table(samples, shown).items():
        model = LogisticRegression(fit_intercept=False, max_iter=1000).fit(rows, flags)
        weights[kind] = [round(float(weight), 5) for weight in model.coef_[0]]
    return weights
