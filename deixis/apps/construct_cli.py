"""The commands that make data sets as the papers made theirs, in the group ``deixis dataset``.

Results go to stdout, progress and what was met on the way to stderr. Exit codes: 0 done, 1 some
rows failed, are left, or have changed since they were finished, 2 unusable input or settings, 130
stopped by Ctrl-C. Each goes on where an earlier run of the same line has ended.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from deixis.apps import options, terminal
from deixis.apps.batch_cli import RenewOption
from deixis.base.atomic import is_stdout
from deixis.errors import InputError

if TYPE_CHECKING:
    from deixis.batch.row import Problem
    from deixis.evaluation.construction.masks import MaskTally

SHOWN = 50
"""Failures that are listed in the terminal; all are in the file of failures."""

RowsArgument = Annotated[Path, typer.Argument(metavar="ROWS", help="Rows, such as gold.")]
ProgressOption = Annotated[bool, typer.Option(help="Show on stderr how far it is.")]


def masks(
    rows: RowsArgument,
    out: Annotated[Path, typer.Option("--out", help="Rows with masks; an old file is continued.")],
    stack: options.StackOption = "starter",
    role: options.RoleOption = None,
    urls: options.UrlsOption = None,
    renew: RenewOption = False,
    progress: ProgressOption = True,
    as_json: options.JsonOption = False,
) -> None:
    """Give every box of a file of rows a mask, by the segmenter of the stack.

    So that annotators of Twitter-SMNER have something to begin with. Masks that are there stay; a
    box in which no outline is found stays without one, and is counted. A row whose picture cannot
    be used is in OUT.failures.jsonl, and all others are done. The figures of RiVEG's table II and
    figure 4 are printed at the end. Run the same line again to go on.
    """
    from deixis.apps import console, weights
    from deixis.apps.statistics_tables import show_statistics
    from deixis.base.text_files import keep_streams
    from deixis.evaluation.construction.masks import make_masks, segmenter_of
    from deixis.evaluation.datasets.statistics import statistics
    from deixis.rows import read_rows

    keep_streams(rows)
    toolbox = segmenter_of(options.settings_of(stack, None, role, urls=urls))
    weights.fetch(toolbox, shown=progress)
    failures: list[Problem] = []
    with console.progress(shown=progress) as bar:
        task = bar.add_task("masks", at="")

        def tell(tally: "MaskTally") -> None:
            done = tally.earlier + tally.done + tally.failed
            bar.update(task, completed=done, total=tally.rows)

        tally = make_masks(toolbox, rows, out, renew=renew, report=failures.append, tell=tell)
    _list(failures, out)
    if tally.changed:
        todo = "done again" if renew else "their old masks stay; --renew does them again"
        typer.echo(f"{tally.changed} finished rows have changed in the input: {todo}", err=True)
    figures = {"run": vars(tally), **statistics(read_rows(out))}
    if as_json:
        terminal.print_json(figures)
    else:
        typer.echo(
            f"{tally.done} rows done, {tally.earlier} finished earlier, {tally.failed} failed; "
            f"{tally.missing} boxes without an outline; wrote {out}"
        )
        show_statistics(figures, str(out))
    if tally.failed or (tally.changed and not renew):
        raise typer.Exit(1)


def agreement(
    files: Annotated[
        list[Path], typer.Argument(metavar="A B ...", help="Rows, a file for each annotator.")
    ],
    iou: Annotated[float, typer.Option(min=0.0, max=1.0, help="Consistent is above it.")] = 0.5,
    agreed: Annotated[
        Path | None, typer.Option(help="Write the rows here on which all agree.")
    ] = None,
    disputed: Annotated[
        Path | None, typer.Option(help="Write the others here, for somebody to decide.")
    ] = None,
    as_json: options.JsonOption = False,
) -> None:
    """Say how far annotators agree where entities are: IoU and Fleiss' kappa.

    An annotator may have done some of the rows only. Regions are compared one to one by their
    masks, or by their boxes where one has none. Kappa takes what is said of an entity for a
    category: that it is not to be seen, or which of the annotators' readings of where it is. Rows
    that are disputed have what each annotator says in "annotations"; who decides edits "entities".
    """
    from deixis.apps.construct_tables import show_agreement
    from deixis.apps.files import is_one_of, is_same
    from deixis.base.text_files import keep_streams
    from deixis.evaluation.construction.agreement import agreement as agreement_of
    from deixis.evaluation.construction.samples import write_samples

    keep_streams(*files)
    outs = [out for out in (agreed, disputed) if out is not None]
    for out in outs:
        if is_one_of(out, files) or is_stdout(out):
            raise InputError(f"{out} is what is compared, or no file; give another one")
    if len(outs) == 2 and is_same(*outs):
        raise InputError("--agreed and --disputed are one file; give two")
    found = agreement_of(files, iou)
    for place, chosen in ((agreed, found.agreed), (disputed, found.disputed)):
        if place is not None:
            write_samples(place, chosen)
    if as_json:
        terminal.print_json(found.figures)
    else:
        show_agreement(found.figures)


def review(
    rows: RowsArgument,
    captions: Annotated[
        Path, typer.Argument(metavar="CAPTIONS", help='Lines {"id", "caption"}, or results.')
    ],
    out: Annotated[
        Path, typer.Option("--out", metavar="REVIEW", help="What people review; it is extended.")
    ],
) -> None:
    """Put descriptions of pictures that you have into a file for people to review (M-MRE).

    deixis dataset summarize has them written and does the same. REVIEW has a line for each: people
    mend "summary" (null leaves the row out) and put their names into "reviewers". What they have
    written stays when the command is run again. (deixis review is another thing: a page in which
    results of a batch are accepted and corrected.)
    """
    from deixis.apps.files import is_one_of
    from deixis.base.text_files import keep_streams

    if is_one_of(out, (rows, captions)) or is_stdout(out):
        raise InputError(f"{out} is what is read, or no file; give another --out")
    keep_streams(rows, captions)
    typer.echo(extended(out, rows, captions))


def extended(out: Path, rows: Path, captions: Path) -> str:
    """Extend a file of reviews, and say what came of it."""
    from deixis.evaluation.construction.summaries import extend_reviews

    done = extend_reviews(out, rows, captions)
    return (
        f"{done.new} summaries to review and {done.renewed} written anew in {out}; "
        f"{done.unwritten} rows without a summary"
    )


def reviewed(
    rows: RowsArgument,
    review: Annotated[Path, typer.Argument(metavar="REVIEW", help="What people have reviewed.")],
    out: Annotated[Path, typer.Option("--out", help="Rows with summary and patches to write.")],
    approvals: Annotated[
        int, typer.Option(min=0, help="Reviewers that a summary needs; 0: take all.")
    ] = 1,
    as_json: options.JsonOption = False,
) -> None:
    """Make rows of M-MRE of the summaries that people have approved.

    Every box of an entity becomes a lettered patch, unless a row has patches. The figures of
    M-MRE's table 1 are printed.
    """
    from deixis.apps.files import is_one_of
    from deixis.apps.statistics_tables import show_statistics
    from deixis.base.text_files import keep_streams
    from deixis.evaluation.construction.samples import write_samples
    from deixis.evaluation.construction.summaries import reviewed as reviewed_rows
    from deixis.evaluation.datasets.statistics import StatisticsRow, statistics
    from deixis.rows import read_rows

    if is_one_of(out, (rows, review)) or is_stdout(out):
        raise InputError(f"{out} is what is read, or no file; give another --out")
    keep_streams(rows, review)
    found = reviewed_rows(rows, review, approvals)
    write_samples(out, found.rows)
    figures = {"review": found.counts, **statistics(read_rows(out, StatisticsRow))}
    if as_json:
        terminal.print_json(figures)
        return
    counted = ", ".join(f"{number} {what}" for what, number in found.counts.items())
    typer.echo(f"{counted}; wrote {len(found.rows)} rows to {out}")
    if not found.rows:
        terminal.warn(
            "no summary has been approved: reviewers write their names into `reviewers` of "
            f"{review}; --approvals 0 takes all"
        )
    show_statistics(figures, str(out))


def split(
    rows: RowsArgument,
    out: Annotated[Path, typer.Option("--out", metavar="FOLDER", help="Folder of the parts.")],
    parts: Annotated[
        str, typer.Option(metavar="NAME=WEIGHT,...", help="The parts, and how large they are.")
    ] = "train=7,test=3",
    seed: Annotated[int, typer.Option(help="Makes another split.")] = 0,
) -> None:
    """Split rows at random into FOLDER/NAME.jsonl, the same way each time (M-MRE: 7 to 3)."""
    from deixis.apps.files import check_folder, is_one_of
    from deixis.base.text_files import keep_streams
    from deixis.evaluation.construction.samples import all_samples, write_samples
    from deixis.evaluation.construction.split import parts_of
    from deixis.evaluation.construction.split import split as split_rows

    check_folder(out)
    weights = parts_of(parts)
    for name in weights:
        if is_one_of(out / f"{name}.jsonl", [rows]):
            raise InputError(f"{rows} is what is split; give another --out")
    keep_streams(rows)
    for name, chosen in split_rows(all_samples(rows), weights, seed).items():
        written = write_samples(out / f"{name}.jsonl", chosen)
        typer.echo(f"wrote {written} rows to {out / name}.jsonl")


def _list(failures: "list[Problem]", out: Path) -> None:
    """Name the first rows that failed."""
    from deixis.batch.output import beside

    for problem in failures[:SHOWN]:
        named = "" if problem.id is None else f" ({problem.id!r})"
        typer.echo(f"line {problem.line}{named}: {problem.error}", err=True)
    if failures:
        file = beside(out, ".failures.jsonl")
        typer.echo(f"{len(failures)} rows failed; all of them are in {file}", err=True)
