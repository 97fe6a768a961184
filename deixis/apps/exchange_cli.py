"""The commands ``deixis export`` and ``deixis import``: results to other tools, and back.

What was done goes to stdout, lines that were left out to stderr. Exit codes: 0 done, 1 some lines
were left out, 2 unusable input or settings.
"""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from deixis.apps import options, terminal
from deixis.base.atomic import is_stdout
from deixis.errors import InputError

if TYPE_CHECKING:
    from deixis.exchange.items import Item
    from deixis.rows import Problem

_SHOWN = 50


class _Problems:
    """Lines that are left out: the first are told as they are met, all are counted."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.count = 0
        self.shown: list[dict[str, Any]] = []

    def tell(self, problem: "Problem") -> None:
        self.count += 1
        if self.count > _SHOWN:
            return
        line = f":{problem.line}" if problem.line else ""
        id_ = f": {problem.id!r}" if problem.id is not None else ""
        terminal.warn(f"{self.path}{line}{id_}: {problem.error}")
        self.shown.append(problem._asdict())

    def document(self) -> dict[str, Any]:
        return {"problems": self.count, "first_problems": self.shown}

    def end(self) -> None:
        """Say how many were not shown.

        Raises:
            Exit: there were some.
        """
        if self.count > _SHOWN:
            terminal.warn(f"{self.count} lines are left out; {_SHOWN} are shown")
        if self.count:
            raise typer.Exit(1)


def export_results(
    results: Annotated[
        Path, typer.Argument(metavar="RESULTS", help="Results of a batch, or gold rows.")
    ],
    to: Annotated[str, typer.Option("--to", metavar="FORM", help="Which form, as listed above.")],
    out: Annotated[Path, typer.Option("--out", metavar="PLACE", help="File, or folder, to write.")],
    pictures: Annotated[
        str | None,
        typer.Option("--pictures", metavar="PREFIX", help="What stands before paths of pictures."),
    ] = None,
    base: Annotated[
        str | None,
        typer.Option("--base", metavar="IRI", help="What the IRIs of nodes begin with."),
    ] = None,
    model: Annotated[
        str | None,
        typer.Option("--model", metavar="NAME", help="What the maker of the results is called."),
    ] = None,
    schema: Annotated[
        str | None,
        typer.Option(
            "--schema",
            metavar="NAME|FILE",
            help="Type schema with the labels to choose from; else the shipped one that fits.",
        ),
    ] = None,
    as_json: options.JsonOption = False,
) -> None:
    """Write results in the form of another tool.

    FORM is label-studio, cvat, coco or brat, where people correct (all but cvat come back by
    deixis import); fiftyone, to look at pictures; jsonld or turtle, csv (for Neo4j), parquet: to
    ask questions of many posts; or module:OBJECT of your own. Lines that are no results are left
    out and told on stderr.
    """
    from deixis.apps.files import check_folder, is_one_of
    from deixis.base.text_files import keep_streams
    from deixis.exchange.items import Exporter, How, items_of
    from deixis.exchange.registry import find, heeded

    exporter = find(to, Exporter)
    how = heeded(exporter, How(pictures=pictures, base=base, model=model, schema=schema))
    if exporter.folder:
        check_folder(out)
        if results.is_file() and out.is_dir() and results.parent.samefile(out):
            raise InputError(f"{results} lies in {out}, where files are written over; name another")
    elif is_one_of(out, [results]):
        raise InputError(f"{out} is the file that is read; give another --out")
    _one_stream(out, as_json)
    keep_streams(results)
    problems = _Problems(results)
    written = exporter.write(_items(items_of(results), problems), out, how)
    if as_json:
        terminal.print_json(
            {
                "form": exporter.name,
                "files": [str(file) for file in written.files],
                "counts": written.counts,
                "left_out": written.left_out,
                **problems.document(),
            }
        )
    else:
        to_stderr = is_stdout(out)
        for what, number in written.counts.items():
            typer.echo(f"{number:8}  {what}", err=to_stderr)
        typer.echo(f"wrote {out}", err=to_stderr)
    for why in written.left_out:
        terminal.warn(f"no place for {why}")
    problems.end()


def import_corrections(
    form: Annotated[str, typer.Argument(metavar="FORM", help="label-studio, coco or brat.")],
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="What the tool has exported; of brat, a folder.")
    ],
    out: Annotated[Path, typer.Option("--out", metavar="GOLD", help="File of gold rows to write.")],
    rows: Annotated[
        Path | None,
        typer.Option(
            "--rows",
            metavar="RESULTS",
            help="What was exported: paths of media are made to lead from GOLD.",
        ),
    ] = None,
    as_json: options.JsonOption = False,
) -> None:
    """Read what people have corrected in another tool; write gold rows.

    Paths of pictures are as in what was exported. With --rows they are made relative to GOLD;
    without, write GOLD into the folder that the results are in. What cannot be read is left out and
    told on stderr.
    """
    from deixis.apps.files import is_one_of
    from deixis.base.text_files import is_stream, keep_streams, write_lines
    from deixis.exchange.items import How, Importer
    from deixis.exchange.registry import find, heeded

    importer = find(form, Importer)
    how = heeded(importer, How(rows=rows))
    if rows is not None and not is_stream(rows) and not rows.exists():
        raise InputError(f"cannot read {rows}: there is no such file; name what was exported")
    taken = [file, rows] if rows else [file]
    if is_one_of(out, taken):
        raise InputError(f"{out} is read as well; give another --out")
    _one_stream(out, as_json)
    keep_streams(*taken)
    problems = _Problems(file)
    moved = _Moved(rows, out)
    count = write_lines(out, _gold(importer.read(file, how), moved, problems))
    if as_json:
        document = {"form": importer.name, "file": str(out), "rows": count}
        terminal.print_json({**document, **problems.document()})
    else:
        typer.echo(f"wrote {count} rows to {out}", err=is_stdout(out))
    problems.end()


def _one_stream(out: Path, as_json: bool) -> None:
    if as_json and is_stdout(out):
        raise InputError("--json prints to stdout as well; give --out a file")


def _items(read: Iterable["Item | Problem"], problems: _Problems) -> Iterator["Item"]:
    from deixis.rows import Problem

    for each in read:
        if isinstance(each, Problem):
            problems.tell(each)
        else:
            yield each


class _Moved(NamedTuple):
    """Where paths of media lead from: the rows that were exported, to the file of gold rows."""

    rows: Path | None
    out: Path

    def row(self, row: dict[str, Any]) -> dict[str, Any]:
        from deixis.base.text_files import folder_of
        from deixis.exchange.items import relative_to

        if self.rows is None:
            return row
        before, after = folder_of(self.rows), folder_of(self.out)

        def moved(path: str) -> str:
            return path if "://" in path else relative_to(after, str(before / path))

        named = {name: path for name in ("image", "audio", "video") if (path := row.get(name))}
        placed: dict[str, Any] = {name: moved(path) for name, path in named.items()}
        if row.get("images"):
            placed["images"] = [moved(path) for path in row["images"]]
        return {**row, **placed}


def _gold(
    read: Iterable["dict[str, Any] | Problem"], moved: _Moved, problems: _Problems
) -> Iterator[str]:
    """Yield the lines of what was read, as far as each is a row whose id no other has."""
    from deixis.rows import Problem

    seen: set[str] = set()
    for each in read:
        made = each if isinstance(each, Problem) else _line(each, moved, seen)
        if isinstance(made, Problem):
            problems.tell(made)
        else:
            yield made


def _line(row: dict[str, Any], moved: _Moved, seen: set[str]) -> "str | Problem":
    from pydantic import ValidationError

    from deixis.base.json_lines import HALF, is_text
    from deixis.base.problems import problem_line
    from deixis.formats.muie_rows import MuieContent
    from deixis.rows import Problem, parse_row

    given = row.get("id")
    id_ = given if isinstance(given, str) else None
    if not is_text(row):
        return Problem(0, None, HALF)
    try:
        checked = parse_row(row, MuieContent)
    except ValidationError as error:
        return Problem(0, id_, problem_line(error))
    if checked.id in seen:
        return Problem(0, id_, "another row of this id was read before, which counts")
    seen.add(checked.id)
    return json.dumps(moved.row(row), ensure_ascii=False)
