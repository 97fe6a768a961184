"""Train or check the entailer of descriptions: ``python -m deixis.training.train_entailer DATA``.

The data folder holds ``train.txt``, ``dev.txt`` and ``xml.tar.gz`` of Twitter-GMNER v2, and
``captions_train.jsonl`` and ``captions_dev.jsonl``: descriptions of its pictures. The fine types
are those of Twitter-FMNERG. The dev split is scored and never learned from.
"""

import argparse
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from deixis.evaluation.datasets.conll import TYPES
from deixis.evaluation.datasets.voc import read_voc
from deixis.evaluation.metrics.mner import expected_calibration_error
from deixis.tools.captions.entailer import MODEL_FOLDER, CaptionWords
from deixis.tools.tagger.crf import CrfTagger
from deixis.tools.tagger.features import MentionSpan, prior_features
from deixis.tools.tagger.marginals import Floats
from deixis.training.entailer import Captioned, briefly, captioned, read_captions, train_entailer
from deixis.training.train_minilm import read_split
from deixis.training.train_recognizer import faults_told


class Report(NamedTuple):
    """How well probabilities tell what is shown; all are 0..1.

    ``auc`` is that of all mentions, and of each type under its name; ``error`` is the expected
    calibration error; ``accuracy`` that of "shown" from a probability of one half on.
    """

    auc: dict[str, float]
    error: float
    accuracy: float


def read_tweets(gmner: Path, fmnerg: Path, split: str) -> list[Captioned]:
    """Return a split with its descriptions, types, fine types and what is shown."""
    return captioned(
        read_split(gmner, fmnerg, split),
        read_voc(gmner / "xml.tar.gz"),
        read_captions(gmner / f"captions_{split}.jsonl"),
    )


def report(tweets: Sequence[Captioned], probabilities: Floats) -> Report:
    """Score the probabilities of all mentions of ``tweets``, in order."""
    from sklearn.metrics import roc_auc_score

    truth = np.array([flag for tweet in tweets for flag in tweet.shown])
    kinds = np.array([mention.type for tweet in tweets for mention in tweet.mentions])

    def auc(those: NDArray[np.bool_]) -> float:
        return float(roc_auc_score(truth[those], probabilities[those]))

    return Report(
        {"all": auc(kinds != ""), **{kind: auc(kinds == kind) for kind in TYPES}},
        expected_calibration_error(probabilities, truth),
        float(np.mean((probabilities >= 0.5) == truth)),
    )


def by_caption(entailer: CaptionWords, tweets: Sequence[Captioned]) -> Floats:
    """Return what the entailer says of the gold mentions."""
    told = [entailer.probabilities(each.tokens, each.mentions, each.caption) for each in tweets]
    return np.array([probability for row in told for probability in row])


def by_text(tweets: Sequence[Captioned]) -> Floats:
    """Return what the recognizer's prior says of the gold mentions."""
    tagger, told = CrfTagger(), []
    for tweet in tweets:
        spans = [MentionSpan(*mention[:3]) for mention in tweet.mentions]
        rows = prior_features(tweet.tokens, spans)
        told += [
            tagger.shown_prior(*each) for each in zip((s.type for s in spans), rows, strict=True)
        ]
    return np.array(told)


def print_report(gmner: Path, fmnerg: Path, folder: Path) -> None:
    """Print the figures of the dev split, beside those of the text alone."""
    entailer, tweets = CaptionWords(folder), read_tweets(gmner, fmnerg, "dev")
    start = time.perf_counter()
    whole = by_caption(entailer, tweets)
    spent = time.perf_counter() - start
    first = [briefly(tweet) for tweet in tweets]
    bare = [tweet._replace(caption="") for tweet in tweets]
    print(f"{len(whole)} gold mentions of the dev split")
    print(f"{'':24}{'AUC':>8}{''.join(f'{kind:>8}' for kind in TYPES)}{'error':>8}{'correct':>9}")
    for name, told in (
        ("prior of the recognizer", by_text(tweets)),
        ("no description", by_caption(entailer, bare)),
        ("its first sentence", by_caption(entailer, first)),
        ("the whole description", whole),
    ):
        found = report(tweets, told)
        shares = (f"{found.auc[kind]:8.4f}" for kind in ("all", *TYPES))
        print(f"{name:24}{''.join(shares)}{found.error:8.4f}{found.accuracy:9.4f}")
    size = sum(file.stat().st_size for file in folder.iterdir()) / 1e6
    print(f"size {size:.2f} MB, {1000 * spent / len(tweets):.2f} ms a tweet on one thread")


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("gmner", type=Path, help="folder with tweets, xml.tar.gz, descriptions")
    parser.add_argument("fmnerg", type=Path, help="folder with train.txt, dev.txt, fine types")
    parser.add_argument("--out", type=Path, default=MODEL_FOLDER, help="model folder to write")
    parser.add_argument("--check", action="store_true", help="only score the model in --out")
    options = parser.parse_args(arguments)
    with faults_told(parser):
        if not options.check:
            start = time.perf_counter()
            train_entailer(read_tweets(options.gmner, options.fmnerg, "train"), options.out)
            print(f"trained in {time.perf_counter() - start:.0f} s")
        print_report(options.gmner, options.fmnerg, options.out)


if __name__ == "__main__":
    main()
