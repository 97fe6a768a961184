"""Scores of M-MRE: a summary, label-entity pairs and lettered patches (Algorithm 1).

The paper names no implementation and there is no public code, so each choice is stated:

- ROUGE is rouge-score's, the mean F over samples; BLEU is sacrebleu's. `WORDINGS` names the
  settings; what was used is in the signatures, to be printed beside the scores.
- label-entity pairs are multisets in each sample, compared exactly and counted over all samples.
- accuracy is over all patches of the gold; a letter that the gold does not have costs nothing.
"""

import importlib
import importlib.metadata
from collections.abc import Sequence
from typing import Any, NamedTuple

from deixis.errors import MissingExtraError, SettingsError
from deixis.evaluation.datasets.mmre import MmreRow
from deixis.evaluation.metrics.mner import Score, score_mentions
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
        rouge: name to mean F, 0..1.
        bleu: 0..100, as sacrebleu gives it.
        signatures: of ROUGE and of BLEU: version and settings.
    """

    rouge: dict[str, float]
    bleu: float
    signatures: tuple[str, str]


class Report(NamedTuple):
    """All scores of Algorithm 1.

    Attributes:
        summaries: of the texts.
        pairs: ``all`` and each label to its counts.
        right: patches that are paired with the entity of the gold.
        patches: patches in the gold.
    """

    summaries: Summaries
    pairs: dict[str, Score]
    right: int
    patches: int

    @property
    def accuracy(self) -> float:
        """Share of the gold's patches that are right; 0 when there are none."""
        return self.right / self.patches if self.patches else 0.0


def answer_of(row: MmreRow) -> Answer:
    """Return what a perfect answer to a row of gold says; patches without entity are no pairs."""
    return Answer(
        row.summary,
        tuple((entity.text, entity.type) for entity in row.entities),
        {patch.letter: patch.entity for patch in row.patches if patch.entity is not None},
    )


def score(gold: Sequence[Answer], predicted: Sequence[Answer], wording: str = "plain") -> Report:
    """Score answers.

    Args:
        gold: see `answer_of`.
        predicted: the same samples in the same order; an answer without a part counts as empty.
        wording: a name in `WORDINGS`.

    Raises:
        MissingExtraError: rouge-score or sacrebleu is not installed.
        SettingsError: there is no such wording.
        ValueError: the two do not have the same number of samples.
    """
    pairs = score_mentions(*([answer.pairs for answer in side] for side in (gold, predicted)))
    right = sum(
        guess.patches.get(letter) == entity
        for wanted, guess in zip(gold, predicted, strict=True)
        for letter, entity in wanted.patches.items()
    )
    summaries = score_summaries(
        [answer.summary for answer in gold], [answer.summary for answer in predicted], wording
    )
    return Report(summaries, pairs, right, sum(len(answer.patches) for answer in gold))


def score_summaries(
    gold: Sequence[str], predicted: Sequence[str], wording: str = "plain"
) -> Summaries:
    """Score texts by ROUGE and BLEU; without texts both are 0; see `score`."""
    if wording not in WORDINGS:
        raise SettingsError(f"there is no wording {wording!r}; choose from {', '.join(WORDINGS)}")
    if len(gold) != len(predicted):
        raise ValueError(f"{len(gold)} gold texts but {len(predicted)} predicted ones")
    how = WORDINGS[wording]
    rouge, about_rouge = _rouge(gold, predicted, how)
    bleu, about_bleu = _bleu(gold, predicted, how)
    return Summaries(rouge, bleu, (about_rouge, about_bleu))


class _Characters:
    """What rouge-score calls a tokenizer: every character but white space."""

    def tokenize(self, text: str) -> list[str]:
        return [character for character in text.casefold() if not character.isspace()]


def _rouge(
    gold: Sequence[str], predicted: Sequence[str], how: Wording
) -> tuple[dict[str, float], str]:
    module = _load("rouge_score.rouge_scorer", "rouge-score")
    tokenizer = _Characters() if how.characters else None
    scorer = module.RougeScorer(list(ROUGES), use_stemmer=how.stemmer, tokenizer=tokenizer)
    sums = dict.fromkeys(ROUGES, 0.0)
    for reference, summary in zip(gold, predicted, strict=True):
        for name, value in scorer.score(reference, summary).items():
            sums[name] += value.fmeasure
    units = "char" if how.characters else "a-z0-9"
    signature = (
        f"mean:f|stem:{'yes' if how.stemmer else 'no'}|tok:{units}"
        f"|version:{importlib.metadata.version('rouge-score')}"
    )
    return {name: total / max(len(gold), 1) for name, total in sums.items()}, signature


def _bleu(gold: Sequence[str], predicted: Sequence[str], how: Wording) -> tuple[float, str]:
    module = _load("sacrebleu.metrics", "sacrebleu")
    tokenizer = "char" if how.characters else "13a"
    metric = module.BLEU(tokenize=tokenizer, effective_order=how.sentences)
    if not gold:
        return 0.0, f"tok:{tokenizer}|no texts"
    if how.sentences:
        each = [
            metric.sentence_score(summary, [reference]).score
            for reference, summary in zip(gold, predicted, strict=True)
        ]
        return sum(each) / len(each), f"mean:sentence|{metric.get_signature()}"
    value = metric.corpus_score(list(predicted), [list(gold)]).score
    return float(value), str(metric.get_signature())


def _load(module: str, package: str) -> Any:
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise MissingExtraError(package, "eval") from error
