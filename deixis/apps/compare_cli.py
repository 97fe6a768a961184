"""The command line of comparisons: ``deixis compare``.

Results go to stdout, warnings to stderr. Exit codes: 0 done, 2 unusable input or settings.
"""

import sys
from contextlib import nullcontext, redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from deixis.apps import options, score_options, terminal
from deixis.apps.score_tables import print_contrast, print_heading, print_scores, table_of
from deixis.base.atomic import is_stdout
from deixis.errors import InputError

if TYPE_CHECKING:
    from deixis.evaluation.compare import Agreement, Compared, Cost
    from deixis.evaluation.metrics.scoring import Comparison, How
    from deixis.evaluation.pages.access import Access
    from deixis.evaluation.variants import Contrast

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
    task: score_options.TaskOption = "gmner",
    iou: score_options.IouOption = None,
    convention: score_options.ConventionOption = None,
    coarse: score_options.CoarseOption = False,
    wording: score_options.WordingOption = None,
    format_name: options.FormatOption = None,
    rounds: Annotated[int, typer.Option("--rounds", help="Draws for intervals and p.")] = 10_000,
    seed: score_options.SeedOption = 0,
    html: Annotated[
        Path | None, typer.Option("--html", help="Page to write, with the pictures side by side.")
    ] = None,
    top: Annotated[
        int, typer.Option(min=0, help="Rows listed in page and JSON, those that differ most.")
    ] = 20,
    pictures: options.PicturesOption = None,
    fetch: options.FetchOption = False,
    as_json: options.JsonOption = False,
) -> None:
    """Set two runs side by side: score, cost, and where they disagree."""
    from deixis.base.text_files import keep_streams
    from deixis.evaluation.compare import compare_files

    if len(paths) not in (2, 3):
        raise InputError(f"compare takes two files, or gold and two files; got {len(paths)}")
    *golds, first, second = paths
    gold = golds[0] if golds else None
    if (pictures or fetch) and not (html and top):
        raise InputError("--pictures and --fetch-pictures are for the pictures of --html")
    access = options.access_of(pictures, fetch)
    if format_name is not None and not gold:
        raise InputError("--format reads answers to the rows of a gold file: give that first")
    if html:
        _check_page(html, paths, as_json)
    keep_streams(*paths)
    if wording is not None and not gold:
        raise InputError("--wording compares summaries with those of a gold file: give that first")
    how = score_options.how_of(
        task,
        iou=iou,
        convention=convention,
        coarse=coarse,
        wording=wording,
        rounds=rounds,
        seed=seed,
        regions=True,
    )
    compared = compare_files(first, second, how, gold, format_name)
    for oddity in compared.oddities():
        terminal.warn(oddity)
    if html:
        _write(html, compared, top, access)
    if as_json:
        terminal.print_json(compared.document(top))
        return
    # Where the page goes to stdout, the tables go to stderr.
    with redirect_stdout(sys.stderr) if html and is_stdout(html) else nullcontext():
        _print_tables(how, compared.agreement, compared.scores)


def _check_page(page: Path, paths: list[Path], as_json: bool) -> None:
    from deixis.apps import files

    if files.is_one_of(page, paths):
        raise InputError(f"{page} is one of the files that are compared; give another --html")
    if as_json and is_stdout(page):
        raise InputError("--html and --json both want stdout; name a file for one of them")


def _print_tables(
    how: "How", agreement: "Agreement", scores: "Comparison | Contrast | None"
) -> None:
    from deixis.evaluation.variants import Contrast

    if isinstance(scores, Contrast):
        print_heading(how, len(scores.first.ids))
        print_contrast(scores.measures, _SIDES)
    elif scores:
        _print_scores(scores)
    else:
        print_heading(how, len(agreement.rows))
    _print_agreement(agreement)
    if any(agreement.costs):
        _print_costs(agreement.costs)
    if agreement.warnings:
        _print_warnings(agreement.warnings)


def _write(page: Path, compared: "Compared", top: int, access: "Access") -> None:
    from deixis.apps import files
    from deixis.evaluation.pages.compare_page import compare_page

    content = compare_page(compared, top=top, access=access)
    typer.echo(f"wrote {files.write(page, content.encode())}", err=True)


def _print_scores(scores: "Comparison") -> None:
    samples = len(scores.first.samples)
    print_heading(scores.how, samples)
    both = zip(_SIDES, scores.entries, strict=True)
    print_scores(both, bool(scores.how.task.region))
    table = table_of("P", "R", "F1")
    value, low, high, p = scores.difference
    table.add_row("second - first", *(f"{100 * share:+.2f}" for share in value))
    spans = zip(low, high, strict=True)
    table.add_row("95%", *(f"{100 * start:+.2f} to {100 * end:+.2f}" for start, end in spans))
    table.add_row("p", *(f"{share:.4f}" for share in p))
    terminal.show(table)
    _print(
        f"samples with fewer errors in the second: {scores.won}, with more: {scores.lost}, "
        f"with as many: {samples - scores.won - scores.lost}"
    )


def _print_agreement(agreement: "Agreement") -> None:
    f1, low, high = (100 * share for share in (agreement.f1, agreement.low, agreement.high))
    _print(
        f"agreement: {agreement.same} of {len(agreement.rows)} rows are the same; F1 of one "
        f"against the other {f1:.2f} ({low:.1f}-{high:.1f})"
    )
    _print(f"mentions that differ: {_counts(agreement.kinds)}")
    if agreement.right:
        _print(f"of these are right: {_counts(agreement.right)}")


def _print_costs(costs: "tuple[Cost | None, Cost | None]") -> None:
    from deixis.evaluation.compare import MEASURES, figure

    table = table_of("first", "second", "first, per row", "second, per row")
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
    table = table_of("first", "second")
    for (step, message), counts in warnings.items():
        table.add_row(escape(f"warnings of {step}: {message}"), *map(str, counts))
    terminal.show(table)


def _counts(counts: dict[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in counts.items())


def _print(line: str) -> None:
    terminal.line(escape(line))
