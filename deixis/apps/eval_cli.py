"""The command line of scores: ``deixis eval``.

Results go to stdout, warnings to stderr. Exit codes: 0 done, 2 unusable input or settings.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape

from deixis.apps import options, terminal
from deixis.apps.score_tables import percent, print_heading, print_scores, table_of

if TYPE_CHECKING:
    from deixis.evaluation.metrics.mner import Score
    from deixis.evaluation.metrics.scoring import Report


def evaluate(
    gold: Annotated[Path, typer.Argument(help="Gold rows, JSON Lines; - for stdin.")],
    predictions: Annotated[Path, typer.Argument(help="Predictions with the same ids.")],
    task: Annotated[
        str,
        typer.Option("--task", help="gmner, fmnerg, smner, mner, eeg, ees, fmner, mmre or muie."),
    ],
    by: Annotated[
        str | None, typer.Option("--by", help="Break down by type, groundable or entities.")
    ] = None,
    iou: options.IouOption = 0.5,
    convention: options.ConventionOption = "deixis",
    coarse: options.CoarseOption = False,
    format_name: options.FormatOption = None,
    rounds: options.RoundsOption = 1000,
    seed: options.SeedOption = 0,
    wording: Annotated[
        str,
        typer.Option("--wording", help="Of mmre: plain, stemmed, sentences or characters."),
    ] = "plain",
    as_json: options.JsonOption = False,
) -> None:
    """Score predictions against gold, beside what calling nothing visible would score."""
    from deixis.base.text_files import keep_streams
    from deixis.evaluation.metrics import papers, scoring
    from deixis.evaluation.predictions import read_predictions
    from deixis.rows import read_rows

    keep_streams(gold, predictions)
    if task in papers.PAPERS:
        scores = papers.score_files(task, gold, predictions, format_name, wording)
        document = {"gold": str(gold), "predictions": str(predictions), **scores}
        terminal.print_json(document) if as_json else _print_document(document)
        return
    how = scoring.How.named(task, convention, coarse, threshold=iou, rounds=rounds, seed=seed)
    rows = read_rows(gold)
    read = read_predictions(predictions, format_name, rows)
    report = scoring.evaluate(rows, read.rows, how, by)
    for oddity in read.oddities(report.aligned):
        terminal.warn(oddity)
    if as_json:
        terminal.print_json({"gold": str(gold), **read.document(), **report.document()})
    else:
        _print_report(report)


def _print_document(document: dict[str, Any]) -> None:
    """Print the scores of a task with scores of its own, one per line."""
    from deixis.evaluation.predictions import some

    def show(place: str, value: Any) -> None:
        if isinstance(value, dict):
            for name, inner in value.items():
                show(f"{place} {name}".strip(), inner)
            return
        if isinstance(value, list):
            value = some(value) or "none"
        shown = f"{value:.4f}" if isinstance(value, float) else str(value)
        terminal.line(f"{place}: {escape(shown)}")

    show("", document)


def _print_report(report: "Report") -> None:
    print_heading(report.how, len(report.aligned.samples))
    print_scores([("all", report.all), *report.parts.items()], bool(report.how.task.region))
    if report.grounding and report.sweep:
        grounding = report.grounding
        shares = {
            **{f"Acc@{t:g}": share for t, share in grounding.accuracy.items()},
            "mean IoU": grounding.mean_iou,
            "entailment accuracy": grounding.entailment,
            "grounding precision@0.5": grounding.precision,
        }
        figures = ", ".join(f"{name} {percent(share)}" for name, share in shares.items())
        terminal.line(f"where the name is right: {figures}")
        _print_sweep(report.sweep)


def _print_sweep(sweep: "dict[float, Score]") -> None:
    table = table_of(*(f"{threshold:g}" for threshold in sweep))
    table.add_row("F1 at IoU", *(percent(score.f1) for score in sweep.values()))
    terminal.show(table)
