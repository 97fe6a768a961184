"""Tables 2 to 5 and figures 3 and 4 of MUIE in the terminal."""

from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import TYPE_CHECKING

from rich.markup import escape

from deixis.apps import terminal
from deixis.apps.score_tables import defined, span, table_of

if TYPE_CHECKING:
    from deixis.evaluation.muie_tables import Entry, Tables


def print_muie_tables(tables: "Tables") -> None:
    """Print the tables of the paper with REAMO's figures beside, then the data of the figures."""
    for number, cells in groupby(tables.cells, key=lambda entry: entry.table):
        terminal.line(f"[bold]Table {number}[/]" if number else "[bold]Rows of no table[/]")
        _print_cells(cells)
    _print_parts("Figure 3: media that tell the same, or each its own", tables.shared)
    _print_parts("Figure 4: rows by how many entities they have", tables.sizes)


def _print_cells(cells: "Iterable[Entry]") -> None:
    table = table_of("rows", "%", "95%", "REAMO")
    for entry in cells:
        for label, measured in entry.measures.items():
            paper = (entry.reamo or {}).get(label)
            name = " ".join((entry.inputs, entry.dataset or f"({entry.task})", label))
            said = "-" if paper is None else f"{paper:.1f}"
            figures = (defined(measured.value), span(measured), said)
            table.add_row(escape(name), str(entry.rows), *figures)
    terminal.show(table)


def _print_parts(title: str, entries: "Sequence[Entry]") -> None:
    """Print a column for each part, and a line for each measure of the same media and task."""
    terminal.line(f"[bold]{title}[/]")
    parts = sorted({str(entry.part) for entry in entries})
    table = table_of(*parts)
    for (inputs, task), group in groupby(entries, key=lambda entry: (entry.inputs, entry.task)):
        own = {str(entry.part): entry for entry in group}
        counts = [str(own[part].rows) if part in own else "0" for part in parts]
        table.add_row(escape(f"{inputs} ({task}) rows"), *counts)
        for label in next(iter(own.values())).measures:
            values = [own[part].measures[label].value if part in own else None for part in parts]
            table.add_row(escape(f"{inputs} {label}"), *map(defined, values))
    terminal.show(table)
