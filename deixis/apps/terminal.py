"""The two streams of a command: results on stdout, the rest on stderr, in any encoding and width.

Loads nothing heavy, so that every command can use it.
"""

import io
import json
import os
import sys
from contextlib import suppress
from typing import Any, TextIO

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Column, Table
from rich.text import Text

from deixis.errors import InputError

out = Console(emoji=False)  # `:100:` in `rows.jsonl:100: ...` is a line number
err = Console(stderr=True, emoji=False)

_LEGIBLE = 6  # characters that a column needs whose words may be broken


def prepare() -> None:
    """Let streams replace what their encoding lacks, and keep their numbers from other files."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest number that is free
    for stream, errors in ((sys.stdout, "replace"), (sys.stderr, "backslashreplace")):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors=errors)


def is_live() -> bool:
    """Say whether somebody watches stderr, so that lines on it may change."""
    return sys.stderr is not None and sys.stderr.isatty()


def flushed(stream: TextIO | None) -> OSError | None:
    """Write out what a stream still holds; what cannot be is dropped, and the error returned."""
    if stream is None:
        return None
    try:
        stream.flush()
    except OSError as error:
        # Else Python tries once more when it ends, and says so in its own words.
        with suppress(OSError), open(os.devnull, "wb") as nowhere:
            os.dup2(nowhere.fileno(), stream.fileno())
        return error
    return None


def as_text(argument: str) -> str:
    """Return an argument that is text, whatever encoding the terminal is said to have.

    Raises:
        InputError: its bytes are no UTF-8.
    """
    try:
        argument.encode()
    except UnicodeEncodeError:
        try:
            return os.fsencode(argument).decode()
        except UnicodeError:
            raise InputError(
                "the text has bytes that are no UTF-8; give it in UTF-8, in a terminal that has "
                "that as well (LC_ALL=C.UTF-8)"
            ) from None
    return argument


def print_json(document: Any) -> None:
    """Print one JSON document; what the encoding of stdout lacks is escaped."""
    text = json.dumps(document, indent=2, ensure_ascii=False)
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    try:
        # The name of a file may have bytes that Python could not decode.
        text = text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
        plain = not encoding.lower().startswith("utf")
    except UnicodeEncodeError:
        plain = True
    # What is plain ASCII is the same in all encodings that a reader may take it for.
    typer.echo(json.dumps(json.loads(text), indent=2) if plain else text)


def line(text: str | Text, console: Console = out) -> None:
    """Print one line, a string with markup, however long: a log is not to break it."""
    console.print(text, highlight=False, soft_wrap=True)


def warn(problem: str) -> None:
    """Print a warning on stderr, in one line."""
    line(f"[yellow]warning[/] {escape(' '.join(problem.split()))}", err)


def show(table: Table) -> None:
    """Print a table; where its columns would have no room, a line for each cell instead."""
    for column in table.columns:
        column.overflow = "fold"  # what is cut off cannot be copied
    if _need(table) <= out.width:
        out.print(table)
        return
    if table.title:
        line(f"[bold]{table.title}[/]")
    for cells in zip(*(column.cells for column in table.columns), strict=True):
        for column, cell in zip(table.columns, cells, strict=True):
            name = f"{column.header}: " if column.header else ""
            for part in Text.from_markup(str(cell), emoji=False).split(allow_blank=True):
                line(Text(name) + part)
                name = "  "
        line("")


def _need(table: Table) -> int:
    """Return the width from which on every column can be read."""
    needs = [(column.ratio, _need_of(column)) for column in table.columns]
    between = (3 if table.box else 1) * len(needs)
    shared = max((-(-need // ratio) for ratio, need in needs if ratio), default=0)
    return between + sum(shared * ratio if ratio else need for ratio, need in needs)


def _need_of(column: Column) -> int:
    written = (str(cell) for cell in (column.header, *column.cells))
    cells = [Text.from_markup(cell, emoji=False) for cell in written]
    width = max(words.cell_len for cell in cells for words in cell.split() or [cell])
    return width if column.no_wrap else min(width, _LEGIBLE)
