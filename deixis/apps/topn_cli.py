"""The command line of what a detector can reach: ``deixis dataset topn``.

Results go to stdout, progress and failures to stderr. Exit codes: 0 done, 1 some pictures could not
be used, 2 unusable input or settings.
"""

from typing import Annotated

import typer
from rich.markup import escape

from deixis.apps import options, score_options, terminal
from deixis.apps.construct_cli import ProgressOption, RowsArgument
from deixis.apps.score_tables import defined, span, table_of

_SHOWN = 20


def topn(
    gold: RowsArgument,
    stack: options.StackOption = "starter",
    role: options.RoleOption = None,
    urls: options.UrlsOption = None,
    top: Annotated[
        list[int] | None,
        typer.Option("--top", help="How many boxes; repeat for more.", show_default="2 5 10 15 20"),
    ] = None,
    iou: Annotated[float, typer.Option("--iou", help="The IoU that is enough.")] = 0.5,
    rounds: Annotated[int, typer.Option("--rounds", min=1, help="Draws for intervals.")] = 1000,
    seed: score_options.SeedOption = 0,
    progress: ProgressOption = True,
    as_json: options.JsonOption = False,
) -> None:
    """Say what the detector of a stack can reach: TopN-Prec@0.5 (RiVEG and VKEL, table I).

    The share of the gold mentions that can be seen of which one of the detector's N surest boxes
    has this IoU with a gold one. Rows need pictures; nobody else of the stack is asked.
    """
    from deixis.apps import console, weights
    from deixis.base.text_files import keep_streams
    from deixis.evaluation.topn import TOPS, detector_of, top_hits

    keep_streams(gold)
    toolbox = detector_of(options.settings_of(stack, None, role, urls=urls))
    weights.fetch(toolbox, shown=progress)
    with console.progress(shown=progress) as bar:
        task = bar.add_task("objects", at="")

        def tell(done: int, rows: int) -> None:
            bar.update(task, completed=done, total=rows)

        found = top_hits(toolbox, gold, top or TOPS, iou, tell)
    for problem in found.failed[:_SHOWN]:
        terminal.warn(f"{gold}:{problem.line}: {problem.id!r}: {problem.error}")
    if len(found.failed) > _SHOWN:
        terminal.warn(f"{len(found.failed)} rows could not be looked at; {_SHOWN} are shown")
    if as_json:
        about = {"gold": str(gold), "detector": toolbox.settings.roles.detector, "iou": iou}
        terminal.print_json({**about, **found.document(rounds, seed)})
    else:
        terminal.line(
            f"[bold]TopN-Prec@{iou:g}[/] of {escape(str(toolbox.settings.roles.detector))}: "
            f"{found.mentions} mentions that can be seen, {found.objects} objects in "
            f"{found.pictures} pictures"
        )
        table = table_of("%", "95%")
        for name, each in found.measured(rounds, seed):
            table.add_row(name, defined(each.value), span(each))
        terminal.show(table)
    if found.failed:
        raise typer.Exit(1)
