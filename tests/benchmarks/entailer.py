"""Score the pair of a name and whether it is shown, before and after a description is read.

Run with ``python tests/benchmarks/entailer.py DATA``, a folder with ``gmner`` (tweets, boxes and
descriptions) and ``fmnerg``. Names and types are those that the shipped recognizer finds in the
development tweets. Before: its own prior of what is shown; after: the entailer ``caption``.
"""

import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from deixis.evaluation.metrics.mner import score_mentions
from deixis.tools.captions.entailer import CaptionWords
from deixis.tools.captions.features import Named, first_sentence
from deixis.tools.tagger.base import TokenMention
from deixis.tools.tagger.minilm import MiniLmTagger
from deixis.training.entailer import Captioned
from deixis.training.train_entailer import read_tweets

Judge = Callable[[Captioned, Sequence[TokenMention]], list[float]]


def pairs(
    tweet: Captioned, mentions: Sequence[TokenMention] | Sequence[Named], shown: Sequence[bool]
) -> list[tuple[str, str]]:
    """Return the exact name and type with whether it is shown, for `score_mentions`."""
    return [
        (" ".join(tweet.tokens[each.start : each.end]), f"{each.type} {flag}")
        for each, flag in zip(mentions, shown, strict=True)
    ]


def judge(entailer: CaptionWords, change: Callable[[str], str]) -> Judge:
    def probabilities(tweet: Captioned, found: Sequence[TokenMention]) -> list[float]:
        named = [Named(each.start, each.end, each.type, each.fine_type) for each in found]
        return entailer.probabilities(tweet.tokens, named, change(tweet.caption))

    return probabilities


def main(data: Path) -> None:
    tweets = read_tweets(data / "gmner", data / "fmnerg", "dev")
    tagger, entailer = MiniLmTagger(), CaptionWords()
    found = [tagger.tag_tokens(tweet.tokens) for tweet in tweets]
    gold = [pairs(tweet, tweet.mentions, tweet.shown) for tweet in tweets]
    names = [pairs(tweet, tweet.mentions, [True] * len(tweet.shown)) for tweet in tweets]
    judges: dict[str, Judge] = {
        "always not shown": lambda _, mentions: [0.0] * len(mentions),
        "prior of the recognizer": lambda _, mentions: [each.shown_prior for each in mentions],
        "first sentence": judge(entailer, first_sentence),
        "whole description": judge(entailer, lambda caption: caption),
    }
    print(f"{'name, type, shown or not':26}{'P':>8}{'R':>8}{'F1':>8}{'F1 shown':>10}{'not':>8}")
    for label, told in judges.items():
        flags = [
            [p >= 0.5 for p in told(tweet, own)] for tweet, own in zip(tweets, found, strict=True)
        ]
        own = [pairs(*row) for row in zip(tweets, found, flags, strict=True)]
        scores = [score_mentions(gold, own)["all"]]
        for flag in ("True", "False"):
            kept = [
                [[p for p in row if p[1].endswith(flag)] for row in each] for each in (gold, own)
            ]
            scores.append(score_mentions(*kept)["all"])
        line = f"{scores[0].precision:8.4f}{scores[0].recall:8.4f}{scores[0].f1:8.4f}"
        print(f"{label:26}{line}{scores[1].f1:10.4f}{scores[2].f1:8.4f}")
    own = [pairs(*row, [True] * len(row[1])) for row in zip(tweets, found, strict=True)]
    best = score_mentions(names, own)["all"]
    print(f"{'oracle of what is shown':26}{best.precision:8.4f}{best.recall:8.4f}{best.f1:8.4f}")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
