"""The command line of what VKEL's stages are trained on: ``deixis dataset pair``, ``sketches``.

What was met on the way goes to stderr. Exit codes: 0 done, 2 unusable input or settings.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from deixis.apps import options
from deixis.apps.construct_cli import ProgressOption
from deixis.base.atomic import is_stdout
from deixis.errors import InputError, SettingsError

if TYPE_CHECKING:
    from deixis.settings import Settings
    from deixis.tools.base import Matcher


def pair(
    rows: Annotated[Path, typer.Argument(metavar="ROWS", help="Texts with entities.")],
    out: Annotated[Path, typer.Option(metavar="FILE", help="File of rows to write.")],
    images: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            help="Candidates of the row ID are the files of FOLDER/ID; else its `images`.",
        ),
    ] = None,
    types: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="YAML, label: coarse type (or null: no entity); else they stay."
        ),
    ] = None,
    embedder: Annotated[
        str, typer.Option(metavar="TOOL", help="clip or siglip, with its weights.")
    ] = "clip:openai/clip-vit-large-patch14",
    least: Annotated[float, typer.Option(min=-1.0, max=1.0, help="Cosine of a pair.")] = 0.3,
    longest: Annotated[int, typer.Option(min=1, help="Words of a text.")] = 26,
    urls: options.UrlsOption = None,
    progress: ProgressOption = True,
) -> None:
    """Give each text the candidate picture that fits it best (VKEL, section III-C.1, equation 2).

    So that a text-only data set can be added to what the first stage learns. Of the candidates the
    one with the largest cosine is taken, as `similarity` says; texts without one of --least, and
    longer ones than --longest, are left out. A label is looked up in --types whole, then without
    what follows its last / or -; of a row with a label that is not there nothing is made. Boxes go,
    for nobody looked. What is left out is counted on stderr.
    """
    from functools import partial

    from deixis.apps import console
    from deixis.apps.files import is_one_of
    from deixis.base.images import open_image
    from deixis.base.text_files import folder_of, keep_streams
    from deixis.base.yaml_files import read_yaml
    from deixis.evaluation.construction.samples import write_samples
    from deixis.settings import Settings
    from deixis.training.pairs import Rules, in_folder, make_pairs, of_row, types_in

    read = [path for path in (rows, types) if path is not None]
    if is_one_of(out, read):
        raise InputError(f"{out} is read; give another file to write")
    if images is not None and not images.is_dir():
        raise InputError(f"--images: {images} is no folder; give the one of the candidates")
    rules = Rules(least, longest, types_in(read_yaml(types), types) if types else None)
    keep_streams(rows)
    settings = Settings.load().with_roles({"embedder": embedder})
    matcher = _matcher(settings, shown=progress)
    candidates = partial(in_folder, images) if images else partial(of_row, folder_of(rows))
    allowed = urls or settings.options.urls
    with console.progress(shown=progress) as bar:
        task = bar.add_task("pairs", at="")
        pairs = make_pairs(
            rows,
            candidates,
            lambda path: open_image(path, urls=allowed).pixels,
            matcher,
            rules,
            lambda done, count: bar.update(task, completed=done, total=count),
        )
    written = write_samples(out, pairs.samples)
    for name, number in pairs.counts.items():
        typer.echo(f"{number:8}  {name}", err=True)
    typer.echo(f"wrote {written} rows to {out}", err=is_stdout(out))


def _matcher(settings: "Settings", shown: bool) -> "Matcher":
    """Return the embedder, its weights fetched.

    Raises:
        SettingsError: there is none of this name, or it has not pictures and texts in one space.
    """
    from deixis.agents.context.toolbox import toolbox_of_role
    from deixis.apps import weights
    from deixis.tools.base import Matcher

    toolbox = toolbox_of_role(settings, "embedder", "clip")
    toolbox.check()
    weights.fetch(toolbox, shown=shown)
    matcher: Any = toolbox.embedder
    if not isinstance(matcher, Matcher):
        raise SettingsError(
            f"{settings.roles.embedder} does not compare pictures with texts; name one that does: "
            "--embedder clip"
        )
    return matcher


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
