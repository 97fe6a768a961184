"""The command line of the prompts: ``deixis prompts list``, ``show``, ``diff``, ``render``.

Results go to stdout, remarks to stderr. Exit codes: 0 done, 2 unusable input or settings.
"""

import difflib
import io
import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from deixis.apps import options, terminal
from deixis.errors import InputError

prompts_app = options.group("See what the agents say, and what your own folder of prompts changes.")

PromptsOption = Annotated[
    Path | None,
    typer.Option("--prompts", metavar="DIR", help="Folder of prompts that replace ours."),
]
NameArgument = Annotated[str, typer.Argument(metavar="NAME", help="Name of a prompt.")]


@prompts_app.command("list")
def list_(
    prompts: PromptsOption = None,
    as_json: options.JsonOption = False,
) -> None:
    """List the prompts: name, version, variables, and the file that is used."""
    from deixis.prompts import names, overrides, read

    own = overrides(prompts)
    files = [read(name, prompts) for name in names()]
    if as_json:
        rows = [
            {
                "name": file.name,
                "version": file.version,
                "variables": file.variables,
                "source": "yours" if file.name in own else "deixis",
                "path": str(file.path),
            }
            for file in files
        ]
        terminal.print_json(rows)
        return
    from rich.markup import escape
    from rich.table import Table

    table = Table("name", "version")
    for column in ("variables", "from", "file"):
        table.add_column(column, overflow="fold")
    for file in files:
        source = "yours" if file.name in own else "deixis"
        shipped = read(file.name)
        if file.version == shipped.version and _text(file.path) != _text(shipped.path):
            source += ", changed; raise its version"
        cells = (file.name, str(file.version), ", ".join(file.variables), source, str(file.path))
        table.add_row(*map(escape, cells))
    terminal.show(table)


@prompts_app.command()
def show(name: NameArgument, prompts: PromptsOption = None) -> None:
    """Print the file of a prompt as it is, for a copy to edit."""
    from deixis.prompts import find

    text = _text(find(name, prompts))
    # A copy is the same file, whatever encoding the terminal has.
    typer.echo(text if sys.stdout.isatty() else text.encode(), nl=False)


@prompts_app.command()
def diff(
    name: Annotated[
        str | None, typer.Argument(metavar="[NAME]", help="Name of a prompt; all by default.")
    ] = None,
    prompts: PromptsOption = None,
) -> None:
    """Print what your folder changes of the prompts that come with Deixis."""
    from deixis.prompts import find, names, overrides

    if prompts is None:
        raise InputError("there is nothing to compare with; name your folder with --prompts DIR")
    own = overrides(prompts)
    printed = False
    for prompt in names() if name is None else [name]:
        shipped = find(prompt)
        lines = difflib.unified_diff(
            io.StringIO(_text(shipped)).readlines(),
            io.StringIO(_text(own.get(prompt, shipped))).readlines(),
            f"deixis/prompts/{prompt}.md",
            str(own.get(prompt, shipped)),
        )
        for line in lines:
            printed = True
            end = "" if line.endswith("\n") else "\n\\ No newline at end of file\n"
            typer.echo(line + end, nl=False)
    if not printed:
        typer.echo("nothing differs", err=True)


@prompts_app.command()
def render(
    name: NameArgument,
    text: Annotated[str | None, typer.Option(help="Text of a post, as the prompt's text.")] = None,
    var: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=VALUE", help="A variable; JSON for a list or an object."),
    ] = None,
    prompts: PromptsOption = None,
) -> None:
    """Print what a model would be told; what you do not give is filled in by an example."""
    from deixis.prompts import example, find
    from deixis.prompts import render as fill_in

    find(name, prompts)
    variables = example(name)
    given = [terminal.as_text(pair).partition("=") for pair in var or []]
    if text is not None and "posts" in variables:
        variables["posts"][0]["text"] = terminal.as_text(text)
    elif text is not None:
        given.append(("text", "=", terminal.as_text(text)))
    for key, equals, value in given:
        if key not in variables or not equals:
            raise InputError(
                f"prompt {name} takes NAME=VALUE for {', '.join(variables)}; got {key + equals!r}"
            )
        variables[key] = value if isinstance(variables[key], str) else _json(key, value)
    prompt = fill_in(name, prompts, **variables)
    for title, part in (("System", prompt.system), ("User", prompt.user)):
        typer.echo(f"# {title}\n{part}")


def _json(key: str, value: str) -> Any:
    try:
        return json.loads(value)
    except (ValueError, RecursionError) as error:
        raise InputError(f"the value of {key} is no JSON: {error}") from None


def _text(path: Path) -> str:
    """Read a file with the ends of lines as they are, whatever is wrong with its contents."""
    try:
        return path.read_bytes().decode("utf-8", "replace")
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}") from None
