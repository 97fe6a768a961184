"""PDFs on the command line: `deixis run FILE.pdf` and `deixis dataset convert pdf`."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape

from deixis.apps import terminal
from deixis.base.atomic import is_stdout
from deixis.errors import InputError

if TYPE_CHECKING:
    from deixis.documents.document import Document
    from deixis.settings import Settings

PagesOption = Annotated[
    str | None, typer.Option("--pages", metavar="PAGES", help="Of a PDF: 3, 2-5 or 1,4-6.")
]
_MOST = 100_000  # pages that can be named


def is_document(path: str | None) -> bool:
    """Say whether an argument is a PDF."""
    from deixis.documents.document import is_document

    return path not in (None, "-") and is_document(path)


def check_alone(given: Mapping[str, Any]) -> None:
    """Refuse what a PDF brings itself.

    Raises:
        InputError: something of it is given beside one.
    """
    for name, value in given.items():
        if value is not None and name != "task":
            raise InputError(f"a PDF has its own texts and pictures; leave out the {name}")


def numbers_of(pages: str | None) -> list[int] | None:
    """Return the numbers that ``--pages`` names.

    Raises:
        InputError: it names none, or too many.
    """
    if pages is None:
        return None
    found: set[int] = set()
    for part in pages.split(","):
        match = re.fullmatch(r"\s*(\d{1,6})(?:\s*-\s*(\d{1,6}))?\s*", part)
        first, last = (int(match[1]), int(match[2] or match[1])) if match else (1, 0)
        if not 1 <= first <= last <= _MOST:
            raise InputError(f"--pages takes numbers, such as 3, 2-5 or 1,4-6; got {pages!r}")
        found.update(range(first, last + 1))
    return sorted(found)


def run(
    path: str,
    settings: "Settings",
    pages: str | None,
    task: str | None,
    out: Path | None,
    *,
    as_json: bool,
) -> None:
    """Process the posts of a PDF, one by one, with one budget.

    Args:
        path: of the PDF.
        settings: the stack.
        pages: which, as ``--pages`` has them.
        task: of graph muie.
        out: folder for extraction.json, page.html and the drawn pages.
        as_json: whether one JSON document is printed in place of tables.

    Raises:
        InputError: the PDF cannot be used, or holds no text.
    """
    from deixis.apps import console, files, result_tables, weights
    from deixis.documents.document import MOST, open_document
    from deixis.documents.limits import limits_of
    from deixis.graphs.build import graph_of, toolbox_of
    from deixis.schema import Extraction
    from deixis.show.timing import Timing, spelled

    wanted = numbers_of(pages)
    if out:
        files.check_folder(out)
    toolbox = toolbox_of(settings)
    graph = graph_of(toolbox)
    most = min(settings.options.max_text, MOST)
    with console.counting("pages", shown=True) as tell:
        document = open_document(
            path,
            reader=reader_of(settings.roles.reader),
            most=most,
            pages=wanted,
            limits=limits_of(settings.options.max_pixels),
            tell=tell,
        )
    tell_notes(document)
    if not document.posts:
        raise InputError(f"{path}: no text was found in it, so there is nothing to name")
    shown = any(post.picture for post in document.posts)
    weights.fetch(toolbox, given={"image": shown})
    found, times = [], []
    with console.progress() as bar:
        for post in document.posts:
            given: Any = {"text": post.text, "image": post.picture and post.picture.data}
            given |= {} if task is None else {"task": task}
            extraction, seconds = console.extract(graph, given, bar, post.id)
            plain = post.origin.annotate(extraction.model_dump(mode="json"))
            found.append(Extraction.model_validate(plain))
            times.append(seconds)
    for extraction in found:
        console.warn(extraction)
    about = {
        "document": described(document),
        "posts": [each.model_dump(mode="json") for each in found],
    }
    written = _write(out, document, about, found, times, settings) if out else []
    if as_json:
        terminal.print_json(about)
        return
    for post, extraction in zip(document.posts, found, strict=True):
        title = f"{post.id}: {_short(extraction.caption or post.text)}"
        for table in result_tables.tables(extraction, escape(title)):
            terminal.show(table)
    terminal.line(escape(console.usage_line(found)))
    took = spelled(Timing(times, once={}).in_all())
    terminal.line(escape(f"It took {took}; loading is included"))
    for file in written:
        typer.echo(f"wrote {file}")


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 100 else f"{line[:97]}..."


def reader_of(spec: str | None) -> Any:
    """Return a reader that is loaded when a page has to be read; None for nobody."""
    from deixis.documents.scans import LateReader

    return None if spec is None else LateReader(spec)


def described(document: "Document") -> dict[str, Any]:
    """Return a document as it stands in JSON, without its posts."""
    return {
        "sha256": document.sha256,
        "source": document.source,
        "pages": document.pages,
        "read": [page.model_dump(mode="json") for page in document.read],
        "notes": document.notes,
    }


def tell_notes(document: "Document") -> None:
    """Say on stderr what was left out."""
    for note in document.notes:
        terminal.warn(f"{document.name}: {note}")


def _write(
    out: Path,
    document: "Document",
    about: dict[str, Any],
    found: list[Any],
    times: list[Any],
    settings: "Settings",
) -> list[Path]:
    import json
    from io import BytesIO

    from deixis.apps import files
    from deixis.documents.drawing import drawn_pages
    from deixis.documents.limits import limits_of
    from deixis.show import views
    from deixis.show.timing import Timing

    text = json.dumps(about, ensure_ascii=False, indent=2) + "\n"
    written = [files.write(out / "extraction.json", text.encode())]
    images = [post.picture and post.picture.data for post in document.posts]
    page = views.page(found, images, title=document.name, timing=Timing(times, once={}))
    written.append(files.write(out / "page.html", page.encode()))
    limits = limits_of(settings.options.max_pixels)
    for number, drawn in drawn_pages(document, found, limits):
        file = BytesIO()
        drawn.save(file, "PNG")
        written.append(files.write(out / f"page-{number}.png", file.getvalue()))
    return written


def convert(src: Path, out: Path, pages: str | None, most: int | None, reader: str | None) -> None:
    """Turn a PDF, or those of a folder, into rows, with their pictures beside the file.

    Args:
        src: the PDF or the folder.
        out: file of rows.
        pages: which pages, as ``--pages`` has them.
        most: characters of a row's text.
        reader: of pages without text.

    Raises:
        InputError: nothing can be used, or the place cannot be written.
    """
    from deixis.documents import rows
    from deixis.documents.document import MOST

    if most is not None and most < 100:
        raise InputError(f"--max-text takes at least 100 characters; got {most}")
    spec = None if reader == "none" else reader or "rapidocr"
    done = rows.convert(
        src,
        out,
        pages=numbers_of(pages),
        most=most or MOST,
        reader=reader_of(spec),
        tell=tell_notes,
    )
    for failure in done.failed:
        terminal.warn(failure)
    typer.echo(
        f"wrote {done.rows} rows to {out} (PDFs: {done.documents}, pictures: {done.pictures})",
        err=is_stdout(out),
    )
    if done.failed:
        raise typer.Exit(1)
