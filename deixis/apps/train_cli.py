"""The commands of training: ``deixis train``.

What was made goes to stdout, progress and warnings to stderr. Exit codes: 0 done, 2 unusable input
or settings, 130 stopped by Ctrl-C (the same line with --resume goes on).
"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape
from rich.table import Table

from deixis.apps import options, terminal
from deixis.apps.lessons_cli import BaseOption, OthersOption, base_of, settings_for
from deixis.apps.prompts_cli import PromptsOption

if TYPE_CHECKING:
    from deixis.training.fine_tuning.run import Trained

train_app = options.group("Train a model on rows: of a system, or one of its parts.")

SYSTEMS = ("e2e", "vkel-sketch", "vkel", "riveg-ve", "riveg-vg", "riveg-ner", "mmre", "muie")
"""The courses: what is taught."""

_HELP = """Train a model of transformers on rows: {system}.

The graph of the system asks each row what it will ask later, and the model learns to answer with
the gold: an adapter (LoRA) on its language model, or its own weights, as the recipe says. With
--dev, the graph runs over other rows after every epoch, and the best epoch is kept.
"""


def _train(
    context: typer.Context,
    rows: Annotated[Path, typer.Argument(metavar="ROWS.jsonl", help="Gold rows to learn.")],
    out: Annotated[Path, typer.Option("--out", help="Folder of the run; a new one.")],
    dev: Annotated[
        Path | None, typer.Option("--dev", help="Gold rows to be scored on after every epoch.")
    ] = None,
    recipe: Annotated[
        str | None,
        typer.Option("--recipe", metavar="NAME|FILE", help="Every number: see train recipes."),
    ] = None,
    base: BaseOption = None,
    stack: OthersOption = None,
    role: options.RoleOption = None,
    schema: options.SchemaOption = None,
    prompts: PromptsOption = None,
    urls: options.UrlsOption = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with the run that was stopped in --out.")
    ] = False,
    as_json: options.JsonOption = False,
) -> None:
    from deixis.apps import files
    from deixis.apps.train_progress import watching
    from deixis.base.text_files import keep_streams
    from deixis.training.courses import course_named
    from deixis.training.fine_tuning.processes import is_main
    from deixis.training.fine_tuning.run import Plan, train
    from deixis.training.recipes import Recipe

    system = str(context.info_name)
    files.check_folder(out)
    keep_streams(rows, dev)
    course = course_named(system)
    settings = settings_for(course, stack, prompts, role, urls, schema)
    learner = base_of(course, settings, base)
    plan = Plan(course, rows, dev, settings, learner, Recipe.load(recipe or system))
    with watching() as watcher:
        trained = train(plan, out, resume=resume, watcher=watcher)
    if is_main():
        _tell(trained, as_json)


for _name in SYSTEMS:
    train_app.command(_name, help=_HELP.format(system=_name))(_train)


def _tell(trained: "Trained", as_json: bool) -> None:
    fitted, (line,) = trained.fitted, trained.uses
    if as_json:
        best = fitted.best and fitted.best._asdict()
        document = {
            "weights": str(fitted.weights),
            "stack": str(trained.stack),
            "steps": fitted.steps,
            "loss": fitted.loss,
            **({} if fitted.reward is None else {"reward": fitted.reward}),
            "best": best,
            "next": line,
        }
        terminal.print_json(document)
        return
    scored = (
        f", best score {100 * fitted.best.score:.2f} after step {fitted.best.step}"
        if fitted.best
        else ""
    )
    typer.echo(f"{fitted.steps} steps, {fitted.figure}{scored}; wrote {fitted.weights}")
    typer.echo(f"use it: {line}")


@train_app.command("recipes")
def recipes(as_json: options.JsonOption = False) -> None:
    """List the recipes that come with Deixis, and where their numbers come from."""
    from deixis.training.recipes import Recipe, recipe_names

    known = {name: Recipe.load(name) for name in recipe_names()}
    if as_json:
        terminal.print_json({name: recipe.model_dump() for name, recipe in known.items()})
        return
    table = Table("recipe", "what for", "sources", show_lines=True)
    for name, recipe in known.items():
        table.add_row(*map(escape, (name, recipe.description, recipe.sources)))
    terminal.show(table)
