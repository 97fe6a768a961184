"""How a command runs a batch: wrong rows, what was finished earlier, Ctrl-C, progress, summary."""

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import timedelta
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any

import typer

from deixis.apps import terminal

if TYPE_CHECKING:
    from deixis.batch.row import Problem
    from deixis.batch.run import Batch
    from deixis.batch.tally import Tally

SHOWN = 50
"""Wrong rows that are listed in the terminal; all are in the file of failures."""
_EVERY = 0.5  # seconds between two looks at the progress in a terminal
_EVERY_LOGGED = 30.0  # and in a log


def perform(begin: "Callable[..., Batch]", *, renew: bool, progress: bool) -> "Batch":
    """Run a batch to its end, or until Ctrl-C, and tell on stderr what is met on the way.

    Args:
        begin: makes the batch, and takes `report`, as `Batch` does.
        renew: whether it runs rows again that have changed.
        progress: whether to show how far it is.
    """
    from deixis.apps import weights

    wrong = Wrong()
    run = begin(report=wrong.show)
    with closing(run):
        wrong.end(run.output.failures)
        for line in _resumed(run, renew):
            typer.echo(line, err=True)
        weights.fetch(run.toolbox, shown=progress)
        with _stopping(run), _shown(progress) as tell:
            run.run(tell)
    return run


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


class Wrong:
    """Lists the first rows that are wrong."""

    def __init__(self) -> None:
        self._count = 0

    def show(self, problem: "Problem") -> None:
        """List one of them."""
        self._count += 1
        if self._count <= SHOWN:
            named = "" if problem.id is None else f" ({problem.id!r})"
            typer.echo(f"line {problem.line}{named}: {problem.error}", err=True)

    def end(self, failures: Path | None) -> None:
        """Say how many there were, and where all of them are."""
        if self._count:
            where = f"; all of them are in {failures}" if failures else ""
            typer.echo(
                f"{self._count} rows of the input are wrong and are left out{where}", err=True
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
    tokens = f"{tally.input_tokens + tally.output_tokens} tokens"
    if tally.cached_input_tokens:
        tokens += f" ({tally.cached_input_tokens} of them from the provider's cache)"
    parts += [
        f"{tally.calls} calls",
        tokens,
        *([] if tally.cost is None else [f"cost {tally.cost:.4g}"]),
        f"{tally.cached} cached",
        *([f"{tally.posted} in batches of providers"] if tally.posted else []),
        *([f"no answer from one: {tally.trouble}"] if tally.trouble else []),
        f"{tally.warned} with warnings",
        f"{tally.failed} failed",
    ]
    return ", ".join(parts)


def summarise(run: "Batch", as_json: bool) -> None:
    """Say on stdout what a run has done, and on stderr what failed or is left."""
    tally = run.tally
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
    elif tally.stopped == "waiting":
        typer.echo(
            f"{tally.left} rows are left, {tally.posted} requests in batches of providers: run the "
            "same line later to go on",
            err=True,
        )
    elif tally.stopped:
        typer.echo(f"stopped; {tally.left} rows are left: run the same line to go on", err=True)


def exit_code(run: "Batch") -> int:
    """Return what a command ends with: 130 interrupted, 1 for rows failed, left or changed."""
    tally = run.tally
    if tally.stopped == "interrupted":
        return 130
    return int(bool(tally.failed or tally.left or tally.changed))
