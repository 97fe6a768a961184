"""How likely a mention of a type is shown, judged from the text alone: one regression a type."""

from collections.abc import Sequence

import numpy as np

from deixis.evaluation.datasets.conll import mentions
from deixis.tools.tagger.features import PRIOR_FEATURES, MentionSpan, prior_features
from deixis.training.samples import Sample, Types

FEWEST = 30
"""Mentions of a type, some shown and some not, from which more is learned than their share."""


def prior_table(
    samples: Sequence[Sample], types: Types
) -> dict[str, tuple[list[list[float]], list[bool]]]:
    """Return for each type the features of its gold mentions and whether each is pictured.

    Those whose picture nobody looked at are left out.
    """
    table: dict[str, tuple[list[list[float]], list[bool]]]
    table = {kind: ([], []) for kind in types.coarse}
    for sample in samples:
        shown = iter(sample.shown)
        for line in sample.lines():
            spans = [MentionSpan(*mention) for mention in mentions(sample.tags[line])]
            rows = prior_features(sample.tokens[line], spans)
            for span, row, flag in zip(spans, rows, shown, strict=False):
                if flag is not None:
                    table[span.type][0].append(row)
                    table[span.type][1].append(flag)
    return table


def fit_prior(samples: Sequence[Sample], types: Types) -> dict[str, list[float] | None]:
    """Fit one logistic regression per type: the weights of `prior_features`.

    A type with few mentions has the odds of their share alone, by Laplace's rule; one whose
    pictures nobody looked at has None.
    """
    from sklearn.linear_model import LogisticRegression

    weights: dict[str, list[float] | None] = {}
    for kind, (rows, flags) in prior_table(samples, types).items():
        if len(flags) >= FEWEST and len(set(flags)) == 2:
            model = LogisticRegression(fit_intercept=False, max_iter=1000).fit(rows, flags)
            weights[kind] = [round(float(weight), 5) for weight in model.coef_[0]]
        elif flags:
            odds = np.log((sum(flags) + 1) / (len(flags) - sum(flags) + 1))
            weights[kind] = [round(float(odds), 5), *[0.0] * (len(PRIOR_FEATURES) - 1)]
        else:
            weights[kind] = None
    return weights
