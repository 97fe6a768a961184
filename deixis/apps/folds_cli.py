"""The command line of predictions out of fold: ``deixis train vkel-folds``.

What was made goes to stdout, progress and warnings to stderr. Exit codes: 0 done, 2 unusable input
or settings, 130 stopped by Ctrl-C (the same line goes on).
"""

from pathlib import Path
from typing import Annotated

import typer

from deixis.apps import options
from deixis.apps.prompts_cli import PromptsOption


def vkel_folds(
    rows: Annotated[Path, typer.Argument(metavar="ROWS", help="Gold rows, JSON Lines.")],
    base: Annotated[
        str, typer.Option("--base", metavar="MODEL", help="As of deixis train vkel-sketch.")
    ],
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Folder for all of it.")],
    folds: Annotated[int, typer.Option(min=2, help="How many models are trained.")] = 5,
    seed: Annotated[int, typer.Option(help="Of who is in which fold.")] = 0,
    also: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Rows that all learn, such as those of dataset pair."),
    ] = None,
    recipe: Annotated[
        str, typer.Option("--recipe", metavar="NAME|FILE", help="Every number.")
    ] = "vkel-sketch",
    stack: Annotated[
        str, typer.Option("--stack", metavar="NAME|FILE", help="Types and options.")
    ] = "vkel",
    schema: options.SchemaOption = None,
    prompts: PromptsOption = None,
) -> None:
    """Predict all rows by first stages of VKEL, each by one that did not learn it.

    DIR/predictions.jsonl is for deixis dataset sketches --from: so the second stage is shown the
    mistakes that it will meet. Rows of one text are in one fold. The same line again goes on after
    a stop.
    """
    import gc
    from functools import partial

    from deixis.apps import batch_runs, files
    from deixis.apps.train_progress import watching
    from deixis.base.text_files import keep_streams
    from deixis.batch.run import Batch
    from deixis.settings import Settings
    from deixis.training.courses import course_named
    from deixis.training.fine_tuning.run import Plan, train
    from deixis.training.fine_tuning.run_folder import STACK, VERSIONS
    from deixis.training.folds import out_of_fold
    from deixis.training.recipes import Recipe

    files.check_folder(out)
    keep_streams(rows, also)
    settings = options.settings_of(stack, prompts, None, schema=schema)
    numbers = Recipe.load(recipe)

    def learn(learned: Path, run: Path) -> Path:
        if not (run / STACK).is_file():  # what a run writes last but its card
            typer.echo(f"{run.parent.name} of {folds}: {run}", err=True)
            plan = Plan(course_named("vkel-sketch"), learned, None, settings, base, numbers)
            with watching() as watcher:
                train(plan, run, resume=(run / VERSIONS).is_file(), watcher=watcher)
            gc.collect()  # a trainer and its model hold each other, and the next needs the memory
        return run / STACK

    def predict(trained: Path, held: Path, results: Path) -> None:
        begin = partial(Batch, Settings.load(trained), held, results)
        batch_runs.perform(begin, renew=False, progress=True)

    predictions = out_of_fold(rows, out, folds, seed, learn, predict, also)
    typer.echo(f"wrote {predictions}; next: deixis dataset sketches {rows} --from {predictions}")
