"""The command line of scores: ``deixis eval``, and what ``deixis compare`` shares with it.

Results go to stdout, warnings to stderr. Exit codes: 0 done, 2 unusable input or settings.
"""

from collections.abc import Collection, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer
from rich.markup import escape
from rich.table import Table

from deixis.apps import terminal

if TYPE_CHECKING:
    from deixis.evaluation.metrics.mentions import Aligned
    from deixis.evaluation.metrics.mner import Score
    from deixis.evaluation.metrics.scoring import Entry, How, Report
    from deixis.rows import Row

GoldArgument = Annotated[Path, typer.Argument(help="Gold rows, JSON Lines; - for stdin.")]
TaskOption = Annotated[
    str,
    typer.Option("--task", help="gmner, fmnerg, smner, mner, eeg, ees, fmner, mmre or muie."),
]
IouOption = Annotated[float, typer.Option("--iou", help="The IoU that a region must reach.")]
ConventionOption = Annotated[
    str,
    typer.Option("--convention", help="Count as deixis, e2e, riveg, hindex or vkel does."),
]
CoarseOption = Annotated[bool, typer.Option("--coarse", help="Compare coarse types, not fine.")]
FormatOption = Annotated[
    str | None, typer.Option("--format", help="Predictions are in: vkel, e2e, pfa, riveg, muie.")
]
RoundsOption = Annotated[int, typer.Option("--rounds", help="Draws for intervals and p.")]
SeedOption = Annotated[int, typer.Option("--seed", help="Seed of the draws.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]


def evaluate(
    gold: GoldArgument,
    predictions: Annotated[Path, typer.Argument(help="Predictions with the same ids.")],
    task: TaskOption,
    by: Annotated[
        str | None, typer.Option("--by", help="Break down by type, groundable or entities.")
    ] = None,
    iou: IouOption = 0.5,
    convention: ConventionOption = "deixis",
    coarse: CoarseOption = False,
    format_name: FormatOption = None,
    rounds: RoundsOption = 1000,
    seed: SeedOption = 0,
    wording: Annotated[
        str,
        typer.Option("--wording", help="Of mmre: plain, stemmed, sentences or characters."),
    ] = "plain",
    as_json: JsonOption = False,
) -> None:
    """Score predictions against gold, beside what calling nothing visible would score."""
    from deixis.base.text_files import keep_streams
    from deixis.evaluation.metrics import papers, scoring
    from deixis.rows import read_rows

    keep_streams(gold, predictions)
    if task in papers.FORMATS:
        found = papers.score_files(task, gold, predictions, format_name, wording)
        document = {"gold": str(gold), "predictions": str(predictions), **found}
        terminal.print_json(document) if as_json else _print_document(document)
        return
    how = how_of(task, coarse, convention, iou, rounds, seed)
    rows = read_rows(gold)
    read = read_predictions(predictions, format_name, rows)
    report = scoring.evaluate(rows, read.rows, how, by)
    read.warn(report.aligned)
    if as_json:
        terminal.print_json({"gold": str(gold), **read.document(), **report.document()})
    else:
        _print_report(report)


def how_of(task: str, coarse: bool, convention: str, iou: float, rounds: int, seed: int) -> "How":
    """Return how to score, as the options say.

    Raises:
        SettingsError: there is no such task or convention, or a number is out of range.
    """
    from deixis.evaluation.metrics import convention as conventions
    from deixis.evaluation.metrics import scoring, tasks

    return scoring.How(
        tasks.task(task, coarse), conventions.convention(convention), iou, rounds, seed
    )


def read_predictions(
    path: Path, format_name: str | None, gold: "list[Row]", kind: "type[Row] | None" = None
) -> "Predictions":
    """Read predictions: rows (of this kind), or answers to gold rows in a paper's format.

    Raises:
        DataError: a line is no row, or the answers do not fit the gold.
        InputError: the file cannot be read.
        SettingsError: there is no such format.
    """
    if format_name is None:
        from deixis.rows import Row, read_rows

        return Predictions(path, read_rows(path, kind or Row), {})
    from deixis import formats

    found = formats.read(path, format_name, gold)
    refused = {name: [each._asdict() for each in said] for name, said in found.problems.items()}
    return Predictions(path, found.rows, refused)


class Predictions(NamedTuple):
    """A file that was read; ``unreadable`` has of each id the pieces that were not."""

    path: Path
    rows: "list[Row]"
    unreadable: dict[str, list[dict[str, str]]]

    def document(self) -> dict[str, Any]:
        """Return JSON-ready data."""
        return {"predictions": str(self.path), "unreadable": self.unreadable}

    def warn(self, aligned: "Aligned") -> None:
        """Say on stderr what was odd."""
        pieces = sum(map(len, self.unreadable.values()))
        for number, problem in (
            (pieces, f"pieces of answers could not be read ({some(self.unreadable)})"),
            (
                len(aligned.missing),
                f"samples have no predictions and count as empty ({some(aligned.missing)})",
            ),
            (aligned.undecided, "predictions do not say whether they can be seen: never right"),
            (aligned.unusable, "predicted regions have no area or lack a mask: never right"),
        ):
            if number:
                terminal.warn(f"{self.path}: {number} {problem}")


def some(ids: Collection[str]) -> str:
    """Name some ids, the first five."""
    return ", ".join([*map(repr, list(ids)[:5]), *["..."][: len(ids) - 5]])


def _print_document(document: dict[str, Any]) -> None:
    """Print the scores of a task with scores of its own, one a line."""

    def show(place: str, value: Any) -> None:
        if isinstance(value, dict):
            for name, each in value.items():
                show(f"{place} {name}".strip(), each)
            return
        if isinstance(value, list):
            value = some(value) or "none"
        shown = f"{value:.4f}" if isinstance(value, float) else str(value)
        terminal.line(f"{place}: {escape(shown)}")

    show("", document)


def print_heading(how: "How", samples: int) -> None:
    """Print what is compared, and how."""
    terminal.line(
        f"[bold]{how.task.name}[/], {samples} samples; convention {how.convention.name}: "
        f"{how.describe()}"
    )


def table_of(*columns: str) -> Table:
    """Return a table with a first column that has no name."""
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column("", overflow="fold")
    for name in columns:
        table.add_column(name, justify="right", no_wrap=True)
    return table


def print_scores(entries: "Iterable[tuple[str, Entry]]", baselines: bool) -> None:
    """Print scores by name, and what calling nothing visible would score."""
    columns = ("P", "R", "F1", "95%", "right", "pred", "gold")
    table = table_of(*columns, *(("NER+None", "gold+None") if baselines else ()))
    for name, entry in entries:
        beside = (entry.names_and_none, entry.gold_and_none)
        table.add_row(
            escape(name),
            *(_percent(s) for s in (entry.score.precision, entry.score.recall, entry.score.f1)),
            f"{100 * entry.low[2]:.1f}-{100 * entry.high[2]:.1f}",
            *map(str, entry.score),
            *(_percent(each.f1) for each in beside if each),
        )
    terminal.show(table)
    if baselines:
        terminal.line(
            "NER+None, gold+None: F1 of these and of gold names and types, nothing called visible"
        )


def _percent(share: float) -> str:
    return f"{100 * share:.2f}"


def _print_report(report: "Report") -> None:
    print_heading(report.how, len(report.aligned.samples))
    print_scores([("all", report.all), *report.parts.items()], bool(report.how.task.region))
    if report.grounding and report.sweep:
        found = report.grounding
        shares = {
            **{f"Acc@{t:g}": share for t, share in found.accuracy.items()},
            "mean IoU": found.mean_iou,
            "entailment accuracy": found.entailment,
            "grounding precision@0.5": found.precision,
        }
        said = ", ".join(f"{name} {_percent(share)}" for name, share in shares.items())
        terminal.line(f"where the name is right: {said}")
        _print_sweep(report.sweep)


def _print_sweep(sweep: "dict[float, Score]") -> None:
    table = table_of(*(f"{threshold:g}" for threshold in sweep))
    table.add_row("F1 at IoU", *(_percent(each.f1) for each in sweep.values()))
    terminal.show(table)
