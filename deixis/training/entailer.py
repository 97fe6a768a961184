"""How the shipped entailer of descriptions is learned. Needs the extra `train`.

One logistic regression over strings (`deixis.tools.captions.features`) and over the numbers of the
text that the recognizers' prior looks at. It learns from each mention several times: with the
whole description, with its first sentence alone, as terser models write, without the fine type,
and without a description. Calibration is fitted to what regressions say of tweets that they have
not seen.
"""

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from deixis.base.atomic import whole_file
from deixis.base.json_lines import parsed
from deixis.base.text_files import read_text
from deixis.errors import DataError
from deixis.evaluation.datasets.conll import TYPES, TaggedTweet, mentions
from deixis.tools.captions.entailer import FORMAT, LABELS
from deixis.tools.captions.features import Named, first_sentence, mention_features
from deixis.tools.tagger.features import PRIOR_FEATURES, MentionSpan, prior_features
from deixis.tools.tagger.field import write
from deixis.tools.tagger.marginals import Floats
from deixis.training.fitting import platt
from deixis.training.samples import Shown

FLOOR = 5
"""Tweets in which a string stands at least, so that no text can be read from the shipped model."""
FOLDS = 5
STRENGTH = 0.01
"""Inverse of the L2 penalty; the best of 0.01, 0.03 and 0.1 in cross-validation."""
COARSE = 2.0
"""By how much coarse strings and numbers are larger than words: they are penalised less."""


class Captioned(NamedTuple):
    """A tweet, a description of its picture, its gold mentions, and which of them are shown."""

    tokens: tuple[str, ...]
    caption: str
    mentions: tuple[Named, ...]
    shown: tuple[bool, ...]


def briefly(tweet: Captioned) -> Captioned:
    """Return a tweet with the first sentence of its description alone."""
    return tweet._replace(caption=first_sentence(tweet.caption))


def _without_fine_types(tweet: Captioned) -> Captioned:
    return tweet._replace(mentions=tuple(each._replace(fine_type=None) for each in tweet.mentions))


def _without_caption(tweet: Captioned) -> Captioned:
    return tweet._replace(caption="")


WAYS: tuple[tuple[Callable[[Captioned], Captioned], float], ...] = (
    (lambda tweet: tweet, 1.0),
    (briefly, 0.3),
    (_without_fine_types, 0.3),
    (_without_caption, 0.1),
)
"""How a tweet is learned from, and how much each counts."""


def captioned(
    samples: Sequence[TaggedTweet], shown: Shown, captions: Mapping[str, str]
) -> list[Captioned]:
    """Bring together what is known of each tweet; one without a description has an empty one."""
    tweets = []
    for sample in samples:
        names = shown.get(sample.id, {})
        found = [
            Named(*mention, sample.fine_tags[mention.start][2:])
            for mention in mentions(sample.tags)
        ]
        flags = (" ".join(sample.tokens[each.start : each.end]) in names for each in found)
        caption = captions.get(sample.id, "")
        tweets.append(Captioned(sample.tokens, caption, tuple(found), tuple(flags)))
    return tweets


def read_captions(path: Path) -> dict[str, str]:
    """Return ``{id: caption}`` of JSON lines.

    Raises:
        DataError: a line has no such texts.
        InputError: the file cannot be read.
    """
    captions = {}
    for number, line in enumerate(read_text(path).rstrip("\n").split("\n"), start=1):
        try:
            row = parsed(line)
            captions[str(row["id"])] = row["caption"].strip()
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            wanted = 'expected {"id": ..., "caption": text}'
            raise DataError(f"{path}:{number}: {wanted} ({error!r})") from None
    return captions


def train_entailer(tweets: Sequence[Captioned], out: Path) -> None:
    """Learn from ``tweets`` and write the model into the folder ``out``; other files there stay."""
    out.mkdir(parents=True, exist_ok=True)
    shown = np.array([flag for tweet in tweets for flag in tweet.shown])
    kinds = np.array([mention.type for tweet in tweets for mention in tweet.mentions])
    fold = np.array([k % FOLDS for k, tweet in enumerate(tweets) for _ in tweet.mentions])
    names = _frequent(tweets)
    ways = [_matrix([way(tweet) for tweet in tweets], names) for way, _ in WAYS]
    scores = np.empty(len(shown))
    for apart in range(FOLDS):
        weights = _fit(ways, shown, fold != apart)
        scores[fold == apart] = ways[0][fold == apart] @ weights
    calibration = {
        kind: platt(list(_logistic(scores[kinds == kind])), list(shown[kinds == kind]))
        for kind in TYPES
    }
    _write(_fit(ways, shown, np.full(len(shown), True)), names, calibration, out)


def _features(tweet: Captioned) -> list[list[str]]:
    return mention_features(tweet.tokens, tweet.mentions, tweet.caption)


def _frequent(tweets: Sequence[Captioned]) -> list[str]:
    """Return the strings that stand in `FLOOR` tweets or more, sorted."""
    counts: Counter[str] = Counter()
    for tweet in tweets:
        counts.update(
            {
                name
                for seen in (tweet, _without_fine_types(tweet))
                for row in _features(seen)
                for name in row
            }
        )
    return sorted(name for name, count in counts.items() if count >= FLOOR)


def _matrix(tweets: Sequence[Captioned], names: Sequence[str]) -> Any:
    """Return the sparse rows of all mentions: the numbers of each type, then the strings."""
    from scipy.sparse import csr_matrix

    width = len(PRIOR_FEATURES)
    column = {name: len(TYPES) * width + place for place, name in enumerate(names)}
    values, columns, starts = list[float](), list[int](), [0]
    for tweet in tweets:
        spans = [MentionSpan(*mention[:3]) for mention in tweet.mentions]
        rows = prior_features(tweet.tokens, spans)
        for span, numbers, strings in zip(spans, rows, _features(tweet), strict=True):
            own = [name for name in strings if name in column]
            first = TYPES.index(span.type) * width
            columns += [*range(first, first + width), *(column[name] for name in own)]
            values += [COARSE * number for number in numbers]
            values += [_size(name) for name in own]
            starts.append(len(columns))
    return csr_matrix((values, columns, starts), (len(starts) - 1, len(TYPES) * width + len(names)))


def _size(name: str) -> float:
    """Return the number that stands for a string."""
    return COARSE if "#" in name.partition(" ")[0] else 1.0


def _fit(ways: Sequence[Any], shown: NDArray[np.bool_], those: NDArray[np.bool_]) -> Floats:
    """Fit a regression to some of the mentions; return the weights of the columns."""
    from scipy.sparse import vstack
    from sklearn.linear_model import LogisticRegression

    counts = np.repeat([weight for _, weight in WAYS], those.sum())
    model = LogisticRegression(C=STRENGTH, fit_intercept=False, max_iter=300)
    model.fit(vstack([way[those] for way in ways]), np.tile(shown[those], len(ways)), counts)
    weights: Floats = model.coef_[0]
    return weights


def _logistic(scores: Floats) -> Floats:
    return 1 / (1 + np.exp(-scores))


def _write(
    weights: Floats, names: Sequence[str], calibration: Mapping[str, Mapping[str, float]], out: Path
) -> None:
    numbers = len(TYPES) * len(PRIOR_FEATURES)
    prior = np.round(COARSE * weights[:numbers], 5).reshape(len(TYPES), -1)
    scale = np.array([_size(name) for name in names])
    told = np.round(scale * weights[numbers:], 4)
    write(
        {
            (name, LABELS[0]): weight
            for name, weight in zip(names, told.tolist(), strict=True)
            if weight
        },
        LABELS,
        out / "weights.npz",
    )
    settings = {
        "format": FORMAT,
        "prior": dict(zip(TYPES, prior.tolist(), strict=True)),
        "calibration": calibration,
    }
    text = json.dumps(settings, indent=1, sort_keys=True)
    with whole_file(out / "entailer.json") as file:
        file.write(f"{text}\n".encode())
