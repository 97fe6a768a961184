"""The commands for many rows: ``deixis batch`` and ``deixis report``.

The summary goes to stdout, progress and what is wrong to stderr. Exit codes: 0 all rows are
finished, 1 some failed, are left, or have changed since they were finished, 2 unusable input or
settings, 130 stopped by Ctrl-C.
"""

import os
import re
import signal
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import timedelta
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from deixis.apps import options, terminal
from deixis.apps.options import GraphOption, RoleOption, StackOption, settings_of
from deixis.apps.prompts_cli import PromptsOption
from deixis.base.atomic import is_stdout
from deixis.errors import InputError

if TYPE_CHECKING:
    from deixis.batch.row import Problem
    from deixis.batch.run import Batch, Tally
    from deixis.settings import Budget

SHOWN = 50
"""Wrong rows that are listed in the terminal; all are in the file of failures."""
_EVERY = 0.5  # seconds between two looks at the progress in a terminal
_EVERY_LOGGED = 30.0  # and in a log


SourceArgument = Annotated[
    Path,
    typer.Argument(
        metavar="IN.jsonl", help='Rows: {"id": ..., "text": ..., "image": ...}; - is stdin.'
    ),
]
OutOption = Annotated[Path, typer.Option("--out", help="File of results; an old one is continued.")]
ConcurrencyOption = Annotated[
    int | None,
    typer.Option(
        min=1, max=1000, help="Rows at once, in each worker: 4, or 2 if no language model is asked."
    ),
]
EngineOption = Annotated[
    Literal["threads", "ray"], typer.Option(help="Where rows run: here, or on a Ray cluster.")
]
WorkersOption = Annotated[
    int, typer.Option(min=1, max=10_000, help="Processes on the cluster; limits are divided.")
]
GpusOption = Annotated[
    float, typer.Option(min=0.0, help="GPUs of each worker: 0, 1, 2, ..., or a part of one.")
]
BudgetOption = Annotated[
    str | None, typer.Option(metavar="calls=N,tokens=N", help="The most that this run may ask.")
]
ShuffleOption = Annotated[
    int | None, typer.Option(help="Take the rows in an order of its own, the same each time.")
]
RenewOption = Annotated[
    bool,
    typer.Option(
        "--renew", help="Run finished rows again that have changed; drop those that are gone."
    ),
]


def batch(
    source: SourceArgument,
    out: OutOption,
    stack: StackOption = "starter",
    concurrency: ConcurrencyOption = None,
    engine: EngineOption = "threads",
    workers: WorkersOption = 1,
    gpus_per_worker: GpusOption = 0.0,
    budget: BudgetOption = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Only the first so many rows.")] = None,
    shuffle_seed: ShuffleOption = None,
    renew: RenewOption = False,
    role: RoleOption = None,
    graph: GraphOption = None,
    prompts: PromptsOption = None,
    urls: options.UrlsOption = None,
    progress: Annotated[bool, typer.Option(help="Show on stderr how far it is.")] = True,
    as_json: Annotated[bool, typer.Option("--json", help="Print the summary as JSON.")] = False,
) -> None:
    """Process many rows. Run the same line again to go on after a stop, a kill or a failure."""
    from deixis.apps import weights
    from deixis.base.text_files import keep_streams
    from deixis.batch.ray_workers import Cluster
    from deixis.batch.run import Batch

    if engine == "threads" and (workers > 1 or gpus_per_worker):
        raise InputError("--workers and --gpus-per-worker go with --engine ray")
    settings = settings_of(stack, prompts, role, graph, urls)
    if budget is not None:
        settings = settings.with_options(budget=parse_budget(budget))
    keep_streams(source)
    wrong = _Wrong()
    run = Batch(
        settings,
        source,
        out,
        concurrency=concurrency,
        cluster=Cluster(workers, gpus_per_worker) if engine == "ray" else None,
        shuffle_seed=shuffle_seed,
        limit=limit,
        renew=renew,
        report=wrong.show,
    )
    with closing(run):
        wrong.end(run.output.failures)
        for line in _resumed(run, renew):
            typer.echo(line, err=True)
        weights.fetch(run.toolbox, shown=progress)
        with _stopping(run), _shown(progress) as tell:
            tally = run.run(tell)
    _summarise(tally, run, as_json)


def _resumed(run: "Batch", renew: bool) -> Iterator[str]:
    """Say what an earlier run has left, and which of its results fit the input no more."""
    if run.tally.earlier:
        yield f"{run.tally.earlier} rows were finished earlier"
    resumed = run.resumed
    if resumed.changed:
        more = ", ..." if resumed.changed > len(resumed.examples) else ""
        named = ", ".join(resumed.examples) + more
        todo = (
            "they are run again"
            if renew
            else "their old results stay; run the same line with --renew to run them again"
        )
        yield f"{resumed.changed} finished rows have changed in the input: {named}; {todo}"
    if resumed.gone:
        yield f"{resumed.gone} results of rows that are not in the input any more were taken out"


def parse_budget(text: str) -> "Budget":
    """Read ``calls=1000,tokens=2000000``, or one of both.

    Raises:
        InputError: it is something else.
    """
    from deixis.settings import Budget

    parts = [re.fullmatch(r"(calls|tokens)=(\d{1,15})", part.strip()) for part in text.split(",")]
    limits = {part[1]: int(part[2]) for part in parts if part}
    if len(limits) < len(parts):
        raise InputError(f"--budget takes calls=N, tokens=N, or calls=N,tokens=N; got {text!r}")
    return Budget(**limits)


class _Wrong:
    """Lists the first rows that are wrong."""

    def __init__(self) -> None:
        self._count = 0

    def show(self, problem: "Problem") -> None:
        self._count += 1
        if self._count <= SHOWN:
            named = "" if problem.id is None else f" ({problem.id!r})"
            typer.echo(f"line {problem.line}{named}: {problem.error}", err=True)

    def end(self, failures: Path) -> None:
        if self._count:
            typer.echo(
                f"{self._count} rows of the input are wrong and are left out; all of them are in "
                f"{failures}",
                err=True,
            )


@contextmanager
def _stopping(run: "Batch") -> Iterator[None]:
    """Let the first Ctrl-C finish what is in flight, and the second end the process at once."""
    pressed: list[int] = []

    def stop(*_: Any) -> None:
        pressed.append(1)
        if len(pressed) > 1:
            os.write(2, b"\nstopped; run the same line again to go on\n")
            os._exit(130)  # results are whole lines already; nothing else is worth waiting for
        os.write(2, b"\nfinishing the rows in flight; press Ctrl-C again to stop at once\n")
        run.stop()

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def _shown(wanted: bool) -> Iterator[Any]:
    """Yield what shows a tally: in a terminal one line that changes, in a log one at times."""
    from rich.text import Text

    from deixis.apps.terminal import err, is_live

    if not wanted:
        yield lambda tally: None
        return
    every = _EVERY if is_live() else _EVERY_LOGGED
    shown = [monotonic()]
    status = err.status(Text("starting"))

    def tell(tally: "Tally") -> None:
        if monotonic() - shown[0] < every:
            return
        shown[0] = monotonic()
        if is_live():
            status.update(Text(describe(tally)))
        else:
            typer.echo(describe(tally), err=True)

    if is_live():
        with status:
            yield tell
    else:
        yield tell


def describe(tally: "Tally") -> str:
    """Say in one line how far a run is, how fast, and what it has cost."""
    parts = [f"{tally.rows - tally.left}/{tally.rows} rows", f"{tally.rate:.3g}/s"]
    if tally.left and tally.rate:
        parts.append(f"{timedelta(seconds=round(tally.left / tally.rate))} left")
    parts += [
        f"{tally.calls} calls",
        f"{tally.input_tokens + tally.output_tokens} tokens",
        *([] if tally.cost is None else [f"cost {tally.cost:.4g}"]),
        f"{tally.cached} cached",
        f"{tally.warned} with warnings",
        f"{tally.failed} failed",
    ]
    return ", ".join(parts)


def _summarise(tally: "Tally", run: "Batch", as_json: bool) -> None:
    if as_json:
        from dataclasses import asdict

        files = {"out": str(run.output.path), "failures": str(run.output.failures)}
        summary = {**files, "settings": run.output.settings, **asdict(tally), "left": tally.left}
        terminal.print_json(summary)
    else:
        typer.echo(f"{describe(tally)}; wrote {run.output.path}")
    if tally.failed:
        typer.echo(f"{tally.failed} rows failed: see {run.output.failures}", err=True)
    if tally.stopped == "budget":
        typer.echo(
            f"the budget is used up; {tally.left} rows are left: run the same line with a larger "
            "--budget to go on",
            err=True,
        )
    elif tally.stopped:
        typer.echo(f"stopped; {tally.left} rows are left: run the same line to go on", err=True)
        raise typer.Exit(130)
    if tally.failed or tally.left or tally.changed:
        raise typer.Exit(1)


def report(
    results: Annotated[Path, typer.Argument(metavar="OUT.jsonl", help="What batch has written.")],
    gold: Annotated[Path | None, typer.Option(help="Gold rows to score against.")] = None,
    task: Annotated[str, typer.Option(help="What to score, as for deixis eval.")] = "gmner",
    out: Annotated[
        Path | None, typer.Option("--out", help="Page to write; by default beside OUT.jsonl.")
    ] = None,
    samples: Annotated[int, typer.Option(min=0, help="Rows in the gallery, the first ones.")] = 50,
    pictures: options.PicturesOption = None,
    fetch: options.FetchOption = False,
) -> None:
    """Write one HTML page: scores, cost, failures, and a gallery with the votes."""
    from deixis.apps import files
    from deixis.base.text_files import is_stream, keep_streams
    from deixis.evaluation.pages.report import report_page

    if out is not None and files.is_one_of(out, [results, *([gold] if gold else [])]):
        raise InputError(f"{out} is what the page is made of; give another --out")
    if out is None and is_stream(results):
        raise InputError("results from a stream have no place for a page beside them; give --out")
    keep_streams(results, gold)
    access = options.access_of(pictures, fetch)
    if (pictures or fetch) and not samples:
        raise InputError("--samples 0 shows no pictures; leave out --pictures and --fetch-pictures")
    page = report_page(results, gold, task=task, samples=samples, access=access)
    out = out or results.with_name(results.name.removesuffix(".jsonl") + ".html")
    written = files.write(out, page.encode())
    typer.echo(f"wrote {written}", err=is_stdout(written))
