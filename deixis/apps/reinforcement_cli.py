"""The command line of M-MRE's claim: ``deixis reinforcement``.

Results go to stdout, warnings to stderr. Exit codes: 0 done, 2 unusable input or settings.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from deixis.apps import options, score_options, terminal
from deixis.apps.score_tables import defined, print_heading, span, table_of

if TYPE_CHECKING:
    from deixis.evaluation.reinforcement import Reinforcement


def reinforcement(
    gold: Annotated[Path, typer.Argument(help="Gold rows of M-MRE, JSON Lines; - for stdin.")],
    summary: Annotated[Path, typer.Option(help="A run of the summary alone (tasks: summary).")],
    mner: Annotated[Path, typer.Option(help="A run of naming and matching alone (tasks: mner).")],
    joint: Annotated[Path, typer.Option(help="A run of both at once (tasks: joint).")],
    format_name: Annotated[
        str | None, typer.Option("--format", help="pfa, if the three are answers and not rows.")
    ] = None,
    wording: score_options.WordingOption = None,
    rounds: Annotated[int, typer.Option("--rounds", help="Draws for intervals and p.")] = 10_000,
    seed: score_options.SeedOption = 0,
    as_json: options.JsonOption = False,
) -> None:
    """Say whether two tasks of M-MRE help each other: each alone against both at once.

    The tables are those of the paper (table 2; table 3 of runs with pfa: false), with the
    difference that doing both makes, its 95% interval, and p.
    """
    from deixis.base.text_files import keep_streams
    from deixis.evaluation.reinforcement import MNER, SUMMARY
    from deixis.evaluation.reinforcement import reinforcement as reinforced

    keep_streams(gold, summary, mner, joint)
    how = score_options.how_of("mmre", wording=wording, rounds=rounds, seed=seed)
    found = reinforced(gold, summary, mner, joint, how, format_name)
    for run in (found.summary, found.mner, found.joint):
        for oddity in run.oddities:
            terminal.warn(oddity)
    if as_json:
        terminal.print_json({"gold": str(gold), **found.document()})
        return
    print_heading(how, len(found.joint.ids))
    named = MNER | SUMMARY
    # Two tables, as in the paper: all six columns would be wider than a terminal.
    for columns in (("f1", "patch_accuracy", "bleu"), ("rouge1", "rouge2", "rougeL")):
        _print(found, {name: named[name] for name in columns}, set(SUMMARY))


def _print(found: "Reinforcement", columns: Mapping[str, str], of_summary: set[str]) -> None:
    measures = {name: found.measures[name] for name in columns}
    table = table_of(*columns.values())
    for title, own in (("Single TS", True), ("Single MNER", False)):
        cells = {
            name: defined(each.first.value) if (name in of_summary) is own else "-"
            for name, each in measures.items()
        }
        table.add_row(title, *cells.values())
    apart = [each.difference for each in measures.values()]
    table.add_row("M-MRE", *(defined(each.second.value) for each in measures.values()))
    table.add_row("M-MRE - single", *(defined(each.value, "+.2f") for each in apart))
    table.add_row("95%", *(span(each, "+.2f") for each in apart))
    chances = [each.p for each in measures.values()]
    table.add_row("p", *("-" if p is None else f"{p:.4f}" for p in chances))
    terminal.show(table)
