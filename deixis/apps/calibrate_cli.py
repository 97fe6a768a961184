"""The command line of calibration: ``deixis calibrate``.

Results go to stdout, warnings to stderr. Exit codes: 0 done, 2 unusable input or settings.
"""

import sys
from contextlib import nullcontext, redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from deixis.apps import options, terminal
from deixis.base.atomic import is_stdout
from deixis.errors import DataError, InputError

if TYPE_CHECKING:
    from deixis.evaluation.calibration import Part, Reliability


def calibrate(
    results: Annotated[
        Path, typer.Argument(metavar="RESULTS", help="What deixis batch wrote for the gold rows.")
    ],
    gold: Annotated[Path, typer.Argument(metavar="GOLD", help="Gold rows of a development set.")],
    stack: Annotated[
        str | None,
        typer.Option("--stack", metavar="NAME|FILE", help="The stack of the run, for --out."),
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", help="Stack file to write: a copy with the curves.")
    ] = None,
    html: Annotated[
        Path | None, typer.Option("--html", help="Page to write, with reliability diagrams.")
    ] = None,
    as_json: options.JsonOption = False,
) -> None:
    """Fit what the probabilities that a mention is shown are worth, and thresholds.

    Of each judge (a model, or the evidence that is weighed) and type: mentions, right verdicts and
    calibration error as stated, and after a Platt curve, cross-validated. A type with fewer than
    30 mentions, or of which all or none are shown, has the curve of all types of its judge.
    """
    from deixis.apps import files
    from deixis.base.text_files import keep_streams
    from deixis.evaluation import calibration, judgements
    from deixis.evaluation.calibrated_stack import calibrated_stack
    from deixis.evaluation.pages.calibration_page import calibration_page
    from deixis.rows import read_rows

    if (stack is None) != (out is None):
        raise InputError("--stack and --out go together: the stack of the run, and its copy")
    _check_places(results, gold, stack, out, html, as_json)
    keep_streams(results, gold)
    rows = read_rows(results, judgements.JudgedRow)
    collected = judgements.collect(read_rows(gold), rows)
    oddities = list(collected.oddities())
    for oddity in oddities:
        terminal.warn(oddity)
    if not collected.judgements:
        raise DataError(f"{results}: no mention was judged with a probability and is in the gold")
    parts = calibration.calibrate(collected.judgements)
    found = calibration.curves(parts)
    if out and stack and not found:
        raise DataError(f"{results}: too few mentions for any curve; nothing is written")
    for part in parts:
        if note := _shortage(part):
            terminal.warn(note)
            oddities.append(note)
    written = {}
    if out and stack:
        written[out] = calibrated_stack(stack, found, out)
    if html:
        written[html] = calibration_page(str(results), str(gold), parts, oddities)
    for path, content in written.items():
        typer.echo(f"wrote {files.write(path, content.encode())}", err=True)
    with redirect_stdout(sys.stderr) if any(map(is_stdout, written)) else nullcontext():
        if as_json:
            document = {"results": str(results), "gold": str(gold), "oddities": oddities}
            terminal.print_json({**document, "parts": [part.document() for part in parts]})
        else:
            _print_parts(parts)


def _check_places(
    results: Path,
    gold: Path,
    stack: str | None,
    out: Path | None,
    html: Path | None,
    as_json: bool,
) -> None:
    """Check, before anything is fitted, that what is written destroys nothing that is read.

    Raises:
        InputError: it would; or the results were calibrated already.
    """
    from deixis.apps import files
    from deixis.evaluation.pages.report import identity

    read = [results, gold, *([Path(stack)] if stack else [])]
    for option, path in (("--out", out), ("--html", html)):
        if path and files.is_one_of(path, read):
            raise InputError(f"{path} is one of the files that are read; give another {option}")
    wanted = [path for path in (out, html) if path]
    if len(wanted) == 2 and files.is_same(*wanted):
        raise InputError("--out and --html name one file; give two")
    if sum(map(is_stdout, wanted)) + as_json > 1:
        raise InputError("several things want stdout; name files for all but one of them")
    if identity(results).get("options.calibration", "{}") != "{}":
        raise InputError(
            f"{results} was made with curves already; run its stack once more without "
            "options.calibration, and calibrate that"
        )


def _shortage(part: "Part") -> str:
    """Say that a type has no curve of its own; "" if it has."""
    from deixis.evaluation.calibration import FEWEST, POOLED

    if part.curve and part.own:
        return ""
    few = f"{part.mentions} mentions are fewer than {FEWEST}"
    if part.mentions >= FEWEST:
        few = f"all {part.mentions} mentions are alike: {part.shown} are shown"
    name = "all types" if part.type == POOLED else part.type
    left = "the curve of all types holds" if part.curve else "there is no curve"
    return f"{part.judge}, {name}: {few}; {left}"


def _print_parts(parts: "list[Part]") -> None:
    from deixis.apps.score_tables import table_of
    from deixis.evaluation.calibration import POOLED

    terminal.line("[bold]verdicts[/]: right, and calibration error, as stated and after a curve")
    table = table_of("n", "shown", "right", "after", "error", "after", "a", "b", "threshold")
    for part in parts:
        name = "all types" if part.type == POOLED else part.type
        curve = part.curve
        table.add_row(
            escape(f"{part.judge}, {name}"),
            f"{part.mentions}",
            f"{part.shown}",
            *_figures(part.before, part.after, "accuracy"),
            *_figures(part.before, part.after, "error"),
            *(f"{n:.3f}" for n in (curve.a, curve.b, curve.threshold)) if curve else "---",
        )
    terminal.show(table)


def _figures(before: "Reliability", after: "Reliability | None", name: str) -> tuple[str, str]:
    return f"{getattr(before, name):.3f}", f"{getattr(after, name):.3f}" if after else "-"
