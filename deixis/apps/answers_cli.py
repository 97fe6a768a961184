"""The command line of other systems' files: ``deixis dataset read``, ``write``.

Results go to stdout, what could not be read to stderr. Exit codes: 0 done, 1 some could not be
read, 2 unusable input or settings.
"""

from pathlib import Path
from typing import Annotated

import typer

from deixis.apps import terminal
from deixis.base.atomic import is_stdout
from deixis.errors import InputError, SettingsError

_SHOWN = 20

_BOXES = (
    "riveg only: the file of predicted boxes, refcoco_val_predict.json of the authors, that goes "
    "with lines of samples (OFAVE_to_OFAREC.txt)."
)
Name = Annotated[str, typer.Argument(metavar="NAME", help="vkel, e2e, pfa, riveg or muie.")]
Boxes = Annotated[Path | None, typer.Option(metavar="FILE", help=_BOXES)]


def read(
    name: Name,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="What the other system wrote.")],
    gold: Annotated[Path, typer.Option(metavar="ROWS", help="The rows that it is about.")],
    out: Annotated[Path, typer.Option(metavar="FILE", help="File of rows to write.")],
    boxes: Boxes = None,
) -> None:
    """Turn what another system wrote into a file of rows: its predictions, or its gold.

    FILE is JSON Lines, a JSON list, or plain lines; text, picture and size of the rows are those
    of the gold. Every piece that cannot be read is counted, and the first 20 are shown.
    """
    from deixis.base.text_files import keep_streams
    from deixis.formats import files
    from deixis.rows import read_rows, write_rows

    _check(name, boxes, [file, gold, boxes] if boxes else [file, gold], [out])
    keep_streams(file, gold, boxes)
    found = files.read(file, name, read_rows(gold), boxes)
    problems = [(at, each) for at, pieces in found.problems.items() for each in pieces]
    for at, problem in problems[:_SHOWN]:
        terminal.warn(f"{at}: {problem.reason}: {problem.piece[:80]!r}")
    if len(problems) > _SHOWN:
        terminal.warn(f"{len(problems) - _SHOWN} more pieces could not be read")
    written = write_rows(out, found.rows)
    for what, number in found.counts.items():
        typer.echo(f"{number:8}  {what}", err=True)
    typer.echo(f"wrote {written} rows to {out}", err=is_stdout(out))
    if problems:
        raise typer.Exit(1)


def write(
    name: Name,
    rows: Annotated[Path, typer.Argument(metavar="ROWS", help="Rows, or results of a batch.")],
    out: Annotated[Path, typer.Option(metavar="FILE", help="File to write.")],
    boxes: Boxes = None,
) -> None:
    """Write rows as another system writes them, so that its own programs read them.

    riveg: the lines of gold (GMNER_finall_label.txt); with --boxes predictions, lines of samples
    in --out and their boxes in --boxes, one an entity. All others: JSON Lines with id and answer,
    which vkel calls output. Masks, and fine types of all but vkel, have no place: they are left
    out and counted.
    """
    from deixis.base.text_files import keep_streams
    from deixis.formats import files, riveg_release
    from deixis.formats.bare import bare
    from deixis.rows import read_rows

    _check(name, boxes, [rows], [out, boxes] if boxes else [out])
    keep_streams(rows)
    form = files.form_of(name)
    if name != "riveg":
        plain, dropped = bare(read_rows(rows), form)
        done = f"{files.write(out, name, plain)} answers"
    else:
        described, dropped = bare(read_rows(rows, riveg_release.DescribedRow), form)
        lines = (
            riveg_release.write_samples(out, boxes, described)
            if boxes
            else riveg_release.write_gold(out, described)
        )
        done = f"{lines} lines"
    for what, number in dropped.items():
        terminal.warn(f"{number} {what} are left out: {name} has no place for them")
    typer.echo(f"wrote {done} to {out}", err=is_stdout(out))


def _check(name: str, boxes: Path | None, taken: list[Path], made: list[Path]) -> None:
    """Refuse an option without effect, and to write over what is read or just written.

    Raises:
        InputError: a file to write is one of the others.
        SettingsError: the format has no file of boxes.
    """
    from deixis.apps.files import is_one_of, is_same

    if boxes and name != "riveg":
        raise SettingsError(f"--boxes is of riveg alone; leave it out with {name}")
    for path in made:
        if is_one_of(path, taken) or sum(is_same(path, each) for each in made) > 1:
            raise InputError(f"{path} is used twice; give another file to write")
