"""Whole files of papers that have measures of their own, and those of one of them, M-MRE.

Predictions are rows, or answers as the paper's models write them.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from deixis.errors import SettingsError
from deixis.evaluation.datasets.mmre import MmreRow, Patch
from deixis.evaluation.metrics import mmre
from deixis.evaluation.metrics.sheet import Sheet, side_by_side
from deixis.formats import files, pfa
from deixis.rows import Row, read_rows


class Answers(Protocol):
    """The answers of a file, as a paper scores them.

    ``answers`` has them by id, and ``unreadable`` is how many pieces of them were not read.
    """

    @property
    def answers(self) -> Mapping[str, Any]:
        """By id."""
        ...

    @property
    def unreadable(self) -> int:
        """Pieces of answers."""
        ...

    def sheet(self, wording: str) -> tuple[Sheet, dict[str, Any]]:
        """Return all measures, and JSON-ready how summaries were compared."""
        ...

    def kinds(self) -> list[str]:
        """Return the types that gold or answers have."""
        ...

    def of_type(self, kind: str) -> Sheet:
        """Return the measures that have a type, of one of them."""
        ...


class MmreAnswers(NamedTuple):
    """Answers to rows of M-MRE (Algorithm 1)."""

    gold: Sequence[MmreRow]
    answers: Mapping[str, pfa.Answer]

    @property
    def unreadable(self) -> int:
        """Pieces of answers."""
        return sum(len(answer.problems) for answer in self.answers.values())

    @property
    def _sides(self) -> tuple[list[pfa.Answer], list[pfa.Answer]]:
        empty = pfa.Answer("", (), {}, ())
        wanted = [mmre.answer_of(row) for row in self.gold]
        return wanted, [self.answers.get(row.id, empty) for row in self.gold]

    def sheet(self, wording: str) -> tuple[Sheet, dict[str, Any]]:
        """Return precision, recall, f1, patch_accuracy, rouge1, rouge2, rougeL and bleu."""
        gold, told = ([answer.summary for answer in side] for side in self._sides)
        texts = mmre.summaries(gold, told, wording)
        about = {"wording": wording, "signatures": list(texts.signatures)}
        return side_by_side(mmre.sheet(*self._sides), texts.sheet), about

    def kinds(self) -> list[str]:
        """Return the labels."""
        return sorted({label for side in self._sides for each in side for _, label in each.pairs})

    def of_type(self, kind: str) -> Sheet:
        """Return precision, recall, f1 and patch_accuracy of a label.

        A patch is of the label of the entity that the gold pairs it with.
        """
        gold, told = self._sides
        pairs = [tuple(pair for pair in each.pairs if pair[1] == kind) for each in told]
        return mmre.sheet(
            [mmre.of_label(answer, kind) for answer in gold],
            [each._replace(pairs=some) for each, some in zip(told, pairs, strict=True)],
        )


def read_mmre(gold: Sequence[MmreRow], path: Path, format_name: str | None) -> MmreAnswers:
    """Read rows, lines of ``deixis batch`` (whose caption is the summary) or answers (``pfa``).

    Raises:
        DataError: the file does not parse, or names samples that the gold does not have.
        SettingsError: the format is another.
    """
    if format_name is None:
        by_id = {row.id: row for row in gold}
        rows = read_rows(path, _Predicted)
        return MmreAnswers(gold, {row.id: _answer_of(row, by_id.get(row.id)) for row in rows})
    if format_name != "pfa":
        raise SettingsError(
            f"--task mmre takes rows, or answers with --format pfa; got --format {format_name}"
        )
    answers = files.read_answers(path, format_name, gold)
    return MmreAnswers(gold, {each.row.id: pfa.parse_answer(each.text) for each in answers})


class _Predicted(Row):
    """A row of M-MRE, or a line of `deixis batch`, which has a caption and no letters."""

    summary: str | None = None
    caption: str | None = None
    patches: tuple[Patch, ...] | None = None


def _answer_of(row: _Predicted, gold: MmreRow | None) -> pfa.Answer:
    """Return what a row says.

    Without letters a region is the patch of the gold that has its box; of two entities with
    one box it shows the one of the gold.
    """
    if row.patches is not None:
        patches = {patch.letter: patch.entity for patch in row.patches if patch.entity is not None}
    else:
        patches = {}
        for patch in gold.patches if gold else ():
            holders = [
                entity.text
                for entity in row.entities
                if any(region.box == patch.box for region in entity.regions or ())
            ]
            if holders:
                patches[patch.letter] = patch.entity if patch.entity in holders else holders[0]
    pairs = tuple((entity.text, entity.type) for entity in row.entities)
    return pfa.Answer(row.summary or row.caption or "", pairs, patches)
