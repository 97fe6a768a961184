"""Whole files of MUIE: rows, lines of ``deixis batch``, or answers as REAMO writes them."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from deixis.base.extraction_records import UNTYPED
from deixis.errors import DataError, SettingsError
from deixis.evaluation.metrics import muie_facts
from deixis.evaluation.metrics.muie_errors import ERRORS, errors_by_row
from deixis.evaluation.metrics.muie_grounding import grounding_sheet
from deixis.evaluation.metrics.muie_tracks import track_sheet
from deixis.evaluation.metrics.sheet import Sheet, counted, side_by_side
from deixis.formats import files
from deixis.formats import muie as muie_format
from deixis.formats.muie_rows import MuieContent, MuieRow
from deixis.rows import read_rows


class MuieAnswers(NamedTuple):
    """Answers to rows of MUIE (appendix C).

    ``placed`` is False of answers that stand alone: they say what should be looked for, and
    nobody has looked.
    """

    gold: Sequence[MuieRow]
    answers: Mapping[str, MuieRow]
    unreadable: int = 0
    placed: bool = True

    @property
    def told(self) -> list[MuieRow]:
        """The answer to each row of the gold; an empty one where there is none."""
        nothing = {"entities": (), "relations": (), "events": ()}
        return [self.answers.get(row.id) or row.model_copy(update=nothing) for row in self.gold]

    def sheet(self, _wording: str) -> tuple[Sheet, dict[str, Any]]:
        """Return all measures, and how often each type of error (section 6.9) was met, by rows too.

        They are precision, recall and f1 of four kinds of facts; and, but for answers alone,
        mean and named IoU of three media, and how tracks keep to their things.
        """
        told = self.told
        sheets = self._facts(None)
        if self.placed:
            sheets += [grounding_sheet(self.gold, told), track_sheet(self.gold, told)]
        by_row = errors_by_row(self.gold, told, self.placed)
        errors = {name: sum(row[name] for row in by_row.values()) for name in ERRORS}
        rows = {id_: dict(+row) for id_, row in by_row.items() if row.total()}
        return side_by_side(*sheets), {"errors": errors, "rows_with_errors": rows}

    def kinds(self) -> list[str]:
        """Return the types of entities, relations and events."""
        return sorted(muie_facts.types_of([*self.gold, *self.told]))

    def of_type(self, kind: str) -> Sheet:
        """Return precision, recall and f1 of the facts of a type."""
        return side_by_side(*self._facts(kind))

    def _facts(self, kind: str | None) -> list[Sheet]:
        counts = muie_facts.extraction_counts(self.gold, self.told, kind)
        named = zip(muie_facts.Extraction._fields, counts, strict=True)
        return [counted(each).prefixed(f"{name}_") for name, each in named]


class _Line(MuieContent):
    """A prediction; a run over rows of several tasks may have been asked for all, or not say."""

    task: str | tuple[str, ...] | None = None

    @property
    def tasks(self) -> set[str]:
        """All tasks that it names."""
        named = self.task.split(",") if isinstance(self.task, str) else self.task or ()
        return {each.strip() for each in named}


def read_muie(gold: Sequence[MuieRow], path: Path, format_name: str | None) -> MuieAnswers:
    """Read rows, lines of ``deixis batch`` or answers (``muie``).

    Raises:
        DataError: the file does not parse, or has a sample of another task than the gold.
        SettingsError: the format is another.
    """
    by_id = {row.id: row for row in gold}
    if format_name is None:
        lines = read_rows(path, _Line)
        return MuieAnswers(gold, {line.id: _row_of(line, by_id, path) for line in lines})
    if format_name != "muie":
        raise SettingsError(
            f"--task muie takes rows, or answers with --format muie; got --format {format_name}"
        )
    answered: dict[str, MuieRow] = {}
    unreadable = 0
    for each in files.read_answers(path, format_name, gold):
        answer = muie_format.parse_answer(each.text, by_id[each.row.id].task)
        unreadable += len(answer.problems)
        answered[each.row.id] = muie_format.row_of(answer, by_id[each.row.id])
    return MuieAnswers(gold, answered, unreadable, placed=False)


def _row_of(line: _Line, gold: Mapping[str, MuieRow], path: Path) -> MuieRow:
    """Return a prediction as a row of the task that the gold has."""
    if line.id not in gold:
        raise DataError(f"{path}: the gold has no sample {line.id!r}")
    task = gold[line.id].task
    if line.tasks and task not in line.tasks:
        raise DataError(f"{path}: the sample {line.id!r} has another task than in the gold")
    row = MuieRow.model_validate({**dict(line), "task": task})
    return row if len(line.tasks) == 1 else _of_task(row)


def _of_task(row: MuieRow) -> MuieRow:
    """Return what a prediction for several tasks says of one: of the others nothing counts.

    Entities of which no type was asked are none of NER. In the other tasks they keep their
    numbers, but only ends of relations, or arguments, are anywhere.
    """
    if row.task == "ner":
        typed = tuple(entity for entity in row.entities if entity.type != UNTYPED)
        return row.model_copy(update={"entities": typed, "relations": (), "events": ()})
    if row.task == "re":
        named = {end for each in row.relations for end in (each.subject, each.object)}
    else:
        named = {part.entity for event in row.events for part in event.arguments}
    nowhere = {"regions": None, "spans": None, "track": None}
    entities = tuple(
        entity if number in named else entity.model_copy(update=nowhere)
        for number, entity in enumerate(row.entities)
    )
    left = "events" if row.task == "re" else "relations"
    return row.model_copy(update={"entities": entities, left: ()})
