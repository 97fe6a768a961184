"""Rows with thoughts: what a batch asks of the graph `teach`, and what becomes of its answers."""

from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

from pydantic import BaseModel, ValidationError

from deixis.base.folding import without_entities
from deixis.base.json_lines import parsed
from deixis.base.text_files import lines_of
from deixis.batch.output import beside, check_place
from deixis.batch.row import Problem
from deixis.batch.run import Batch
from deixis.errors import DataError
from deixis.evaluation.construction.samples import Sample, all_samples, write_samples
from deixis.llms.answers.reading import Text, read
from deixis.rows import RowId
from deixis.settings import Settings
from deixis.training.thoughts.teach import NOT_KEPT, STEP, thought_in

THOUGHT = "thought"
"""The key of a row that has its thought."""
KEPT, BEFORE, UNASKED = "kept", "had one before", "not asked yet, or failed"


class _Warning(BaseModel):
    step: str
    message: str


class _Reply(BaseModel):
    text: str


class _Taught(BaseModel):
    """What is read of a line of the batch."""

    id: RowId
    replies: list[_Reply]
    warnings: list[_Warning]

    @property
    def why_not(self) -> str:
        """Why no thought is kept; "" if one is."""
        why = (each.message for each in self.warnings if each.step == STEP)
        return next((one.removeprefix(NOT_KEPT) for one in why if one.startswith(NOT_KEPT)), "")

    @property
    def thought(self) -> str:
        """The thought of the last reply."""
        return thought_in(without_entities(read(self.replies[-1].text, Text).text))


def rows_to_teach(rows: Path) -> tuple[list[Sample], list[Sample]]:
    """Return all rows of a file, and those of them that have no thought.

    Raises:
        DataError: a line is no row, or its thought is no text.
        InputError: the file cannot be read.
    """
    everything = all_samples(rows)
    for sample in everything:
        thought = sample.data.get(THOUGHT)
        if thought is not None and (not isinstance(thought, str) or not thought.strip()):
            raise DataError(f"{rows}:{sample.line}: {THOUGHT} has to be a text or null")
    return everything, [each for each in everything if each.data.get(THOUGHT) is None]


def answers_of(out: Path) -> Path:
    """Return the file of what the teacher has answered, beside the rows with thoughts."""
    return beside(out, ".answers.jsonl")


def begun(
    settings: Settings,
    without: Sequence[Sample],
    out: Path,
    concurrency: int | None,
    limit: int | None,
    renew: bool,
    report: Callable[[Problem], None],
) -> Batch:
    """Return the batch that asks the teacher; what is asked lies beside its answers.

    Args:
        settings: for the graph `teach`.
        without: the rows that have no thought.
        out: the file of rows with thoughts.
        concurrency: posts that are asked of at once.
        limit: only the first so many rows.
        renew: whether rows are asked of again that have changed.
        report: is told of every row that is wrong.

    Raises:
        InputError, DataError, SettingsError: as `Batch`.
    """
    asked = beside(out, ".asked.jsonl")
    check_place(answers_of(out), asked)
    write_samples(asked, without)
    return Batch(
        settings,
        asked,
        answers_of(out),
        concurrency=concurrency,
        limit=limit,
        gold_mentions=True,
        renew=renew,
        report=report,
    )


def fill(everything: Sequence[Sample], answers: Path, out: Path) -> dict[str, int]:
    """Write all rows, with the thoughts that can be kept; return how many have which fate.

    Args:
        everything: the rows; a thought that one has stays.
        answers: what the batch has written; it need not be there if nothing was asked.
        out: the file of rows, written whole.

    Raises:
        DataError: the answers are none.
        InputError: a file cannot be read or written.
    """
    taught = _read(answers) if answers.exists() else {}
    counts: Counter[str] = Counter()
    chosen = []
    for sample in everything:
        found = taught.get(sample.row.id)
        thought = None
        if sample.data.get(THOUGHT) is not None:
            fate, thought = BEFORE, sample.data[THOUGHT]
        elif found is None:
            fate = UNASKED
        elif not (fate := found.why_not):
            fate, thought = KEPT, found.thought
        counts[fate] += 1
        data = {key: value for key, value in sample.data.items() if key != THOUGHT}
        chosen.append(sample._replace(data={**data, THOUGHT: thought} if thought else data))
    write_samples(out, chosen)
    return dict(counts.most_common())


def _read(answers: Path) -> dict[str, _Taught]:
    found = {}
    for number, line in lines_of(answers):
        try:
            taught = _Taught.model_validate(parsed(line))
        except (ValidationError, ValueError):
            raise DataError(f"{answers}:{number}: no line of a batch of thoughts") from None
        found[taught.id] = taught
    return found
