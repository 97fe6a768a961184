"""Scores as tables, as ``deixis eval`` and ``deixis compare`` print them."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from rich.markup import escape
from rich.table import Table

from deixis.apps import terminal

if TYPE_CHECKING:
    from deixis.evaluation.metrics.scoring import Entry, How
    from deixis.evaluation.metrics.sheet import Contrasted, Measured


def print_heading(how: "How", samples: int) -> None:
    """Print what is compared, and how."""
    rules = {
        "mentions": f"convention {how.convention.name}: {how.describe()}",
        "given": "on gold mentions, which are the same by their exact text",
        "mmre": f"Algorithm 1 of the paper; summaries compared as {how.wording}",
        "muie": "appendix C of the paper",
    }[how.task.kind]
    if how.task.kind == "given" and how.task.located:
        rules += f"; IoU >= {how.threshold:g}"
    terminal.line(f"[bold]{how.task.name}[/], {samples} samples; {rules}")


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


def print_measures(parts: "Mapping[str, Mapping[str, Measured]]") -> None:
    """Print the measures of ``all`` with their intervals, and those of parts below."""
    whole, *others = parts.items()
    table = table_of("%", "95%")
    for name, each in whole[1].items():
        table.add_row(escape(name), defined(each.value), span(each))
    terminal.show(table)
    if others:
        names = list(others[0][1])
        table = table_of(*names)
        for part, measures in others:
            table.add_row(escape(part), *(defined(measures[name].value) for name in names))
        terminal.show(table)


def print_contrast(measures: "Mapping[str, Contrasted]", sides: tuple[str, str]) -> None:
    """Print two files measure by measure: both values, the difference, its interval and p."""
    table = table_of(*sides, f"{sides[1]} - {sides[0]}", "95%", "p")
    for name, each in measures.items():
        apart = each.difference
        table.add_row(
            escape(name),
            defined(each.first.value),
            defined(each.second.value),
            defined(apart.value, "+.2f"),
            span(apart, "+.2f"),
            "-" if each.p is None else f"{each.p:.4f}",
        )
    terminal.show(table)


def defined(share: float | None, form: str = ".2f") -> str:
    """Write a share of 0..1 in per cent, and one that is not defined as a dash."""
    return "-" if share is None else format(100 * share, form)


def span(measured: "Measured", form: str = ".1f") -> str:
    """Write an interval in per cent, and one that is not defined as a dash."""
    if measured.low is None:
        return "-"
    between = " to " if "+" in form else "-"
    return between.join(defined(end, form) for end in (measured.low, measured.high))


def percent(share: float) -> str:
    """Write a share of 0..1 in per cent."""
    return f"{100 * share:.2f}"
