"""Scores of M-MRE: a summary, label-entity pairs and lettered patches (Algorithm 1).

The paper names no implementation and there is no public code, so each choice is stated:

- ROUGE is rouge-score's, the mean F over samples; BLEU is sacrebleu's. `WORDINGS` names the
  settings; what was used is in the signatures, to be printed beside the scores.
- label-entity pairs are multisets in each sample, compared exactly and counted over all samples.
- accuracy is over all patches of the gold; a letter that the gold does not have costs nothing.
"""

import importlib
import importlib.metadata
import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from deixis.errors import MissingExtraError, SettingsError
from deixis.evaluation.datasets.mmre import MmreRow
from deixis.evaluation.metrics.chance import Shares
from deixis.evaluation.metrics.mner import pair_counts
from deixis.evaluation.metrics.sheet import Sheet, counted, mean_of, ratios, side_by_side
from deixis.formats.pfa import Answer

ROUGES = ("rouge1", "rouge2", "rougeL")


class Wording(NamedTuple):
    """How summaries are compared.

    Attributes:
        stemmer: whether ROUGE compares Porter stems of English words.
        sentences: whether BLEU is the mean over samples with effective order, not one score
            of the corpus.
        characters: whether the units are characters, for languages without spaces between
            words: rouge-score knows a-z and 0-9 only and gives 0 to all else.
    """

    stemmer: bool = False
    sentences: bool = False
    characters: bool = False


WORDINGS = {
    "plain": Wording(),
    "stemmed": Wording(stemmer=True),
    "sentences": Wording(sentences=True),
    "characters": Wording(characters=True),
}
"""Named settings; ``plain`` is what both libraries do unless told otherwise."""


class Summaries(NamedTuple):
    """Scores of texts.

    Attributes:
        sheet: of the measures rouge1, rouge2, rougeL (mean F) and bleu, all 0..1.
        signatures: of ROUGE and of BLEU: version and settings.
    """

    sheet: Sheet
    signatures: tuple[str, str]


def answer_of(row: MmreRow) -> Answer:
    """Return what a perfect answer to a row of gold says; patches without entity are no pairs."""
    return Answer(
        row.summary,
        tuple((entity.text, entity.type) for entity in row.entities),
        {patch.letter: patch.entity for patch in row.patches if patch.entity is not None},
    )


def sheet(gold: Sequence[Answer], predicted: Sequence[Answer]) -> Sheet:
    """Score label-entity pairs and patches (Algorithm 1, lines 7 to 9).

    Its measures are precision, recall and f1 of the pairs, and patch_accuracy, the share of the
    gold's patches that are paired with the entity of the gold.

    Args:
        gold: see `answer_of`.
        predicted: the same samples in the same order; an answer without a part counts as empty.

    Raises:
        ValueError: the two do not have the same number of samples.
    """
    pairs = pair_counts(*([answer.pairs for answer in side] for side in (gold, predicted)))
    patches = [
        (
            sum(guess.patches.get(letter) == entity for letter, entity in wanted.patches.items()),
            len(wanted.patches),
        )
        for wanted, guess in zip(gold, predicted, strict=True)
    ]
    right, there = np.array(patches, dtype=np.float64).reshape(-1, 2).T[..., None]
    return side_by_side(counted(pairs), ratios(("patch_accuracy",), right, there))


def of_label(answer: Answer, label: str) -> Answer:
    """Return what an answer says of one label: its pairs, and the patches of their entities."""
    pairs = tuple(pair for pair in answer.pairs if pair[1] == label)
    texts = {text for text, _ in pairs}
    patches = {letter: entity for letter, entity in answer.patches.items() if entity in texts}
    return answer._replace(pairs=pairs, patches=patches)


def summaries(gold: Sequence[str], predicted: Sequence[str], wording: str = "plain") -> Summaries:
    """Score texts by ROUGE and BLEU (Algorithm 1, line 6); without texts both are undefined.

    Raises:
        MissingExtraError: rouge-score or sacrebleu is not installed.
        SettingsError: there is no such wording.
        ValueError: the two do not have the same number of samples.
    """
    check_wording(wording)
    if len(gold) != len(predicted):
        raise ValueError(f"{len(gold)} gold texts but {len(predicted)} predicted ones")
    how = WORDINGS[wording]
    rouge, about_rouge = _rouge(gold, predicted, how)
    bleu, about_bleu = _bleu(gold, predicted, how)
    return Summaries(side_by_side(rouge, bleu), (about_rouge, about_bleu))


def check_wording(wording: str) -> None:
    """Refuse a wording that there is not.

    Raises:
        SettingsError: so it is.
    """
    if wording not in WORDINGS:
        raise SettingsError(f"there is no wording {wording!r}; choose from {', '.join(WORDINGS)}")


class _Characters:
    """What rouge-score calls a tokenizer: every character but white space."""

    def tokenize(self, text: str) -> list[str]:
        return [character for character in text.casefold() if not character.isspace()]


def _rouge(gold: Sequence[str], predicted: Sequence[str], how: Wording) -> tuple[Sheet, str]:
    module = _load("rouge_score.rouge_scorer", "rouge-score")
    tokenizer = _Characters() if how.characters else None
    scorer = module.RougeScorer(list(ROUGES), use_stemmer=how.stemmer, tokenizer=tokenizer)
    rows = []
    for reference, summary in zip(gold, predicted, strict=True):
        found = scorer.score(reference, summary)
        rows.append([found[name].fmeasure for name in ROUGES])
    units = "char" if how.characters else "a-z0-9"
    signature = (
        f"mean:f|stem:{'yes' if how.stemmer else 'no'}|tok:{units}"
        f"|version:{importlib.metadata.version('rouge-score')}"
    )
    return mean_of(ROUGES, np.array(rows, dtype=np.float64).reshape(-1, len(ROUGES))), signature


def _bleu(gold: Sequence[str], predicted: Sequence[str], how: Wording) -> tuple[Sheet, str]:
    module = _load("sacrebleu.metrics", "sacrebleu")
    tokenizer = "char" if how.characters else "13a"
    metric = module.BLEU(tokenize=tokenizer, effective_order=how.sentences)
    each = module.BLEU(tokenize=tokenizer, effective_order=True)
    found = [
        each.sentence_score(summary, [reference])
        for reference, summary in zip(gold, predicted, strict=True)
    ]
    metric.corpus_score([""], [[""]])  # it has no signature before it has seen a reference
    signature = str(metric.get_signature())
    if how.sentences:
        means = np.array([[score.score / 100] for score in found]).reshape(-1, 1)
        return mean_of(("bleu",), means), f"mean:sentence|{signature}"
    counts = [[*score.counts, *score.totals, score.sys_len, score.ref_len] for score in found]

    def corpus(totals: NDArray[np.float64]) -> Shares:
        """Return BLEU of n-gram counts, possible ones, and both lengths: ``(..., 10)``."""

        def bleu(row: NDArray[np.float64]) -> float:
            right, there, lengths = np.split(row.astype(int), (4, 8))
            if not row.any():
                return math.nan
            found = module.BLEU.compute_bleu(
                right.tolist(), there.tolist(), *lengths.tolist(), smooth_method="exp"
            )
            return float(found.score / 100)

        return np.apply_along_axis(bleu, -1, totals)[..., None]

    sums = np.array(counts, dtype=np.float64).reshape(-1, 10)
    return Sheet(("bleu",), sums, corpus), signature


def _load(module: str, package: str) -> Any:
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise MissingExtraError(package, "eval") from error
