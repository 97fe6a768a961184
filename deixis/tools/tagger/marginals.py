"""From the scores of a linear-chain CRF to exact span marginals, and the best spans."""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Span = tuple[int, int, str]
"""``(start, end, type)`` in tokens, half-open."""

Pairs = Callable[[NDArray[np.intp]], Floats]
"""Returns joint marginals, shape ``(n, L, L)``, of the labels at ``n`` positions and after each."""

_TINY = 1e-30


def chain_marginals(emissions: Floats, start: Floats, transitions: Floats) -> tuple[Floats, Pairs]:
    """Return the marginals of a linear-chain CRF by the forward-backward algorithm.

    Args:
        emissions: shape ``(N, L)``, score of each label at each token; at least one token.
        start: shape ``(L,)``, score of each label at the first token.
        transitions: shape ``(L, L)``, score of each pair of labels, from row to column.

    Returns:
        Token marginals, shape ``(N, L)``, and what gives the joint marginals of neighbours.
    """
    forward, backward = np.empty_like(emissions), np.zeros_like(emissions)
    forward[0] = start + emissions[0]
    for here in range(1, len(emissions)):
        reached = np.logaddexp.reduce(forward[here - 1][:, None] + transitions, axis=0)
        forward[here] = reached + emissions[here]
    for here in range(len(emissions) - 2, -1, -1):
        onward = transitions + (emissions[here + 1] + backward[here + 1])
        backward[here] = np.logaddexp.reduce(onward, axis=1)
    total = np.logaddexp.reduce(forward[-1])

    def pairs(at: NDArray[np.intp]) -> Floats:
        after = emissions[at + 1] + backward[at + 1]
        joint: Floats = np.exp(forward[at][:, :, None] + transitions + after[:, None, :] - total)
        return joint

    return np.exp(forward + backward - total), pairs


def span_marginals(
    nodes: Floats, pairs: Pairs, labels: Sequence[str], floor: float
) -> dict[Span, float]:
    """Return the probability of every span that is at least ``floor`` likely.

    The probability is that of ``B-X`` at the first token, ``I-X`` at all others and no ``I-X``
    after the last: exactly this span with exactly this type.

    Args:
        nodes: shape ``(N, L)``, token marginals.
        pairs: the joint marginals of neighbours in the same model.
        labels: the ``L`` BIO labels that the columns stand for.
        floor: probability below which a span is left out; greater than 0.
    """
    column = {label: k for k, label in enumerate(labels)}
    inside = 1.0 - nodes[:, column["O"]]
    where = np.flatnonzero(inside[:-1] >= floor)
    joint = pairs(where)
    row_of = {int(position): row for row, position in enumerate(where)}
    spans: dict[Span, float] = {}
    for label, first in column.items():
        if not label.startswith("B-"):
            continue
        kind = label.removeprefix("B-")
        more = column[f"I-{kind}"]
        for start in np.flatnonzero(nodes[:, first] >= floor):
            end, here = int(start), first
            so_far = float(nodes[start, first])
            while so_far >= floor:
                row = row_of.get(end)
                step = 0.0
                if row is not None:
                    step = float(joint[row, here, more] / max(nodes[end, here], _TINY))
                step = min(step, 1.0)
                end += 1
                if so_far * (1.0 - step) >= floor:
                    spans[int(start), end, kind] = so_far * (1.0 - step)
                so_far *= step
                here = more
    return spans


def chain_spans(
    scores: Floats, start: Floats, transitions: Floats, labels: Sequence[str], floor: float
) -> dict[Span, float]:
    """Return what `span_marginals` gives for the scores of a chain, see `chain_marginals`."""
    return span_marginals(*chain_marginals(scores, start, transitions), labels, floor)


def best_spans(candidates: dict[Span, float], price: float) -> list[tuple[Span, float]]:
    """Choose non-overlapping spans that maximise the sum of ``probability - price``.

    With ``price`` near half the F1 that is reached, this maximises the expected F1.

    Returns:
        ``(span, probability)`` sorted by start.
    """
    items = sorted((s, p) for s, p in candidates.items() if p > price)
    items.sort(key=lambda item: item[0][1])
    ends = [span[1] for span, _ in items]
    best: list[tuple[float, list[int]]] = [(0.0, [])]
    for k, ((start, _, _), probability) in enumerate(items):
        before = int(np.searchsorted(ends[:k], start, side="right"))
        taken = best[before][0] + probability - price
        best.append((taken, [*best[before][1], k]) if taken > best[-1][0] else best[-1])
    return [items[k] for k in best[-1][1]]
