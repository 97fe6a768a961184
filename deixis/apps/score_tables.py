"""Scores as tables, as ``deixis eval`` and ``deixis compare`` print them."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from rich.markup import escape
from rich.table import Table

from deixis.apps import terminal

if TYPE_CHECKING:
    from deixis.evaluation.metrics.scoring import Entry, How


def print_heading(how: "How", samples: int) -> None:
    """Print what is compared, and how."""
    terminal.line(
        f"[bold]{how.task.name}[/], {samples} samples; convention {how.convention.name}: "
        f"{how.describe()}"
    )


def table_of(*columns: str) -> Table:
    """Return a table with a first column that has no name."""
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column("", overflow="fold")
    for name in columns:
        table.add_column(name, justify="right", no_wrap=True)
    return table


def print_scores(entries: "Iterable[tuple[str, Entry]]", baselines: bool) -> None:
    """Print scores by name, and what calling nothing visible would score."""
    columns = ("P", "R", "F1", "95%", "right", "pred", "gold")
    table = table_of(*columns, *(("NER+None", "gold+None") if baselines else ()))
    for name, entry in entries:
        beside = (entry.names_and_none, entry.gold_and_none)
        table.add_row(
            escape(name),
            *(percent(s) for s in (entry.score.precision, entry.score.recall, entry.score.f1)),
            f"{100 * entry.low[2]:.1f}-{100 * entry.high[2]:.1f}",
            *map(str, entry.score),
            *(percent(baseline.f1) for baseline in beside if baseline),
        )
    terminal.show(table)
    if baselines:
        terminal.line(
            "NER+None, gold+None: F1 of these and of gold names and types, nothing called visible"
        )


def percent(share: float) -> str:
    """Write a share of 0..1 in per cent."""
    return f"{100 * share:.2f}"
