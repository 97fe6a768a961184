"""``deixis batch --estimate``: what a batch would ask and cost, before anything is asked."""

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from deixis.apps import terminal
from deixis.errors import InputError

if TYPE_CHECKING:
    from rich.table import Table

    from deixis.batch.estimate import Estimate, Part
    from deixis.settings import Settings

_SAMPLE = 50


def perform(
    settings: "Settings",
    source: Path,
    out: Path | None,
    sample: int | None,
    needless: Mapping[str, Any],
    rows: dict[str, Any],
    as_json: bool,
) -> None:
    """Print an estimate.

    Args:
        settings: the stack.
        source: rows.
        out: results of earlier, which need not be run; or None.
        sample: rows to look at; 50 if nobody says.
        needless: options without an effect here, to what was given for them.
        rows: how rows are taken, for `deixis.batch.estimate.estimate`.
        as_json: whether to print JSON.

    Raises:
        InputError: an option has no effect, or as for `estimate`.
    """
    from deixis.apps.batch_runs import Wrong
    from deixis.base.text_files import keep_streams
    from deixis.batch.estimate import SUMMED, estimate

    for option, given in needless.items():
        if given:
            raise InputError(f"{option} has no effect with --estimate; leave it out")
    keep_streams(source)
    wrong = Wrong()
    if rows["concurrency"] is None:
        del rows["concurrency"]
    found = estimate(settings, source, out, sample or _SAMPLE, report=wrong.show, **rows)
    wrong.end(None)
    if as_json:
        sums = {name: found.total(name) for name in SUMMED}
        more = {"begun": found.begun, "cost": found.cost, "batched": found.batched}
        terminal.print_json({**asdict(found), "total": {**sums, **more}})
        return
    if found.parts:
        terminal.show(_table(found))
    else:
        typer.echo(
            f"{found.rows:,} rows, from {found.sampled:,} of them: no language model is asked"
        )
    for line in _lines(found):
        typer.echo(line)


def _table(found: "Estimate") -> "Table":
    from rich.markup import escape
    from rich.table import Table

    from deixis.batch.estimate import SUMMED, Part

    table = Table(title=f"{found.rows:,} rows, from {found.sampled:,} of them")
    table.title_justify = "left"
    columns = [name for name in _COLUMNS if any(_cell(part, name) for part in found.parts)]
    table.add_column("role")
    table.add_column("model")
    for name in columns:
        table.add_column(_COLUMNS[name], justify="right", no_wrap=True)
    for part in found.parts:
        cells = [_cell(part, name) for name in columns]
        table.add_row(escape(part.role), escape(part.model), *cells)
    table.add_section()
    sums = {name: found.total(name) for name in SUMMED}
    whole = Part("all", "", **sums, begun=found.begun, cost=found.cost, batched=found.batched)
    table.add_row("all", "", *[_cell(whole, name) for name in columns])
    return table


_COLUMNS = {
    "calls": "calls",
    "cached": "cached",
    "input_tokens": "input",
    "begun": "prefix",
    "cached_input_tokens": "served",
    "output_tokens": "output",
    "cost": "cost",
    "batched": "batched",
}


def _cell(part: "Part", name: str) -> str:
    value = getattr(part, name)
    if not value:
        return ""
    if name == "begun":
        return f"{value:.0%}"
    if name in {"cost", "batched"}:
        return f"{value:,.2f}" if value >= 1 else f"{value:.3g}"
    for unit, size in (("M", 1e6), ("k", 1e3)):
        if value >= 10 * size:
            return f"{value / size:,.1f}{unit}"
    return f"{round(value):,}"


def _lines(found: "Estimate") -> list[str]:
    """Say what the table leaves open."""
    lines = []
    if found.margin is None and found.parts:
        lines.append("one row tells nothing of how rows differ; give a larger --sample")
    elif found.margin:
        lines.append(f"rows differ: all tokens lie within {found.margin:.0%} of these, with 95%")
    if found.hours is None and found.parts:
        lines.append(
            "no limit of requests or tokens is set for them (options.limits): no time is told"
        )
    elif found.hours is not None:
        lines.append(f"at least {found.hours:.2f} hours at the limits ({found.limit})")
    if found.failed:
        lines.append(f"{found.failed} of the rows looked at cannot be run, and are not counted")
    if found.unfit:
        lines.append(
            f"{found.unfit} made-up answers did not fit; what would be asked after them is missing"
        )
    if priceless := sorted({part.model for part in found.parts if part.cost is None}):
        lines.append(f"no price is set (options.prices) for: {', '.join(priceless)}")
    return lines
