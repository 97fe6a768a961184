"""The command line of annotated examples: ``deixis examples build``, ``import``, ``augment``.

Results go to stdout, progress and warnings to stderr. Exit codes: 0 done, 1 some lines
were left out, 2 unusable input or settings.
"""

import json
from pathlib import Path
from typing import Annotated

import typer

from deixis.apps import options, terminal
from deixis.base.atomic import is_stdout
from deixis.errors import DataError, InputError

_SHOWN = 20

examples_app = options.group(
    "Index annotated examples for the graph riveg, and make training data of what it wrote."
)


@examples_app.command()
def build(
    rows: Annotated[
        Path,
        typer.Argument(
            metavar="ROWS", help='JSON Lines: {"id", "text", "image", "annotation", "caption"}.'
        ),
    ],
    out: Annotated[Path, typer.Option(metavar="FOLDER", help="Folder of the index.")],
    stack: options.StackOption = "starter",
    role: options.RoleOption = None,
) -> None:
    """Compute the features of annotated examples once and keep them on disk.

    An annotation says which entities the text has, and explains why, with how text and picture go
    together; a gold row without one gets it from its entities. image may be left out, a relative
    path is relative to ROWS; without caption, the captioner of the stack describes the picture, or
    else its detector and reader. The embedder of the stack computes the features. Name the folder
    in a stack: `options: {examples: FOLDER}`.
    """
    from deixis.agents.context.toolbox import Toolbox
    from deixis.agents.riveg import index
    from deixis.apps import console
    from deixis.apps.files import check_folder
    from deixis.base.text_files import folder_of, keep_streams

    check_folder(out)
    keep_streams(rows)
    annotated = index.read_annotated(rows)
    toolbox = Toolbox(options.settings_of(stack, None, role))
    with console.progress() as bar:
        task = bar.add_task("examples", at="")
        shown = bar.track(annotated, total=len(annotated), task_id=task)
        for note in index.build(shown, folder_of(rows), out, toolbox):
            terminal.warn(note)
    typer.echo(f"indexed {len(annotated)} examples with {toolbox.model('embedder')} in {out}")


@examples_app.command("import")
def import_(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Whose annotations: pgim.")],
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="2015train.txt or 2017train.txt of the authors.")
    ],
    rows: Annotated[
        Path, typer.Option(metavar="ROWS", help="Rows of the data set: texts, pictures, captions.")
    ],
    out: Annotated[
        Path, typer.Option(metavar="FILE", help="Annotated rows, for deixis examples build.")
    ],
) -> None:
    """Turn the annotations that others have released into rows for `deixis examples build`.

    pgim: a line with an id, then a line with what a person wrote of that post. What is left out
    (no row of that id, no annotation) is counted, and the first 20 lines of it are shown.
    """
    from deixis.apps.files import is_one_of
    from deixis.base.text_files import folder_of, keep_streams, write_lines
    from deixis.evaluation.datasets.source import Source
    from deixis.formats import pgim
    from deixis.rows import read_rows

    if name != "pgim":
        raise InputError(f"there are no annotations of {name!r}; known: pgim")
    if is_one_of(out, [file, rows]):
        raise InputError(f"{out} is read; give another file to write")
    keep_streams(file, rows)
    known = {row.id: row for row in read_rows(rows, pgim.CaptionedRow)}
    samples, misfits = pgim.read(file, known.values())
    for number, (piece, reason) in list(misfits.items())[:_SHOWN]:
        terminal.warn(f"{file}:{number}: {reason}: {piece[:80]!r}")
    if misfits:
        terminal.warn(f"{len(misfits)} lines of {file} are left out")
    if not samples:
        raise DataError(
            f"{file}: no annotation of a row in {rows}; are these rows of its data set?"
        )
    place = Source(folder_of(rows), "", beside=folder_of(out))
    lines = []
    for identity, annotation in samples:
        row = known[identity]
        told = {"image": place.media(row.image), "caption": row.caption, "annotation": annotation}
        annotated = {"id": identity, "text": row.text, **told}
        kept = {key: value for key, value in annotated.items() if value is not None}
        lines.append(json.dumps(kept, ensure_ascii=False))
    written = write_lines(out, lines)
    typer.echo(f"wrote {written} annotated rows to {out}", err=is_stdout(out))
    if misfits:
        raise typer.Exit(1)


@examples_app.command()
def augment(
    gold: Annotated[Path, typer.Argument(metavar="GOLD", help="Gold rows.")],
    run: Annotated[
        Path, typer.Argument(metavar="RUN", help="What deixis batch wrote for them with riveg.")
    ],
    out: Annotated[Path, typer.Option(metavar="FOLDER", help="Folder for the files.")],
) -> None:
    """Turn the words of several models for one sample into training data.

    Writes recognition.jsonl (text, knowledge, gold entities; a line for each model that wrote
    knowledge) and grounding.txt (a line for each expression of a gold entity, with whether it can
    be seen and its largest box). For several models set `graph_options: {augment: true}`.
    """
    from deixis.apps.files import check_folder
    from deixis.base.text_files import keep_streams
    from deixis.evaluation.construction.augmentation import write_training
    from deixis.formats.riveg_training import read

    check_folder(out)
    keep_streams(gold, run)
    training = read(gold, run)
    write_training(out, training)
    for lack, number in training.lacking.items():
        terminal.warn(f"{number} gold entities have no line: {lack}")
    typer.echo(
        f"wrote {len(training.recognition)} rows with knowledge and {len(training.grounding)} "
        f"expressions to {out}; {training.missing} gold entities without expression"
    )
