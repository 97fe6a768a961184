"""The command line of descriptions that others have made: ``deixis dataset captions``.

Exit codes: 0 done, 1 some lines were left out, 2 unusable input.
"""

from pathlib import Path
from typing import Annotated

import typer

from deixis.apps import terminal
from deixis.base.atomic import is_stdout
from deixis.errors import DataError, InputError

_SHOWN = 20


def captions(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="Descriptions: JSON Lines, or as below.")
    ],
    rows: Annotated[Path, typer.Option(metavar="ROWS", help="Rows that get a caption.")],
    out: Annotated[Path, typer.Option(metavar="FILE", help="File of rows to write.")],
) -> None:
    """Give rows the descriptions of their pictures that a data set comes with, as `caption`.

    FILE has lines {"id", "caption"}, as results of deixis batch are; or, as RiVEG's authors
    released them, imgid:ID###text, over several lines if need be, or ID.jpg:text. All else in the
    rows stays. What is left out of FILE is counted, and the first 20 lines of it are shown.
    """
    from deixis.apps.files import is_one_of
    from deixis.base.text_files import keep_streams
    from deixis.evaluation.construction.samples import all_samples, write_samples
    from deixis.formats.captions import read

    if is_one_of(out, [file, rows]):
        raise InputError(f"{out} is read; give another file to write")
    keep_streams(file, rows)
    described, misfits = read(file)
    for number, (piece, reason) in sorted(misfits.items())[:_SHOWN]:
        terminal.warn(f"{file}:{number}: {reason}: {piece[:80]!r}")
    if misfits:
        terminal.warn(f"{len(misfits)} lines of {file} are left out")
    given = all_samples(rows)
    known = {each.row.id for each in given}
    if not described.keys() & known:
        raise DataError(f"{file}: no description of a picture in {rows}")
    told = [
        each._replace(data={**each.data, "caption": described[each.row.id]})
        if each.row.id in described
        else each
        for each in given
    ]
    written = write_samples(out, told)
    typer.echo(f"{len(known - described.keys()):8}  rows without a description", err=True)
    typer.echo(f"{len(described.keys() - known):8}  descriptions of no row", err=True)
    typer.echo(f"wrote {written} rows to {out}", err=is_stdout(out))
    if misfits:
        raise typer.Exit(1)
