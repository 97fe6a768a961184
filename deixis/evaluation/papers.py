"""Whole files of two papers that have measures of their own: M-MRE and MUIE.

Predictions are rows, or answers as the paper's models write them.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from deixis.errors import DataError, SettingsError
from deixis.evaluation.datasets.mmre import MmreRow, Patch
from deixis.evaluation.metrics import mmre, muie
from deixis.evaluation.metrics.sheet import Sheet, counted, mean_of, side_by_side
from deixis.formats import files, pfa
from deixis.formats import muie as muie_format
from deixis.formats.muie_rows import MuieRow
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


class MuieAnswers(NamedTuple):
    """Answers to rows of MUIE (appendix C)."""

    gold: Sequence[MuieRow]
    answers: Mapping[str, MuieRow]
    unreadable: int

    @property
    def _told(self) -> list[MuieRow]:
        nothing = {"entities": (), "relations": (), "events": ()}
        return [self.answers.get(row.id) or row.model_copy(update=nothing) for row in self.gold]

    def sheet(self, _wording: str) -> tuple[Sheet, dict[str, Any]]:
        """Return precision, recall and f1 of four kinds of facts, and mean IoU of three media."""
        ious = muie.row_ious(self.gold, self._told)
        media = tuple(f"mean_iou_{name}" for name in muie.Grounded._fields)
        return side_by_side(*self._facts(None), mean_of(media, ious)), {}

    def kinds(self) -> list[str]:
        """Return the types of entities, relations and events."""
        return sorted(muie.types_of([*self.gold, *self._told]))

    def of_type(self, kind: str) -> Sheet:
        """Return precision, recall and f1 of the facts of a type."""
        return side_by_side(*self._facts(kind))

    def _facts(self, kind: str | None) -> list[Sheet]:
        counts = muie.extraction_counts(self.gold, self._told, kind)
        named = zip(muie.Extraction._fields, counts, strict=True)
        return [counted(each).prefixed(f"{name}_") for name, each in named]


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
    _check("mmre", format_name, "pfa")
    answers = files.read_answers(path, format_name, gold)
    return MmreAnswers(gold, {each.row.id: pfa.parse_answer(each.text) for each in answers})


def _check(task: str, given: str, known: str) -> None:
    if given != known:
        raise SettingsError(
            f"--task {task} takes rows, or answers with --format {known}; got --format {given}"
        )


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


def read_muie(gold: Sequence[MuieRow], path: Path, format_name: str | None) -> MuieAnswers:
    """Read rows or answers (``muie``).

    Raises:
        DataError: the file does not parse, names samples that the gold does not have, or has
            one of another task.
        SettingsError: the format is another.
    """
    answered: dict[str, MuieRow] = {}
    unreadable = 0
    if format_name is None:
        answered = {row.id: row for row in read_rows(path, MuieRow)}
    else:
        _check("muie", format_name, "muie")
        by_id = {row.id: row for row in gold}
        for line in files.read_answers(path, format_name, gold):
            answer = muie_format.parse_answer(line.text, by_id[line.row.id].task)
            unreadable += len(answer.problems)
            answered[line.row.id] = muie_format.row_of(answer, by_id[line.row.id])
    for row in gold:
        if row.id in answered and answered[row.id].task != row.task:
            raise DataError(f"{path}: the sample {row.id!r} has another task than in the gold")
    return MuieAnswers(gold, answered, unreadable)
