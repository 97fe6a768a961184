"""How a CRF is learned: field, price, calibration, prior. Needs the extra `train`."""

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
from typing import Any, NamedTuple

import numpy as np

from deixis.tools.tagger.crf import CrfTagger
from deixis.tools.tagger.features import PRIOR_FEATURES, Lexicon, load_lexicon, token_features
from deixis.tools.tagger.field import Told, write
from deixis.tools.tagger.model_settings import FORMAT
from deixis.training.fitting import best_price, calibrate, candidates_of
from deixis.training.prior import fit_prior
from deixis.training.samples import Sample, Types

PENALTIES = {"c1": 0.1, "c2": 1.5}
"""Weights of the L1 and the L2 penalty."""

ITERATIONS = 100
FOLDS = 4
SEED = 20240611
_NEVER = -10_000.0
"""The score of a label that is nowhere in what a field has learned from."""


class Learned(NamedTuple):
    """What a field that has not seen them says of the samples, and its F1 (0..1) there."""

    told: list[Told]
    f1: float


def train(samples: Sequence[Sample], types: Types, lexicon: Path, out: Path) -> Learned:
    """Learn everything from ``samples`` and replace the folder ``out`` in one step.

    Price and calibration come from predictions for samples that the predicting field has not
    seen (cross-validation); the field that is written has seen all samples.

    Args:
        samples: the training split.
        types: what their tags may be.
        lexicon: the table of `build_lexicon`, copied into the folder.
        out: the model folder; a ``MODEL_CARD.md`` in it is kept. A link to one is followed.

    Raises:
        NotADirectoryError: ``out`` is something else.
    """
    out = Path(os.path.realpath(out))
    if out.exists() and not out.is_dir():
        raise NotADirectoryError(errno.ENOTDIR, "it is no folder", str(out))
    table = load_lexicon(lexicon)
    start = np.zeros(len(types.labels))
    told = held_out(samples, types, lexicon, table)
    candidates = [
        candidates_of(sample, scores, start, transitions, types)
        for sample, (scores, transitions) in zip(samples, told, strict=True)
    ]
    price, f1 = best_price(samples, candidates)
    settings: dict[str, Any] = {
        "format": FORMAT,
        "labels": list(types.labels),
        "price": price,
        "calibration": calibrate(samples, candidates, price, types),
        "prior": fit_prior(samples, types),
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
    return Learned(told, f1)


def _write(
    folder: Path,
    samples: Sequence[Sample],
    lexicon: Path,
    table: Lexicon,
    settings: dict[str, Any],
) -> None:
    folder.mkdir()
    rows = _without_singletons([_features(sample, table) for sample in samples])
    labels = settings["labels"]
    transitions = _fit_field(rows, samples, labels, folder / "weights.npz")
    shutil.copyfile(lexicon, folder / "lexicon.tsv.gz")
    text = json.dumps({**settings, "transitions": transitions}, indent=1, sort_keys=True)
    (folder / "recognizer.json").write_text(text + "\n", encoding="utf-8")


def _features(sample: Sample, table: Lexicon) -> list[list[str]]:
    """Return the features of each token of a text, which is read line by line."""
    lines = (token_features(sample.tokens[line], table) for line in sample.lines())
    return list(chain.from_iterable(lines))


def _without_singletons(rows: list[list[list[str]]]) -> list[list[list[str]]]:
    """Drop features seen in one text only, so that no text can be read from the shipped model."""
    texts = Counter(feature for text in rows for feature in set(chain.from_iterable(text)))
    return [[[f for f in token if texts[f] > 1] for token in text] for text in rows]


def _fit_field(
    rows: Iterable[list[list[str]]], samples: Sequence[Sample], labels: Sequence[str], path: Path
) -> list[list[float]]:
    """Train a field, write its weights to ``path`` and return those of its transitions."""
    import pycrfsuite

    trainer = pycrfsuite.Trainer("lbfgs", verbose=False)
    for row, sample in zip(rows, samples, strict=True):
        for line in sample.lines():
            trainer.append(row[line], sample.tags[line])
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
            learnt, known = tagger.info(), set(tagger.labels())
    write(learnt.state_features, labels, path)
    return [
        [float(learnt.transitions.get((a, b), 0.0 if {a, b} <= known else _NEVER)) for b in labels]
        for a in labels
    ]


def held_out(samples: Sequence[Sample], types: Types, lexicon: Path, table: Lexicon) -> list[Told]:
    """Return what a field that has not seen a sample says of it: scores of labels and of pairs."""
    order = list(range(len(samples)))
    random.Random(SEED).shuffle(order)
    told: dict[int, Told] = {}
    unused: dict[str, Any] = {
        "format": FORMAT,
        "labels": list(types.labels),
        "price": 0.5,
        "calibration": {kind: {"slope": 1.0, "offset": 0.0} for kind in types.coarse},
        "prior": {kind: [0.0] * len(PRIOR_FEATURES) for kind in types.coarse},
    }
    for fold in range(FOLDS):
        apart = set(order[fold::FOLDS])
        with tempfile.TemporaryDirectory() as scratch:
            folder = Path(scratch) / "fold"
            rest = [sample for k, sample in enumerate(samples) if k not in apart]
            _write(folder, rest, lexicon, table, unused)
            tagger = CrfTagger(folder)
        for k in apart:
            lines = [tagger.scores(samples[k].tokens[line]) for line in samples[k].lines()]
            told[k] = np.concatenate(lines), tagger.transitions
    return [told[k] for k in range(len(samples))]
