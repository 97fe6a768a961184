"""The commands of training: ``deixis train``.

What was made goes to stdout, progress and warnings to stderr. Exit codes: 0 done, 2 unusable input
or settings, 130 stopped by Ctrl-C (the same line with --resume goes on).
"""

from rich.markup import escape
from rich.table import Table

from deixis.apps import options, terminal

train_app = options.group("Train a model on rows: of a system, or one of its parts.")


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
