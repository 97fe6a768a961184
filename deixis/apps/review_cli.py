"""The command ``deixis review``: people accept and correct results, row by row, in a page.

The report goes to stdout, all else to stderr. Exit codes: 0 done, 2 unusable input.
"""

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape

from deixis.apps import options, terminal
from deixis.errors import InputError, MissingExtraError

_PORT = 8765


def review_results(
    results: Annotated[Path, typer.Argument(metavar="RESULTS", help="Results of deixis batch.")],
    reviewer: Annotated[
        str | None,
        typer.Option("--reviewer", metavar="NAME", help="Who reviews; else the page asks."),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="FOLDER", help="What is said; default: RESULTS.review."),
    ] = None,
    host: Annotated[
        str | None, typer.Option("--host", help="Where to listen.", show_default="127.0.0.1")
    ] = None,
    port: Annotated[
        int | None, typer.Option("--port", min=0, max=65535, show_default=str(_PORT))
    ] = None,
    token: Annotated[
        str | None,
        typer.Option(
            "--token", envvar="DEIXIS_TOKEN", help="What the page has to give; needed beyond here."
        ),
    ] = None,
    schema: Annotated[
        str | None, typer.Option("--schema", help="A type schema, whose types can be chosen.")
    ] = None,
    also: Annotated[
        Path | None,
        typer.Option("--also", metavar="RESULTS", help="Another run: where the two differ."),
    ] = None,
    pictures: Annotated[
        list[Path] | None,
        typer.Option("--pictures", help="Folder of pictures, besides that of RESULTS; repeatable."),
    ] = None,
    fetch: Annotated[
        bool, typer.Option("--fetch-pictures", help="Open pictures on the public internet.")
    ] = False,
    report: Annotated[
        bool, typer.Option("--report", help="Print what was said, and how far reviewers agree.")
    ] = False,
    merge: Annotated[
        Path | None,
        typer.Option("--merge", metavar="GOLD", help="Write the gold that reviewers agree on."),
    ] = None,
    as_json: options.JsonOption = False,
) -> None:
    """Accept and correct results in a page, row by row, by keyboard; what is right is kept as gold.

    Each reviewer has a file of gold rows in FOLDER, for deixis eval, train, examples and dataset.
    (deixis dataset review is another thing: a file of summaries for M-MRE, which people mend by
    hand.)
    """
    from deixis.base.text_files import is_stream
    from deixis.serving.review.merging import reviews_of

    if is_stream(results):
        raise InputError("a review goes back to its rows again and again; give a file, no stream")
    if results.is_dir():
        raise InputError(f"cannot read {results}: it is a folder; name a file of results")
    folder = reviews_of(results) if out is None else out
    served = (reviewer, host, port, token, schema, also, pictures)
    if report or merge is not None:
        if any(each is not None for each in served) or fetch or (report and merge is not None):
            raise InputError("--report and --merge stand alone, with RESULTS and --out")
        if merge is not None:
            _merge(results, folder, merge, as_json)
        else:
            _report(results, folder, as_json)
        return
    if as_json:
        raise InputError("--json is for --report and --merge")
    access = options.access_of(pictures, fetch)
    types = _types(schema)
    try:
        from deixis.serving.http import logs, running
        from deixis.serving.http.app import Access
        from deixis.serving.review.app import review_app
    except ImportError as error:
        raise MissingExtraError(error.name or "fastapi", "serve") from None
    from deixis.serving.review.store import Store

    host, token = host or "127.0.0.1", token or None
    running.check_access(host, token)
    store = Store(results, folder, also=also, access=access, reviewer=reviewer)
    try:
        app = review_app(store, Access(token, running.hosts_of(host, token)), schema=types)
        with running.listening(host, _PORT if port is None else port) as listener:
            typer.echo(f"{store.index.count()} rows; what is said goes to {folder}", err=True)
            typer.echo(f"open {running.url_of(host, listener)} (Ctrl-C ends)", err=True)
            logs.set_up()
            running.serve(app, listener)
    finally:
        store.close()


def _types(schema: str | None) -> dict[str, Any] | None:
    if schema is None:
        return None
    from deixis.type_schema import TypeSchema

    return TypeSchema.load(schema).model_dump(mode="json", exclude_none=True)


def _merge(results: Path, folder: Path, out: Path, as_json: bool) -> None:
    from deixis.apps.files import is_one_of
    from deixis.base.atomic import is_stdout
    from deixis.serving.review.merging import disputed_of, merge
    from deixis.serving.review.shelf import gold_files

    if is_stdout(out):
        raise InputError("--merge writes two files; name the first")
    if out.is_dir():
        raise InputError(f"cannot write {out}: it is a folder; name a file")
    if is_one_of(out, [results, *gold_files(folder)]) or is_one_of(disputed_of(out), [results]):
        raise InputError(f"{out} is what is read; give another --merge")
    merged = merge(results, folder, out)
    if as_json:
        terminal.print_json(merged._asdict())
        return
    typer.echo(
        f"{merged.alone} rows of one reviewer, {merged.agreed} agreed, {merged.decided} decided; "
        f"wrote {out}"
    )
    if merged.disputed:
        typer.echo(
            f"{merged.disputed} disputed: deixis review {disputed_of(out)}, then merge again"
        )


def _report(results: Path, folder: Path, as_json: bool) -> None:
    from deixis.apps.score_tables import percent, table_of
    from deixis.serving.review.report import report

    made = report(results, folder)
    if as_json:
        terminal.print_json(made)
        return
    table = table_of("accepted", "corrected", "skipped", "s/row", "MNER F1", "GMNER F1")
    for each in made["reviewers"]:
        scores = each["score"] or {}
        figures = [(scores.get(task) or {}).get("f1") for task in ("mner", "gmner")]
        shares = ["" if figure is None else percent(figure["value"]) for figure in figures]
        counts = [str(each[name]) for name in ("accepted", "corrected", "skipped")]
        seconds = each["seconds_a_row"]
        spent = "" if seconds is None else f"{seconds:.1f}"
        table.add_row(escape(each["reviewer"]), *counts, spent, *shares)
    terminal.show(table)
    terminal.line("F1: of the results as they were, against what the reviewer says")
    for each in made["reviewers"]:
        if each["changed"]:
            what = ", ".join(f"{name} {number}" for name, number in each["changed"].items())
            terminal.line(escape(f"{each['reviewer']} changed: {what}"))
    if made["pairs"]:
        table = table_of("rows", "types", "visible", "verdicts", "mean IoU")
        for pair in made["pairs"]:
            shares = [*pair["kappa"].values(), pair["mean_iou"]]
            cells = ["" if share is None else f"{share:.2f}" for share in shares]
            name = f"{pair['one']} / {pair['other']}"
            table.add_row(escape(name), str(pair["rows"]), *cells)
        terminal.show(table)
        terminal.line("types, visible, verdicts: Cohen's kappa")
