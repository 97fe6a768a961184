"""The commands of ``deixis dataset`` for which models write: summaries, knowledge, thoughts.

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
from deixis.apps.prompts_cli import PromptsOption
from deixis.base.atomic import is_stdout
from deixis.errors import InputError

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


def thoughts(
    rows: RowsArgument,
    out: Annotated[
        Path, typer.Option("--out", metavar="ROWS", help="The same rows, with thoughts.")
    ],
    stack: options.StackOption = "e2e",
    role: options.RoleOption = None,
    schema: options.SchemaOption = None,
    prompts: PromptsOption = None,
    urls: options.UrlsOption = None,
    tries: Annotated[
        int, typer.Option(min=1, max=20, help="Ask so often at most, until a thought can be kept.")
    ] = 1,
    concurrency: ConcurrencyOption = None,
    budget: BudgetOption = None,
    limit: LimitOption = None,
    renew: RenewOption = False,
    progress: ProgressOption = True,
    as_json: options.JsonOption = False,
) -> None:
    """Have a strong model write the thoughts that lead to gold records (E2E-GMNER, section 4.6).

    The vlm of the stack is the teacher: --role vlm=openai:... It is given the post, the picture and
    the records. A thought is kept if the records below it are those of the gold, and it tells
    neither that they were given nor coordinates; all rows are written, those without a thought as
    they were. A thought that a row has stays, so that a second teacher fills in what the first has
    left. What was answered is in OUT.answers.jsonl, as deixis batch writes it. Run the same line
    again to go on.
    """
    from deixis.apps import batch_runs
    from deixis.apps.files import is_one_of
    from deixis.base.text_files import keep_streams
    from deixis.training.thoughts.rows import answers_of, begun, fill, rows_to_teach
    from deixis.training.thoughts.teach import GRAPH

    if is_one_of(out, [rows]) or is_stdout(out):
        raise InputError(f"{out} is what is read, or no file; give another --out")
    keep_streams(rows)
    everything, without = rows_to_teach(rows)
    settings = options.settings_of(stack, prompts, role, GRAPH, urls, schema)
    settings = settings.with_graph(GRAPH, tries=tries)
    if budget is not None:
        settings = settings.with_options(budget=parse_budget(budget))
    begin = partial(begun, settings, without, out, concurrency, limit, renew)
    run = batch_runs.perform(begin, renew=renew, progress=progress) if without else None
    counts = fill(everything, answers_of(out), out)
    if as_json:
        terminal.print_json({"run": run and asdict(run.tally), "thoughts": counts})
    else:
        if run:
            batch_runs.summarise(run, as_json=False)
        for fate, number in counts.items():
            typer.echo(f"{number:8}  {fate}", err=True)
        typer.echo(f"wrote {len(everything)} rows to {out}")
    if run and (code := batch_runs.exit_code(run)):
        raise typer.Exit(code)
