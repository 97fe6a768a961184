"""The command line of ablations: ``deixis ablate``.

The table goes to stdout, progress and what is wrong to stderr. Exit codes: 0 all variants are
finished, 1 rows failed or are left, 2 unusable input or settings, 130 stopped by Ctrl-C.
"""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape

from deixis.apps import batch_runs, options, terminal
from deixis.apps.batch_cli import BudgetOption, ConcurrencyOption, RenewOption, parse_budget
from deixis.apps.score_tables import table_of
from deixis.errors import SettingsError

if TYPE_CHECKING:
    from deixis.batch.tally import Tally
    from deixis.evaluation.ablations.checks import Checked
    from deixis.evaluation.ablations.table import Progress, Table
    from deixis.settings import Budget

StackOption = Annotated[
    str | None,
    typer.Option("--stack", metavar="NAME|FILE", help="Models to use in the place of the plan's."),
]


def ablate(
    plan: Annotated[Path, typer.Argument(metavar="PLAN.yaml", help="Variants, and what to score.")],
    out: Annotated[
        Path, typer.Option("--out", help="Folder of results and tables; an old one is continued.")
    ],
    gold: Annotated[
        Path | None, typer.Option(help="Labelled rows in the place of the plan's.")
    ] = None,
    stack: StackOption = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Only the first so many rows.")] = None,
    budget: BudgetOption = None,
    concurrency: ConcurrencyOption = None,
    renew: RenewOption = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only check the plan, and say what would be run.")
    ] = False,
    progress: Annotated[bool, typer.Option(help="Show on stderr how far it is.")] = True,
    as_json: options.JsonOption = False,
) -> None:
    """Run variants of a system on the same rows, and put their scores into one table."""
    from deixis.apps import files
    from deixis.base.text_files import keep_streams
    from deixis.evaluation.ablations.checks import check_plan
    from deixis.evaluation.ablations.table import check_results, tabulate

    left = None if budget is None else parse_budget(budget)
    files.check_folder(out)
    keep_streams(gold)
    checked = check_plan(plan, gold, stack=stack, limit=limit)
    if dry_run:
        _say_what_would_run(checked, as_json)
        return
    if checked.lacking:
        raise SettingsError(f"{plan}: {'; '.join(checked.lacking)}")
    check_results(checked, out)
    done, code = _perform(checked, out, left, progress, concurrency=concurrency, renew=renew)
    table = tabulate(checked, out, done)
    _write(table, out)
    if as_json:
        about = {"plan": str(plan), "gold": str(checked.gold), "out": str(out)}
        terminal.print_json({**about, **table.document()})
    else:
        _print(table)
    if code:
        raise typer.Exit(code)


def _say_what_would_run(checked: "Checked", as_json: bool) -> None:
    if as_json:
        terminal.print_json(checked.document())
        return
    table = table_of("rows", "what differs from the first")
    for run in checked.runs:
        differs = ", ".join(f"{name}: {value}" for name, value in checked.differs(run).items())
        table.add_row(escape(run.title), str(checked.rows_of(run)), escape(differs or "nothing"))
    terminal.show(table)
    for each in checked.lacking:
        terminal.warn(each)


def _perform(
    checked: "Checked", out: Path, left: "Budget | None", progress: bool, **how: Any
) -> "tuple[dict[str, Progress], int]":
    """Run one variant after the other; return how far each run is, and the exit code.

    Args:
        checked: the plan.
        out: folder of the results.
        left: the budget for all of them together.
        progress: whether to show how far it is.
        how: concurrency and renew, as for `Batch`.
    """
    from deixis.batch.run import Batch
    from deixis.evaluation.ablations.table import Progress

    done: dict[str, Progress] = {}
    code = 0
    for number, run in enumerate(checked.runs, start=1):
        settings = run.settings if left is None else run.settings.with_options(budget=left)
        if progress:
            typer.echo(f"variant {number} of {len(checked.runs)}: {run.title}", err=True)
        own = {"limit": run.limit, "gold_mentions": run.gold_mentions, **how}
        begin = partial(Batch, settings, checked.gold, out / run.file, **own)
        batch = batch_runs.perform(begin, renew=how["renew"], progress=progress)
        tally = batch.tally
        done[run.file] = Progress(tally.rows, tally.left, tally.failed)
        code = max(code, batch_runs.exit_code(batch))
        left = left and _rest(left, tally)
        if tally.stopped:
            typer.echo(_STOPPED[tally.stopped].format(run.title), err=True)
            break
    return done, code


_STOPPED = {
    "budget": "the budget is used up in {}: run the same line with a larger --budget to go on",
    "interrupted": "stopped in {}: run the same line to go on",
}


def _rest(budget: "Budget", tally: "Tally") -> "Budget":
    """Return what a run has left of a budget."""
    used = {"calls": tally.calls, "tokens": tally.input_tokens + tally.output_tokens}
    left = {n: None if most is None else max(most - used[n], 0) for n, most in budget}
    return budget.model_copy(update=left)


def _write(table: "Table", out: Path) -> None:
    from deixis.apps import files
    from deixis.evaluation.ablations import written

    texts = {
        "table.md": written.markdown(table),
        "table.csv": written.comma_separated(table),
        "table.tex": written.latex(table),
    }
    for name, text in texts.items():
        typer.echo(f"wrote {files.write(out / name, text.encode())}", err=True)


def _print(table: "Table") -> None:
    from deixis.evaluation.ablations.written import cells, headings

    shown = table_of(*headings(table)[1:])
    for row in cells(table):
        shown.add_row(*map(escape, row))
    terminal.show(shown)
    for note in table.notes:
        terminal.line(escape(note))
