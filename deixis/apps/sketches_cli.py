"""The command line of what VKEL's stages are trained on: ``deixis dataset sketches``.

What was met on the way goes to stderr. Exit codes: 0 done, 2 unusable input or settings.
"""

from pathlib import Path
from typing import Annotated

import typer

from deixis.base.atomic import is_stdout
from deixis.errors import InputError


def sketches(
    rows: Annotated[Path, typer.Argument(metavar="ROWS", help="Gold rows, JSON Lines.")],
    out: Annotated[Path, typer.Option(metavar="FILE", help="File of rows to write.")],
    predictions: Annotated[
        Path | None,
        typer.Option(
            "--from",
            metavar="FILE",
            help="What a first stage named, lines of deixis batch; the gold without.",
        ),
    ] = None,
    noise: Annotated[
        float, typer.Option(min=0.0, max=1.0, help="Share of rows with a mistake put in.")
    ] = 0.0,
    seed: Annotated[int, typer.Option(help="Of the mistakes.")] = 0,
) -> None:
    """Give rows the `sketch` that VKEL's second stage is shown when it is trained.

    A mistake is an entity that is left out or has another coarse type, as often one as the other,
    in so many rows as --noise says (VKEL, section IV-L: best at 0.1, worse from 0.15). All else in
    the rows stays.
    """
    from deixis.apps.files import is_one_of
    from deixis.base.text_files import keep_streams
    from deixis.evaluation.construction.samples import write_samples
    from deixis.training.sketches import with_sketches

    read = [path for path in (rows, predictions) if path is not None]
    if is_one_of(out, read):
        raise InputError(f"{out} is read; give another file to write")
    keep_streams(*read)
    sketched = with_sketches(rows, predictions, noise, seed)
    written = write_samples(out, sketched.samples)
    typer.echo(f"{sketched.wrong:8}  sketches that are not the gold", err=True)
    typer.echo(f"{sketched.changed:8}  changed by noise", err=True)
    typer.echo(f"wrote {written} rows to {out}", err=is_stdout(out))
