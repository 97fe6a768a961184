"""The command line of the cache: ``deixis cache stats``, ``list``, ``show``, ``clear``, ...

Results go to stdout, questions to stderr. Exit codes: 0 done, 2 unusable input or settings.
"""

import heapq
import sys
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from deixis.apps import options, terminal
from deixis.base.atomic import is_stdout
from deixis.base.text_files import keep_streams
from deixis.errors import InputError

if TYPE_CHECKING:
    from deixis.llms.cache.llm_cache import LlmCache, Record

cache_app = options.group("See, share and remove the stored answers of language models.")

FolderOption = Annotated[
    Path | None,
    typer.Option("--folder", help="Where the answers are; by default in the user's cache."),
]
ModelOption = Annotated[
    str | None,
    typer.Option("--model", metavar="SPEC", help="Only of this model, e.g. openai:gpt-5-mini."),
]
_SHORT = 12  # digits of a key in a list; `show` takes any number of them


def _open(folder: Path | None) -> "LlmCache":
    from deixis.llms.cache.llm_cache import LlmCache, default_folder

    return LlmCache(default_folder() if folder is None else folder)


def _when(time: datetime | None) -> str:
    return "" if time is None else time.astimezone().strftime("%Y-%m-%d %H:%M:%S")


@cache_app.command()
def stats(folder: FolderOption = None, as_json: options.JsonOption = False) -> None:
    """Say how many answers there are, of which models, and what they cost."""
    cache = _open(folder)
    totals = cache.stats()
    times = {"oldest": totals.oldest, "newest": totals.newest}
    if as_json:
        models = {spec: model._asdict() for spec, model in totals.models.items()}
        written = {name: time and time.isoformat() for name, time in times.items()}
        terminal.print_json(
            {"folder": str(cache.folder), **totals._asdict(), "models": models, **written},
        )
        return
    table = Table(title=escape(str(cache.folder)), title_justify="left")
    table.add_column("model", overflow="fold")
    for name in ("answers", "bytes", "input tokens", "output tokens"):
        table.add_column(name, justify="right")
    for spec, model in totals.models.items():
        table.add_row(escape(spec), *map(str, model))
    terminal.show(table)
    span = f", from {_when(totals.oldest)} to {_when(totals.newest)}" if totals.entries else ""
    damaged = f", {totals.damaged} damaged" if totals.damaged else ""
    terminal.line(f"{totals.entries} answers, {totals.bytes} bytes{damaged}{span}")


@cache_app.command("list")
def list_(
    model: ModelOption = None,
    limit: Annotated[int, typer.Option(min=1, help="Show so many, the newest first.")] = 20,
    folder: FolderOption = None,
    as_json: options.JsonOption = False,
) -> None:
    """List answers, the newest first."""
    newest = heapq.nlargest(limit, _open(folder).entries(model), key=lambda record: record.when)
    if as_json:
        terminal.print_json([_row(record) for record in newest])
        return
    table = Table()
    table.add_column("key", no_wrap=True, min_width=_SHORT)
    for name in ("when", "model", "tokens", "prompt", "answer"):
        table.add_column(name, overflow="fold")
    for record in newest:
        tokens = f"{record.input_tokens} + {record.output_tokens}"
        cells = (_when(record.when), record.spec, tokens, _start(record.user), _start(record.text))
        table.add_row(record.key[:_SHORT], *map(escape, cells))
    terminal.show(table)


def _row(record: "Record") -> dict[str, Any]:
    return record.model_dump(
        mode="json",
        include={"key", "when", "spec", "user", "text", "input_tokens", "output_tokens"},
    )


def _start(text: str) -> str:
    line = _printable(" ".join(text.split()))
    return line if len(line) <= 60 else line[:59] + "\N{HORIZONTAL ELLIPSIS}"


@cache_app.command()
def show(
    key: Annotated[str, typer.Argument(help="The key of an answer, or how it begins.")],
    folder: FolderOption = None,
    as_json: options.JsonOption = False,
) -> None:
    """Show one answer with its whole prompt."""
    record = _open(folder).show(key)
    if as_json:
        terminal.print_json(record.model_dump(mode="json"))
        return
    for name, value in record.model_dump(mode="json", exclude={"system", "user", "text"}).items():
        terminal.line(f"[bold]{name}[/] {escape(str(value))}")
    for name in ("system", "user", "text"):
        terminal.line(f"\n[bold]{name}[/]")
        # As it is: what a model said is neither markup nor to be wrapped.
        terminal.line(Text(_printable(getattr(record, name))))


def _printable(text: str) -> str:
    """Replace control characters, with which a text could rewrite the terminal."""
    return "".join(c if c.isprintable() or c in "\n\t" else "\ufffd" for c in text)


@cache_app.command()
def clear(
    model: ModelOption = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    folder: FolderOption = None,
    as_json: options.JsonOption = False,
) -> None:
    """Remove answers: all, or those of one model."""
    cache = _open(folder)
    if not yes:
        which = "all answers" if model is None else f"the answers of {model}"
        # Not typer.confirm, which writes a part of its question to stdout.
        typer.echo(f"Remove {which} in {cache.folder}? [y/N] ", nl=False, err=True)
        answer = sys.stdin.readline().strip().lower()
        if answer not in {"y", "yes"}:
            raise InputError("nothing was removed; answer y, or say --yes")
    removed = cache.clear(model)
    _tell(as_json, {"removed": removed}, f"removed {removed} answers")


@cache_app.command("export")
def export(
    path: Annotated[Path, typer.Argument(help="File to write, one object per line; - for stdout.")],
    folder: FolderOption = None,
    as_json: options.JsonOption = False,
) -> None:
    """Write all answers to a file that others can import; prompts are in it, keys of APIs not."""
    if as_json and is_stdout(path):
        raise InputError("the answers themselves go to stdout, as JSON Lines; leave out --json")
    written = _open(folder).export(path)
    if as_json:
        terminal.print_json({"written": written, "path": str(path)})
    else:
        typer.echo(f"wrote {written} answers to {path}", err=is_stdout(path))


@cache_app.command("import")
def import_(
    path: Annotated[Path, typer.Argument(help="File that was exported; - for stdin.")],
    folder: FolderOption = None,
    as_json: options.JsonOption = False,
) -> None:
    """Take the answers of an exported file; answers that are newer here stay."""
    keep_streams(path)
    done = _open(folder).import_(path)
    words = f"took {done.taken} answers, kept {done.kept} that were here or newer"
    _tell(as_json, done._asdict(), words)


def _tell(as_json: bool, document: dict[str, Any], words: str) -> None:
    terminal.print_json(document) if as_json else terminal.line(words)
