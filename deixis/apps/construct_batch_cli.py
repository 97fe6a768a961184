"""The commands of ``deixis dataset`` for which language models write: ``summarize``, ``augment``.

Each runs a batch, so that the same line again goes on; exit codes are those of ``deixis batch``.
"""

from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from deixis.apps import options, terminal
from deixis.apps.batch_cli import BudgetOption, ConcurrencyOption, RenewOption, parse_budget
from deixis.apps.construct_cli import ProgressOption, RowsArgument, extended

_UNASKED = ("entailer", "second_entailer", "vlm", "segmenter")
"""Roles that training data of expressions has no use for."""
LimitOption = Annotated[int | None, typer.Option(min=1, help="Only the first so many rows.")]


def summarize(
    rows: RowsArgument,
    out: Annotated[
        Path, typer.Option("--out", metavar="REVIEW", help="What people review; it is extended.")
    ],
    stack: options.StackOption = "mmre",
    role: options.RoleOption = None,
    urls: options.UrlsOption = None,
    concurrency: ConcurrencyOption = None,
    budget: BudgetOption = None,
    limit: LimitOption = None,
    renew: RenewOption = False,
    progress: ProgressOption = True,
) -> None:
    """Have the pictures of rows summarised, for people to review (M-MRE).

    The vlm of the stack is asked, as the graph mmre asks for its first task alone; what it answers
    is in REVIEW.answers.jsonl, as deixis batch writes it. REVIEW has a line for each summary:
    people mend "summary" (null leaves the row out) and put their names into "reviewers". Run the
    same line again to go on: what people have written stays.
    """
    from deixis.apps import batch_runs
    from deixis.base.text_files import keep_streams
    from deixis.batch.output import beside
    from deixis.batch.run import Batch
    from deixis.evaluation.construction.summaries import read_reviews

    keep_streams(rows)
    if out.exists():
        read_reviews(out)  # a slip is told before anything is asked
    settings = options.settings_of(stack, None, role, "mmre", urls)
    settings = settings.with_graph("mmre", **{**settings.graph_options, "tasks": "summary"})
    if budget is not None:
        settings = settings.with_options(budget=parse_budget(budget))
    answers = beside(out, ".answers.jsonl")
    begin = partial(
        Batch, settings, rows, answers, concurrency=concurrency, limit=limit, renew=renew
    )
    run = batch_runs.perform(begin, renew=renew, progress=progress)
    batch_runs.summarise(run, as_json=False)
    typer.echo(extended(out, rows, answers))
    if code := batch_runs.exit_code(run):
        raise typer.Exit(code)


def augment(
    rows: RowsArgument,
    out: Annotated[Path, typer.Option("--out", metavar="FOLDER", help="Folder for the files.")],
    stack: options.StackOption = "riveg",
    role: options.RoleOption = None,
    urls: options.UrlsOption = None,
    alone: Annotated[
        bool, typer.Option("--alone", help="The expander alone writes, as for dev and test.")
    ] = False,
    concurrency: ConcurrencyOption = None,
    budget: BudgetOption = None,
    limit: LimitOption = None,
    renew: RenewOption = False,
    progress: ProgressOption = True,
    as_json: options.JsonOption = False,
) -> None:
    """Have several models write knowledge and expressions for gold rows (RiVEG, table III).

    Nothing is recognized: the entities of the rows are those that the expander and the committee
    of the stack write about, and nothing is entailed, pointed at or segmented. FOLDER gets what
    they answered (results.jsonl, as deixis batch writes it) and what deixis examples augment makes
    of that. Run the same line again to go on.
    """
    from deixis.apps import batch_runs
    from deixis.apps.construct_tables import show_training
    from deixis.apps.files import check_folder
    from deixis.base.text_files import keep_streams
    from deixis.batch.run import Batch
    from deixis.evaluation.construction.augmentation import training_figures, write_training
    from deixis.formats.riveg_training import read
    from deixis.rows import read_rows

    check_folder(out)
    keep_streams(rows)
    gold = read_rows(rows)  # what is wrong with it is told before anything is asked
    settings = options.settings_of(stack, None, role, "riveg", urls)
    writes = {"augment": "alone" if alone else True}
    settings = settings.with_graph("riveg", **{**settings.graph_options, **writes})
    settings = settings.with_roles(dict.fromkeys(_UNASKED))
    if budget is not None:
        settings = settings.with_options(budget=parse_budget(budget))
    results = out / "results.jsonl"
    begin = partial(
        Batch,
        settings,
        rows,
        results,
        concurrency=concurrency,
        limit=limit,
        renew=renew,
        gold_mentions=True,
    )
    run = batch_runs.perform(begin, renew=renew, progress=progress)
    training = read(rows, results)
    write_training(out, training)
    figures = training_figures(gold, training)
    if as_json:
        terminal.print_json({"run": asdict(run.tally), **figures})
    else:
        batch_runs.summarise(run, as_json=False)
        show_training(figures, str(out))
    if code := batch_runs.exit_code(run):
        raise typer.Exit(code)
