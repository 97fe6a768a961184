"""The command line of scores: ``deixis eval``.

Results go to stdout, warnings to stderr. Exit codes: 0 done, 2 unusable input or settings.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from deixis.apps import options, score_options, terminal
from deixis.apps.score_tables import (
    defined,
    percent,
    print_heading,
    print_measures,
    print_scores,
    table_of,
)
from deixis.errors import InputError

if TYPE_CHECKING:
    from deixis.evaluation.metrics.scoring import How, Report
    from deixis.evaluation.runs import Averaged

_ROUNDS = 1000


def evaluate(
    gold: Annotated[Path, typer.Argument(help="Gold rows, JSON Lines; - for stdin.")],
    predictions: Annotated[
        list[Path],
        typer.Argument(
            help="Predictions with the same ids. Several files are runs of one system (with other "
            "seeds) over the same rows: their mean and standard deviation are printed."
        ),
    ],
    task: score_options.TaskOption,
    by: Annotated[
        str | None,
        typer.Option(
            "--by",
            help="Break down by type, groundable or entities; muie by dataset, input or aligned.",
        ),
    ] = None,
    iou: score_options.IouOption = None,
    convention: score_options.ConventionOption = None,
    coarse: score_options.CoarseOption = False,
    format_name: options.FormatOption = None,
    rounds: Annotated[
        int | None,
        typer.Option("--rounds", help="Draws for intervals.", show_default=str(_ROUNDS)),
    ] = None,
    seed: score_options.SeedOption = 0,
    wording: score_options.WordingOption = None,
    tables: Annotated[
        bool, typer.Option("--tables", help="Of muie: tables 2 to 5, figures 3 and 4 of the paper.")
    ] = False,
    some: Annotated[
        bool,
        typer.Option("--some", help="GOLD has some of the rows: predictions of others are left."),
    ] = False,
    as_json: options.JsonOption = False,
) -> None:
    """Score predictions against gold, beside what calling nothing visible would score."""
    from deixis.base.text_files import keep_streams
    from deixis.evaluation.metrics.scoring import check_breakdown

    keep_streams(gold, *predictions)
    how = score_options.how_of(
        task,
        iou=iou,
        convention=convention,
        coarse=coarse,
        wording=wording,
        rounds=_ROUNDS if rounds is None else rounds,
        seed=seed,
    )
    check_breakdown(how.task, by)
    if some and (how.task.kind != "mentions" or len(predictions) > 1 or format_name is not None):
        raise InputError("--some is for one file of rows, of a task that finds mentions")
    if tables:
        if how.task.kind != "muie" or by is not None or len(predictions) > 1:
            raise InputError("--tables is for one file of --task muie, without --by")
        _tabulate(gold, predictions[0], how, format_name, as_json)
    elif len(predictions) > 1:
        if rounds is not None:
            raise InputError("--rounds is for intervals, and runs are averaged without; leave it")
        _average(gold, predictions, how, by, format_name, as_json)
    elif how.task.kind == "mentions":
        _report(gold, predictions[0], how, by, format_name, as_json, some)
    else:
        _measure(gold, predictions[0], how, by, format_name, as_json)


def _report(
    gold: Path,
    path: Path,
    how: "How",
    by: str | None,
    format_name: str | None,
    as_json: bool,
    some: bool,
) -> None:
    """Score mentions that were found, with baselines and a sweep."""
    from deixis.evaluation.metrics.scoring import evaluate as evaluated
    from deixis.evaluation.scored import read_gold, read_mentions

    rows = read_gold(gold, how)
    read = read_mentions(rows, path, how, format_name, some)
    report = evaluated(rows, read.rows, how, by)
    for oddity in read.oddities(report.aligned):
        terminal.warn(oddity)
    if as_json:
        terminal.print_json({"gold": str(gold), **read.document(), **report.document()})
    else:
        _print_report(report)


def _measure(
    gold: Path, path: Path, how: "How", by: str | None, format_name: str | None, as_json: bool
) -> None:
    """Score by a task's own measures."""
    from deixis.evaluation.scored import read_gold, score_file

    scored = score_file(read_gold(gold, how), path, how, by, format_name)
    for oddity in scored.oddities:
        terminal.warn(oddity)
    if as_json:
        terminal.print_json({"gold": str(gold), **how.document(), **scored.document()})
        return
    print_heading(how, len(scored.ids))
    print_measures(scored.measured())
    for name, value in scored.about.items():
        if name != "rows_with_errors":  # which are many: they are in the document
            terminal.line(escape(f"{name.replace('_', ' ')}: {_said(value)}"))


def _tabulate(gold: Path, path: Path, how: "How", format_name: str | None, as_json: bool) -> None:
    """Print the tables of the paper of MUIE."""
    from deixis.apps.muie_tables import print_muie_tables
    from deixis.evaluation.muie_tables import tables_of
    from deixis.evaluation.scored import read_gold, score_file
    from deixis.formats.muie_rows import MuieRow

    rows = [row for row in read_gold(gold, how) if isinstance(row, MuieRow)]
    scored = score_file(rows, path, how, None, format_name)
    tables = tables_of(rows, scored.sheet, how)
    for oddity in scored.oddities:
        terminal.warn(oddity)
    if as_json:
        files = {"gold": str(gold), "predictions": str(path), "missing": list(scored.missing)}
        terminal.print_json({**files, "rounds": how.rounds, "seed": how.seed, **tables.document()})
        return
    print_heading(how, len(rows))
    print_muie_tables(tables)


def _said(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name.replace('_', ' ')} {number}" for name, number in value.items())
    return "; ".join(value) if isinstance(value, list) else str(value)


def _average(
    gold: Path,
    paths: list[Path],
    how: "How",
    by: str | None,
    format_name: str | None,
    as_json: bool,
) -> None:
    """Average several runs over the same rows."""
    from deixis.evaluation.runs import average
    from deixis.evaluation.scored import read_gold, score_file

    rows = read_gold(gold, how)
    averaged = average([score_file(rows, path, how, by, format_name) for path in paths])
    for oddity in averaged.oddities():
        terminal.warn(oddity)
    if as_json:
        terminal.print_json({"gold": str(gold), **how.document(), **averaged.document()})
    else:
        _print_averaged(averaged, how)


def _print_averaged(averaged: "Averaged", how: "How") -> None:
    print_heading(how, len(averaged.runs[0].ids))
    for number, run in enumerate(averaged.runs, start=1):
        terminal.line(escape(f"run {number}: {run.path}"))
    table = table_of("mean", "deviation", *(f"run {n + 1}" for n in range(len(averaged.runs))))
    for part, measures in averaged.parts.items():
        for name, each in measures.items():
            title = name if part == "all" else f"{part} {name}"
            figures = (each.mean, each.deviation, *each.values)
            table.add_row(escape(title), *map(defined, figures))
    terminal.show(table)


def _print_report(report: "Report") -> None:
    print_heading(report.how, len(report.aligned.samples))
    print_scores([("all", report.all), *report.parts.items()], bool(report.how.task.region))
    if report.grounding:
        grounding = report.grounding
        shares = {
            **{f"Acc@{t:g}": share for t, share in grounding.accuracy.items()},
            "mean IoU": grounding.mean_iou,
            "entailment accuracy": grounding.entailment,
            "grounding precision@0.5": grounding.precision,
        }
        figures = ", ".join(f"{name} {percent(share)}" for name, share in shares.items())
        terminal.line(f"where the name is right: {figures}")
        _print_sweeps(report)


def _print_sweeps(report: "Report") -> None:
    """Print F1 at each IoU, of all mentions and of each part (VKEL, table IX)."""
    table = table_of(*(f"{threshold:g}" for threshold in report.all.sweep or ()))
    for name, entry in {"F1 at IoU": report.all, **report.parts}.items():
        sweep = entry.sweep or {}
        table.add_row(escape(name), *(percent(score.f1) for score in sweep.values()))
    terminal.show(table)
