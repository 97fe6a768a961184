"""How far a run of training is, on stderr: a bar for whoever watches, lines for a log."""

from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic
from typing import Any

import typer

from deixis.apps import console, terminal
from deixis.training.fine_tuning.progress import Entry
from deixis.training.fine_tuning.run import Watcher
from deixis.training.lessons.records import Lessons

_EVERY_LOGGED = 30.0  # seconds between two lines of a log


@contextmanager
def watching() -> Iterator[Watcher]:
    """Yield what shows a run."""
    with console.progress() as bar:
        shown = _Shown(bar)
        yield Watcher(shown.rows, shown.lessons, shown.step)


class _Shown:
    def __init__(self, bar: Any) -> None:
        self._bar = bar
        self._tasks: dict[str, Any] = {}
        self._told = monotonic()

    def rows(self, done: int, of: int) -> None:
        self._at("lessons", done, of, "")

    def lessons(self, lessons: Lessons) -> None:
        manifest = lessons.manifest
        typer.echo(f"{manifest.rows['rows']} rows, {manifest.lessons} lessons", err=True)
        for reason, count in manifest.left_out.items():
            terminal.warn(f"{count} rows left out: {reason}")

    def step(self, entry: Entry, steps: int) -> None:
        if "score" in entry:
            said = (
                f"epoch {entry['epoch']:g}, step {entry['step']}: score {100 * entry['score']:.2f}"
            )
            typer.echo(said, err=True)
            return
        figure = "reward" if "reward" in entry else "loss"
        self._at("steps", entry["step"], steps, f"{figure} {entry[figure]:.4f}")

    def _at(self, what: str, done: int, of: int, more: str) -> None:
        if terminal.is_live():
            if what not in self._tasks:
                self._tasks[what] = self._bar.add_task(what, total=of, at=more)
            self._bar.update(self._tasks[what], completed=done, at=more)
        elif monotonic() - self._told >= _EVERY_LOGGED:
            self._told = monotonic()
            typer.echo(f"{what}: {done}/{of} {more}".rstrip(), err=True)
