"""Train or check the shipped recognizer: ``python -m deixis.training.train_recognizer DATA``.

The data folder holds ``train.txt``, ``dev.txt`` and ``xml.tar.gz`` of Twitter-GMNER v2. The dev
split is scored and never learned from.
"""

import argparse
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import numpy as np

from deixis.errors import DeixisError
from deixis.evaluation.datasets.conll import TYPES, TaggedTweet, read_conll
from deixis.evaluation.datasets.voc import read_voc
from deixis.evaluation.metrics.mner import (
    Score,
    correct_flags,
    expected_calibration_error,
    score_mentions,
)
from deixis.tools.tagger.base import Tagger
from deixis.tools.tagger.crf import MODEL_FOLDER, CrfTagger
from deixis.training.lexicon import build_lexicon
from deixis.training.prior import prior_table
from deixis.training.recognizer import train
from deixis.training.samples import SHIPPED, Sample, gold_pairs, samples_of


class Report(NamedTuple):
    """How a recognizer does on labelled samples; errors of calibration are 0..1."""

    scores: dict[str, Score]
    raw_error: float
    calibrated_error: float
    words_per_second: float


class PriorReport(NamedTuple):
    """How well ``shown_prior`` tells what is pictured, beside one constant for each type."""

    log_loss: float
    constant_log_loss: float
    error: float
    constant_error: float


def check_mentions(tagger: Tagger, samples: Sequence[TaggedTweet]) -> Report:
    """Score the mentions of the tagger against gold, on the tokens of the data set."""
    start = time.perf_counter()
    tagged = [tagger.tag_tokens(sample.tokens) for sample in samples]
    seconds = time.perf_counter() - start
    gold = [gold_pairs(sample) for sample in samples]
    pairs = [
        [(" ".join(sample.tokens[m.start : m.end]), m.type) for m in spans]
        for sample, spans in zip(samples, tagged, strict=True)
    ]
    flags = [flag for g, p in zip(gold, pairs, strict=True) for flag in correct_flags(g, p)]
    return Report(
        score_mentions(gold, pairs),
        expected_calibration_error([m.raw for spans in tagged for m in spans], flags),
        expected_calibration_error([m.confidence for spans in tagged for m in spans], flags),
        sum(len(sample.tokens) for sample in samples) / seconds,
    )


def check_prior(
    tagger: CrfTagger, learned: Sequence[Sample], samples: Sequence[Sample]
) -> PriorReport:
    """Score ``shown_prior`` on the gold mentions of ``samples``.

    Args:
        tagger: whose prior is scored.
        learned: the training split, which gives the constants to compare with.
        samples: the split to score on.
    """
    constants = {kind: np.mean(flags) for kind, (_, flags) in prior_table(learned, SHIPPED).items()}
    model: list[float] = []
    constant: list[float] = []
    truth: list[bool] = []
    for kind, (rows, flags) in prior_table(samples, SHIPPED).items():
        model += [tagger.shown_prior(kind, row) or 0.0 for row in rows]
        constant += [float(constants[kind])] * len(rows)
        truth += flags
    return PriorReport(
        _log_loss(model, truth),
        _log_loss(constant, truth),
        expected_calibration_error(model, truth),
        expected_calibration_error(constant, truth),
    )


def _log_loss(predicted: Sequence[float], truth: Sequence[bool]) -> float:
    shares = np.clip(np.array(predicted), 1e-9, 1 - 1e-9)
    return float(-np.mean(np.log(np.where(np.array(truth), shares, 1 - shares))))


def print_mentions(report: Report) -> None:
    """Print the scores of mentions, and how far confidences are from how often they are right."""
    print(f"{'':8}{'P':>8}{'R':>8}{'F1':>8}{'gold':>7}{'found':>7}")
    for kind in ("all", *TYPES):
        score = report.scores[kind]
        shares = (f"{100 * s:8.2f}" for s in (score.precision, score.recall, score.f1))
        print(f"{kind:8}{''.join(shares)}{score.gold:7}{score.predicted:7}")
    print(f"calibration error {report.raw_error:.4f} raw, {report.calibrated_error:.4f} calibrated")


def _print_report(data: Path, folder: Path) -> None:
    tagger = CrfTagger(folder)
    samples = read_conll(data / "dev.txt")
    report = check_mentions(tagger, samples)
    print_mentions(report)
    shown = read_voc(data / "xml.tar.gz")
    learned = samples_of(read_conll(data / "train.txt"), shown)
    prior = check_prior(tagger, learned, samples_of(samples, shown))
    print(
        f"shown prior: log loss {prior.log_loss:.4f} (per-type constant "
        f"{prior.constant_log_loss:.4f}), calibration error {prior.error:.4f} "
        f"({prior.constant_error:.4f})"
    )
    size = sum(file.stat().st_size for file in folder.iterdir())
    print(f"size {size / 1e6:.2f} MB, {report.words_per_second:,.0f} words/s on one thread")


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("data", type=Path, help="folder with train.txt, dev.txt, xml.tar.gz")
    parser.add_argument("--out", type=Path, default=MODEL_FOLDER, help="model folder to write")
    parser.add_argument("--check", action="store_true", help="only score the model in --out")
    parser.add_argument(
        "--lexicon-from",
        type=Path,
        nargs=2,
        metavar=("MODEL", "NAMES"),
        help="first build the lexicon anew from these two packages (see MODEL_CARD.md)",
    )
    options = parser.parse_args(arguments)
    with faults_told(parser):
        _run(options)


@contextmanager
def faults_told(parser: argparse.ArgumentParser) -> Iterator[None]:
    """End the program with one line on what was wrong, where that is no fault of its own."""
    try:
        yield
    except (DeixisError, ImportError, OSError) as error:
        parser.exit(1, f"{error}\n")


def _run(options: argparse.Namespace) -> None:
    if not options.check:
        lexicon = options.out / "lexicon.tsv.gz"
        if options.lexicon_from is not None:
            model, names = options.lexicon_from
            build_lexicon(model, names, lexicon)
        elif not lexicon.exists():
            lexicon = MODEL_FOLDER / "lexicon.tsv.gz"
        start = time.perf_counter()
        tweets = read_conll(options.data / "train.txt")
        train(
            samples_of(tweets, read_voc(options.data / "xml.tar.gz")), SHIPPED, lexicon, options.out
        )
        print(f"trained in {time.perf_counter() - start:.0f} s")
    _print_report(options.data, options.out)


if __name__ == "__main__":
    main()
