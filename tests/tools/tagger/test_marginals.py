"""Span marginals equal what a sum over all labellings gives."""

import itertools
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from deixis.tools.tagger.marginals import (
    best_spans,
    chain_marginals,
    pair_marginals,
    span_marginals,
)

LABELS = ("O", "B-PER", "I-PER", "B-LOC", "I-LOC")
Probabilities = dict[tuple[int, int, str], float]


@pytest.mark.extra
def test_span_marginals_of_a_library_equal_the_sum_over_all_labellings(tmp_path: Path) -> None:
    pycrfsuite = pytest.importorskip("pycrfsuite", reason="the starter extra is not installed")
    rng = np.random.default_rng(3)
    trainer = pycrfsuite.Trainer("lbfgs", verbose=False)
    for _ in range(60):
        rows = [[f"w{rng.integers(6)}", f"v{rng.integers(3)}"] for _ in range(5)]
        trainer.append(rows, [LABELS[rng.integers(len(LABELS))] for _ in rows])
    trainer.set_params({"c2": 0.05, "max_iterations": 60, "feature.possible_transitions": True})
    trainer.train(str(tmp_path / "m"))
    model = pycrfsuite.Tagger()
    with model.open(str(tmp_path / "m")):
        weights = model.info().transitions
        model.set([["w0", "v1"], ["w5"], ["w2", "v2"], ["v0"]])
        nodes = np.array([[model.marginal(label, i) for label in LABELS] for i in range(4)])
        truth = summed({path: model.probability(path) for path in labellings(4)})
    transitions = np.array([[weights.get((a, b), 0.0) for b in LABELS] for a in LABELS])

    def pairs(at: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        return pair_marginals(nodes[at], nodes[at + 1], transitions)

    spans = span_marginals(nodes, pairs, LABELS, 1e-6)
    assert spans.keys() == {span for span, p in truth.items() if p >= 1e-6}
    assert spans == pytest.approx({span: truth[span] for span in spans}, abs=1e-6)


@pytest.mark.parametrize("length", [1, 2, 3, 5])
@pytest.mark.parametrize("barred", [False, True])
@pytest.mark.parametrize("strength", [0.0, 1.0, 4.0, 2000.0])
def test_span_marginals_of_known_scores_equal_the_sum_over_all_labellings(
    length: int, barred: bool, strength: float
) -> None:
    rng = np.random.default_rng(length)
    emissions = rng.normal(size=(length, len(LABELS))) * strength
    start, transitions = rng.normal(size=len(LABELS)), rng.normal(size=(len(LABELS), len(LABELS)))
    if barred:
        for after, label in enumerate(LABELS):
            if label.startswith("I-"):
                start[after] = -10000
                for before, other in enumerate(LABELS):
                    if other[2:] != label[2:]:
                        transitions[before, after] = -10000
    scores = {}
    for path in labellings(length):
        row = [LABELS.index(label) for label in path]
        steps = sum(transitions[a, b] for a, b in itertools.pairwise(row))
        scores[path] = start[row[0]] + emissions[range(length), row].sum() + steps
    total = np.logaddexp.reduce(list(scores.values()))
    truth = summed({path: float(np.exp(score - total)) for path, score in scores.items()})
    nodes, pairs = chain_marginals(emissions, start, transitions)
    assert nodes.sum(axis=1) == pytest.approx(np.ones(length))
    spans = span_marginals(nodes, pairs, LABELS, 1e-9)
    assert spans.keys() == {span for span, p in truth.items() if p >= 1e-9}
    assert spans == pytest.approx({span: truth[span] for span in spans}, rel=1e-6)


def labellings(length: int) -> Iterator[tuple[str, ...]]:
    return itertools.product(LABELS, repeat=length)


def summed(paths: Mapping[tuple[str, ...], float]) -> Probabilities:
    """The probability of each span, summed over the labellings that have it."""
    truth: Probabilities = {}
    for path, probability in paths.items():
        for span in spans_of(path):
            truth[span] = truth.get(span, 0.0) + probability
    return truth


def spans_of(path: tuple[str, ...]) -> list[tuple[int, int, str]]:
    spans = []
    for start, label in enumerate(path):
        if label.startswith("B-"):
            end = start + 1
            while end < len(path) and path[end] == f"I-{label[2:]}":
                end += 1
            spans.append((start, end, label[2:]))
    return spans


def test_pair_marginals_have_the_given_margins() -> None:
    rng = np.random.default_rng(0)
    left, right = rng.dirichlet(np.ones(9), 20), rng.dirichlet(np.ones(9) * 0.1, 20)
    joint = pair_marginals(left, right, rng.normal(size=(9, 9)) * 3)
    assert np.abs(joint.sum(axis=2) - left).max() < 1e-6
    assert np.abs(joint.sum(axis=1) - right).max() < 1e-6


def test_best_spans_never_overlap_and_maximise_the_gain() -> None:
    table = {(0, 2, "PER"): 0.6, (0, 1, "PER"): 0.5, (1, 2, "LOC"): 0.5, (3, 4, "ORG"): 0.2}
    assert best_spans(table, 0.3) == [((0, 1, "PER"), 0.5), ((1, 2, "LOC"), 0.5)]
    assert best_spans(table, 0.45) == [((0, 2, "PER"), 0.6)]
    assert best_spans({}, 0.3) == []
