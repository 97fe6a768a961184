"""Span marginals equal what a sum over all labellings gives."""

import itertools
from collections.abc import Iterator, Mapping

import numpy as np
import pytest

from deixis.tools.tagger.marginals import best_spans, chain_marginals, span_marginals

LABELS = ("O", "B-PER", "I-PER", "B-LOC", "I-LOC")
Probabilities = dict[tuple[int, int, str], float]


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


def test_best_spans_never_overlap_and_maximise_the_gain() -> None:
    table = {(0, 2, "PER"): 0.6, (0, 1, "PER"): 0.5, (1, 2, "LOC"): 0.5, (3, 4, "ORG"): 0.2}
    assert best_spans(table, 0.3) == [((0, 1, "PER"), 0.5), ((1, 2, "LOC"), 0.5)]
    assert best_spans(table, 0.45) == [((0, 2, "PER"), 0.6)]
    assert best_spans({}, 0.3) == []
