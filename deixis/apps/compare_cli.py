"""The command line of comparisons: ``deixis compare``.

Results go to stdout, warnings to stderr. Exit codes: 0 done, 2 unusable input or settings.
"""

import sys
from contextlib import nullcontext, redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape

from deixis.apps import eval_cli, options, terminal
from deixis.base.atomic import is_stdout
from deixis.errors import InputError

if TYPE_CHECKING:
    from deixis.evaluation.compare import Agreement, Cost
    from deixis.evaluation.metrics.scoring import Comparison, How
    from deixis.evaluation.pages.access import Access

_SIDES = ("first", "second")


def compare(
    paths: Annotated[
        list[Path],
        typer.Argument(
            metavar="[GOLD] ONE TWO",
            help="Two files of deixis batch, or other predictions, with the same ids; gold before "
            "them, where there is some.",
        ),
    ],
    task: Annotated[
        str, typer.Option("--task", help="gmner, fmnerg, smner, mner, eeg, ees or fmner.")
    ] = "gmner",
    iou: eval_cli.IouOption = 0.5,
    convention: eval_cli.ConventionOption = "deixis",
    coarse: eval_cli.CoarseOption = False,
    format_name: eval_cli.FormatOption = None,
    rounds: eval_cli.RoundsOption = 10_000,
    seed: eval_cli.SeedOption = 0,
    html: Annotated[
        Path | None, typer.Option("--html", help="Page to write, with the pictures side by side.")
    ] = None,
    top: Annotated[
        int, typer.Option(min=0, help="Rows listed in page and JSON, those that differ most.")
    ] = 20,
    pictures: options.PicturesOption = None,
    fetch: options.FetchOption = False,
    as_json: eval_cli.JsonOption = False,
) -> None:
    """Set two runs side by side: score, cost, and where they disagree."""
    from deixis.apps import files
    from deixis.base.text_files import keep_streams
    from deixis.evaluation.compare import Result, agree
    from deixis.evaluation.metrics import scoring
    from deixis.rows import read_rows

    if len(paths) not in (2, 3):
        raise InputError(f"compare takes two files, or gold and two files; got {len(paths)}")
    *golds, first, second = paths
    if (pictures or fetch) and not (html and top):
        raise InputError("--pictures and --fetch-pictures are for the pictures of --html")
    access = options.access_of(pictures, fetch)
    if format_name is not None and not golds:
        raise InputError("--format reads answers to the rows of a gold file: give that first")
    if html and files.is_one_of(html, paths):
        raise InputError(f"{html} is one of the files that are compared; give another --html")
    if html and as_json and is_stdout(html):
        raise InputError("--html and --json both want stdout; name a file for one of them")
    keep_streams(*paths)
    how = eval_cli.how_of(task, coarse, convention, iou, rounds, seed)
    wanted = [row for path in golds for row in read_rows(path)]
    one, other = (
        eval_cli.read_predictions(path, format_name, wanted, Result) for path in (first, second)
    )
    scores = scoring.compare_two(wanted, one.rows, other.rows, how) if golds else None
    found = agree(one.rows, other.rows, how, wanted)
    for read, ids in ((one, found.only_first), (other, found.only_second)):
        if ids:
            named = eval_cli.some(ids)
            terminal.warn(f"{read.path}: {len(ids)} rows are not in the other file ({named})")
    if scores:
        one.warn(scores.first)
        other.warn(scores.second)
    if html:
        _write(html, first, second, found, scores, golds[0] if golds else None, top, access)
    if as_json:
        document: dict[str, Any] = scores.document() if scores else how.document()
        for name, read in zip(_SIDES, (one, other), strict=True):
            document[name] = {**read.document(), **document.get(name, {})}
        gold = str(golds[0]) if golds else None
        terminal.print_json({"gold": gold, **document, **found.document(top)})
        return
    # Where the page goes to stdout, the tables go to stderr.
    with redirect_stdout(sys.stderr) if html and is_stdout(html) else nullcontext():
        _print_tables(how, found, scores)


def _print_tables(how: "How", found: "Agreement", scores: "Comparison | None") -> None:
    if scores:
        _print_scores(scores)
    else:
        eval_cli.print_heading(how, len(found.rows))
    _print_agreement(found)
    if any(found.costs):
        _print_costs(found.costs)
    if found.warnings:
        _print_warnings(found.warnings)


def _write(
    page: Path,
    first: Path,
    second: Path,
    found: "Agreement",
    scores: "Comparison | None",
    gold: Path | None,
    top: int,
    access: "Access",
) -> None:
    from deixis.apps import files
    from deixis.evaluation.pages.compare_page import compare_page

    content = compare_page(first, second, found, scores, gold=gold, top=top, access=access)
    typer.echo(f"wrote {files.write(page, content.encode())}", err=True)


def _print_scores(found: "Comparison") -> None:
    samples = len(found.first.samples)
    eval_cli.print_heading(found.how, samples)
    both = zip(_SIDES, found.entries, strict=True)
    eval_cli.print_scores(both, bool(found.how.task.region))
    table = eval_cli.table_of("P", "R", "F1")
    value, low, high, p = found.difference
    table.add_row("second - first", *(f"{100 * each:+.2f}" for each in value))
    spans = zip(low, high, strict=True)
    table.add_row("95%", *(f"{100 * start:+.2f} to {100 * end:+.2f}" for start, end in spans))
    table.add_row("p", *(f"{each:.4f}" for each in p))
    terminal.show(table)
    _print(
        f"samples with fewer errors in the second: {found.won}, with more: {found.lost}, "
        f"with as many: {samples - found.won - found.lost}"
    )


def _print_agreement(found: "Agreement") -> None:
    _print(
        f"agreement: {found.same} of {len(found.rows)} rows are the same; F1 of one against the "
        f"other {100 * found.f1:.2f} ({100 * found.low:.1f}-{100 * found.high:.1f})"
    )
    _print(f"mentions that differ: {_counts(found.kinds)}")
    if found.right:
        _print(f"of these are right: {_counts(found.right)}")


def _print_costs(costs: "tuple[Cost | None, Cost | None]") -> None:
    from deixis.evaluation.compare import MEASURES, figure

    table = eval_cli.table_of("first", "second", "first, a row", "second, a row")
    for title, name in MEASURES:
        sides = [(cost, a_row) for a_row in (False, True) for cost in costs]
        table.add_row(
            title, *(figure(cost.measure(name, a_row)) if cost else "-" for cost, a_row in sides)
        )
    terminal.show(table)
    for side, cost in zip(_SIDES, costs, strict=True):
        if cost and cost.unpriced and cost.total.cost is not None:
            _print(f"{cost.unpriced} calls of the {side} have no price and are not in its cost")


def _print_warnings(warnings: dict[tuple[str, str], tuple[int, int]]) -> None:
    table = eval_cli.table_of("first", "second")
    for (step, message), counts in warnings.items():
        table.add_row(escape(f"warnings of {step}: {message}"), *map(str, counts))
    terminal.show(table)


def _counts(found: dict[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in found.items())


def _print(line: str) -> None:
    terminal.line(escape(line))
