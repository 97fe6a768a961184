"""The command line: one sample, many, data sets, scores, and what is kept and installed.

Results go to stdout, progress and warnings to stderr. Exit codes: 0 done, 1 some rows failed
or are left (or nobody reads the results any more), 2 unusable input or settings, 130 stopped.
"""

import errno
import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from rich.markup import escape
from rich.table import Table
from typer.exceptions import TyperException

from deixis import __version__
from deixis.apps import options, terminal
from deixis.apps.ablate_cli import ablate
from deixis.apps.answers_cli import read, write
from deixis.apps.batch_cli import batch, report
from deixis.apps.cache_cli import cache_app
from deixis.apps.calibrate_cli import calibrate
from deixis.apps.captions_cli import captions
from deixis.apps.compare_cli import compare
from deixis.apps.construct_batch_cli import augment, summarize, thoughts
from deixis.apps.construct_cli import agreement, masks, review, reviewed, split
from deixis.apps.dataset_cli import dataset_app
from deixis.apps.eval_cli import evaluate
from deixis.apps.examples_cli import examples_app
from deixis.apps.exchange_cli import export_results, import_corrections
from deixis.apps.folds_cli import vkel_folds
from deixis.apps.lessons_cli import export
from deixis.apps.mcp_cli import mcp
from deixis.apps.merge_cli import merge
from deixis.apps.prompts_cli import PromptsOption, prompts_app
from deixis.apps.reinforcement_cli import reinforcement
from deixis.apps.review_cli import review_results
from deixis.apps.run_cli import run
from deixis.apps.serve_cli import serve
from deixis.apps.sketches_cli import pair, sketches
from deixis.apps.topn_cli import topn
from deixis.apps.train_cli import train_app
from deixis.apps.train_parts_cli import entailer, recognizer
from deixis.errors import DeixisError

app = options.group("Name every entity in a text, and point at it in the picture.")
app.add_typer(prompts_app, name="prompts")
app.add_typer(cache_app, name="cache")
app.add_typer(dataset_app, name="dataset")
for made in (masks, agreement, summarize, review, reviewed, split, augment, thoughts):
    dataset_app.command()(made)
for each in (topn, captions, read, write, pair, sketches, export):
    dataset_app.command()(each)
app.add_typer(examples_app, name="examples")
app.add_typer(train_app, name="train")
for taught in (recognizer, entailer, vkel_folds):
    train_app.command()(taught)
app.command("run")(run)
app.command("eval")(evaluate)
app.command("compare")(compare)
app.command("reinforcement")(reinforcement)
app.command("calibrate")(calibrate)
app.command("batch")(batch)
app.command("ablate")(ablate)
app.command("merge")(merge)
app.command("mcp")(mcp)
app.command("serve")(serve)
app.command("report")(report)
app.command("review")(review_results)
app.command("export")(export_results)
app.command("import")(import_corrections)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"deixis {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Name every entity in a text, and point at it in the picture."""


@app.command()
def demo(
    out: Annotated[Path, typer.Option(help="Folder for the results.")] = Path("deixis-demo"),
    stack: options.StackOption = "starter",
    prompts: PromptsOption = None,
    role: options.RoleOption = None,
    everything: Annotated[
        bool, typer.Option("--all", help="Then sound, video, and several media at once.")
    ] = False,
) -> None:
    """Show what Deixis does on three photographs that anybody may use."""
    from deixis.apps import files
    from deixis.apps.demo import run_demo

    files.check_folder(out)
    settings = options.settings_of(stack, prompts, role)
    run_demo(out, settings, terminal.line, everything=everything)


@app.command()
def graphs(
    as_json: options.JsonOption = False,
) -> None:
    """List the graphs: what each is, needs and uses besides; and what each role brings."""
    from deixis.graphs.registry import find, names
    from deixis.settings import Roles

    systems = {name: find(name) for name in names()}
    if as_json:
        rows = [
            {
                "name": name,
                "about": system.about,
                "needs": system.needs,
                "uses": system.uses,
                "options": system.defaults(),
            }
            for name, system in systems.items()
        ]
        terminal.print_json(rows)
        return
    table = Table("graph", "what it is", "needs", "uses", "graph_options", show_lines=True)
    for name, system in systems.items():
        defaults = [f"{option}: {value}" for option, value in system.defaults().items()]
        cells = (name, system.about, *map(", ".join, (system.needs, system.uses, defaults)))
        table.add_row(*map(escape, cells))
    terminal.show(table)
    roles = Table("role", "what it brings")
    for role, field in Roles.model_fields.items():
        roles.add_row(role, escape(field.description or ""))
    terminal.show(roles)


@app.command()
def doctor(
    stack: options.StackOption = "starter",
    as_json: options.JsonOption = False,
    role: options.RoleOption = None,
    graph: options.GraphOption = None,
) -> None:
    """Say what is installed, what each role would use, and how to mend what is missing."""
    from deixis.apps.doctor import examine

    findings = examine(options.settings_of(stack, None, role, graph))
    if as_json:
        terminal.print_json([finding._asdict() for finding in findings])
    else:
        table = Table("part", "uses", "state", "what to do", title=f"stack {stack}")
        for finding in findings:
            colour = "red" if finding.fix else "green"
            state = f"[{colour}]{escape(finding.state)}[/]"
            table.add_row(finding.part, escape(finding.uses), state, escape(finding.fix))
        terminal.show(table)
    if any(finding.fix for finding in findings):
        raise typer.Exit(2)


_UNWRITTEN = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EBADF}


def main() -> None:
    """Run the command line; an error is one line on stderr, never a traceback."""
    terminal.prepare()
    try:
        code = app(prog_name="deixis", standalone_mode=False)
    except TyperException as error:
        _refuse(error)
    except DeixisError as error:
        if isinstance(error.__context__, BrokenPipeError):
            _end(1)  # as quietly as where stdout is such a pipe
        _fail(str(error))
    except KeyboardInterrupt:
        _fail("stopped", code=130)
    except MemoryError:
        _fail("there is not enough memory; give smaller pictures, or fewer at once")
    except Exception as error:
        if os.environ.get("DEIXIS_DEBUG"):
            raise
        _fail(f"{_blame(error)} (set DEIXIS_DEBUG=1 to see where)")
    raise SystemExit(code or 0)


def _refuse(error: TyperException) -> NoReturn:
    """Say in one line, as of all errors, what is wrong with the arguments."""
    if not (message := error.format_message()):
        _end(error.exit_code)  # the help was shown instead
    command = getattr(getattr(error, "ctx", None), "command_path", "deixis")
    _fail(f"{message.rstrip('.')}; see: {command} --help")


def _blame(error: Exception) -> str:
    """Say what went wrong that nobody expected: the system's fault, or ours."""
    if not isinstance(error, OSError):
        return f"a bug in Deixis, please report it: {type(error).__name__}: {error}"
    reason = error.strerror or str(error) or type(error).__name__
    if isinstance(error.filename, str | os.PathLike):
        return f"cannot use {os.fspath(error.filename)}: {reason}"
    return f"cannot {'write the output' if error.errno in _UNWRITTEN else 'go on'}: {reason}"


def _fail(message: str, code: int = 2) -> NoReturn:
    with suppress(OSError):
        typer.echo(f"Error: {' '.join(message.split())}", err=True)
    _end(code)


def _end(code: int) -> NoReturn:
    for stream in (sys.stdout, sys.stderr):
        terminal.flushed(stream)
    raise SystemExit(code)
