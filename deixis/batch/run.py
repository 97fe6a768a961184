"""Run many rows through the graph, a few at once, and lose none of them, whatever happens.

A row is finished when its line stands in the output. A run that ends early, by a kill, by
Ctrl-C or because its budget is used up, is continued by the same call: finished rows are
not run again, and what was answered for those in flight is in the cache of answers.
"""

import os
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from time import monotonic
from typing import Any

from deixis.agents.structure import usage
from deixis.base.urls import without_credentials
from deixis.batch.input import Rows
from deixis.batch.output import Finished, Output, check_place, line_of
from deixis.batch.ray_workers import Cluster, RayWorkers
from deixis.batch.resume import go_on
from deixis.batch.rounds import ProviderBatch, Rounds, check
from deixis.batch.row import Problem, Task
from deixis.batch.settings import fingerprint, identity, write_templates
from deixis.batch.tally import Tally
from deixis.batch.worker import Engine, Result, Threads
from deixis.errors import InputError, SettingsError
from deixis.graphs.build import toolbox_of
from deixis.settings import Settings


class Batch:
    """A run: checks its input and takes hold of its output when made, works when `run`.

    Args:
        settings: the stack; its budget is for this run, with the templates for new types that
            are written first.
        source: rows, one JSON object per line, with ``id``, ``text`` and maybe ``image``; a file
            as `deixis.base.text_files` reads it.
        out: where the results go, one per line: ``id``, ``settings`` and the fields of
            `Extraction`; a relative ``image.source`` is relative to this file.
        concurrency: rows that run at once, in each worker if there are several; None is for 4, or 2
            where no language model is asked: then threads only wait for each other.
        cluster: the workers on a cluster of Ray; None for threads of this process.
        provider_batch: asks by batches of the providers, in rounds; None is for asking at once.
        shuffle_seed: takes the rows in an order of its own.
        limit: only the first so many rows of that order.
        gold_mentions: takes the ``entities`` of each row for its mentions, so that nothing is
            recognized and each component can be scored alone.
        renew: takes results out whose row has changed in the input, which is then run again,
            or is no longer there; without it, the first stay and are counted, the others are
            an error.
        report: is told of every row that is wrong, before anything is asked.

    Raises:
        InputError: no row can be used, or the output cannot be written, or is being written.
        DataError: the output holds what no run has written, or a row that the input lacks; or
            the input holds no text.
        SettingsError: as for `build_graph` and `ray_workers.share_of`; or the output was made with
            other settings.
        MissingExtraError: a cluster is given, and Ray is not installed.
    """

    def __init__(
        self,
        settings: Settings,
        source: Path,
        out: Path,
        *,
        concurrency: int | None = None,
        cluster: Cluster | None = None,
        provider_batch: ProviderBatch | None = None,
        shuffle_seed: int | None = None,
        limit: int | None = None,
        gold_mentions: bool = False,
        renew: bool = False,
        report: Callable[[Problem], None] = lambda problem: None,
    ) -> None:
        check_place(out, source)
        self.toolbox = toolbox_of(settings)
        asks = any(not seat.is_tool for seat in self.toolbox.cast.seats())
        at_once = (4 if asks else 2) if concurrency is None else concurrency
        self._engine: Engine = (
            RayWorkers(settings, self.toolbox, at_once, cluster)
            if cluster
            else Threads(self.toolbox, at_once)
        )
        self._stopped = ""
        self._rounds: Rounds | None = None
        if provider_batch:
            if cluster:
                raise SettingsError("batches of a provider are asked from one process; no cluster")
            check(self.toolbox)
        with ExitStack() as opened:
            self._rows = Rows(
                source,
                settings.options.max_text,
                gold_mentions=gold_mentions,
                takes=self.toolbox.takes,
            )
            opened.callback(self._rows.close)
            self._rows.scan(shuffle_seed, limit)
            count, problems = len(self._rows), 0
            for problem in self._rows.problems():
                problems += 1
                report(problem)
            if not count:
                bad = f"{problems} are wrong" if problems else "there is none"
                raise InputError(f"{source} holds no row that can be run: {bad}")
            asked = write_templates(self.toolbox)
            known = identity(settings)
            self.output = Output(out, known, fingerprint(known), Finished.model_validate_json)
            opened.callback(self.output.close)
            self.resumed = go_on(self._rows, self.output, renew)
            self.tally = Tally(
                count + problems,
                earlier=count - len(self._rows),
                wrong=problems,
                changed=0 if renew else self.resumed.changed,
            )
            used = usage(asked.get("calls", {}), settings.options.prices)
            self.tally.add_usage([sums.model_dump() for sums in used])
            for problem in self._rows.problems():
                self._fail(problem.id, problem.line, problem.error)
            if provider_batch:
                settings_hash = self.output.settings
                self._rounds = Rounds(provider_batch, self.toolbox, out, settings_hash)
                opened.callback(self._end_rounds)
            self._opened = opened.pop_all()

    def stop(self, why: str = "interrupted") -> None:
        """Begin no more rows; `run` returns when those in flight are finished.

        May be called from a signal handler or another thread.
        """
        self._stopped = self._stopped or why
        self._engine.stop()
        if self._rounds:
            self._rounds.jobs.stopped.set()

    def close(self) -> None:
        """Let go of the input and the output; `run` does so when it ends."""
        self._opened.close()

    def run(self, tell: Callable[[Tally], None] = lambda tally: None) -> Tally:
        """Run what is left; close the output.

        Args:
            tell: is called with the tally after every row.

        Raises:
            InputError: the output cannot be written any more; or the cluster cannot be used.
            SettingsError, MissingExtraError, MissingKeyError, ModelFileError: no row can be run.
        """
        try:
            if self.tally.left:
                self._engine.start(self.output.settings)
            trouble = self._run_rounds(tell) if self._rounds else self._feed(tell)
            self.tally.stopped = self._stopped if self.tally.left else ""
        finally:
            self._engine.close()  # after an error here, what waits in it is not begun
            self.close()
        if trouble is not None:
            raise trouble
        return self.tally

    def _run_rounds(self, tell: Callable[[Tally], None]) -> BaseException | None:
        """Run the rows in rounds; return as `_feed`."""
        rounds = self._rounds
        troubles: list[BaseException | None] = [None]
        assert rounds is not None, "there are rounds"

        def run_rows() -> int:
            self.tally.waiting = 0
            troubles.append(self._feed(tell))
            return self.tally.waiting

        def look() -> None:
            self.tally.posted, self.tally.trouble = rounds.mailbox.in_jobs(), rounds.jobs.trouble
            tell(self.tally)

        if self.tally.left:
            self._stopped = rounds.run(run_rows, lambda: self.tally.left, look) or self._stopped
        return troubles[-1]

    def _end_rounds(self) -> None:
        assert self._rounds is not None, "there are rounds"
        self._rounds.close(done=not self.tally.left)

    def _feed(self, tell: Callable[[Tally], None]) -> BaseException | None:
        """Give the tasks to the engine and take what comes of them, until a stop or the end.

        Returns:
            The error that no row could escape, if there was one.
        """
        began = monotonic()
        waiting = iter(self._rows)
        in_flight = 0
        trouble: BaseException | None = None
        while True:
            while in_flight < self._engine.room and not self._stopped and not self._full:
                task = next(waiting, None)
                if task is None:
                    break
                if isinstance(task, Problem):
                    self._fail(task.id, task.line, task.error)
                    self._rows.leave(str(task.id))
                    continue
                self._engine.give(task)
                in_flight += 1
            if not in_flight:
                return trouble
            task, result = self._engine.take()
            in_flight -= 1
            if result.fatal is not None:
                self.stop("error")
                trouble = trouble or result.fatal
            self._write(task, result)
            self.tally.waiting += result.waits
            if result.out or result.error:
                self._rows.leave(task.id)
            self.tally.seconds = monotonic() - began
            tell(self.tally)

    @property
    def _full(self) -> bool:
        return self._rounds is not None and self._rounds.full

    def _write(self, task: Task, result: Result) -> None:
        """Write down what came of a task."""
        if result.error:
            self._fail(task.id, task.line, result.error)
        if result.out is None:
            return
        out = result.out
        self.tally.add_usage(out["usage"])
        if any(notice["kind"] == "budget" for notice in out["warnings"]):
            self.stop("budget")  # not written, so not finished: it is run again, and whole
            return
        if task.document is not None:
            out = task.document.annotate(out)
        self._name_sources(task, out)
        try:
            given = {"input": task.input} if task.input else {}
            head = {"id": task.id, "settings": self.output.settings, **given, **task.carried}
            line = line_of({**head, **out})
        except ValueError as error:
            self._fail(task.id, task.line, f"a bug, {type(error).__name__}: {error}")
            return
        self.output.add(line)
        self.tally.done += 1
        self.tally.warned += bool(out["warnings"])

    def _fail(self, id_: str | None, line: int, error: str) -> None:
        self.output.fail(id_, line, error)
        self.tally.failed += 1

    def _name_sources(self, task: Task, out: dict[str, Any]) -> None:
        """Name what was looked at and listened to as it stands in the output."""
        if out["image"] is not None:
            out["image"] = {**out["image"], "source": self._from_output(task.pictures[0])}
        for info, path in zip(out.get("images", ()), task.pictures, strict=False):
            info["source"] = self._from_output(path)
        for name in ("audio", "video"):
            if out.get(name):
                out[name]["source"] = self._from_output(getattr(task, name))

    def _from_output(self, image: str | None) -> str | None:
        """Return a picture's source as it stands in the output: a path relative to that."""
        if image is None or "://" in image:
            return image and without_credentials(image)
        folder = self.output.path.parent
        try:
            path = os.path.relpath(image, folder)
            if os.path.realpath(folder / path) == os.path.realpath(image):
                return path
            # ".." leads elsewhere from a folder that is a link.
            return os.path.relpath(os.path.realpath(image), os.path.realpath(folder))
        except ValueError:  # another drive
            return image
