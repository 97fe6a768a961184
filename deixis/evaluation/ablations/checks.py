"""A plan that is checked whole before anything is asked or paid for: its metrics and its runs."""

import os
import re
from pathlib import Path
from typing import Any, NamedTuple

from deixis.agents.context.toolbox import Toolbox
from deixis.batch.settings import identity
from deixis.errors import DeixisError, MissingExtraError, MissingKeyError, SettingsError
from deixis.evaluation.ablations.metrics import Metric
from deixis.evaluation.ablations.plan import SEED, Plan, Variant, repetitions, settings_of
from deixis.graphs.build import graph_of, toolbox_of
from deixis.rows import read_rows
from deixis.settings import Settings


class Run(NamedTuple):
    """One run of a variant.

    Attributes:
        variant: whose it is.
        seed: the repetition, None without seeds.
        settings: what it runs with.
        gold_mentions: whether the entities of the gold are given.
        limit: only the first so many rows; None is all.
        file: name of the file of its results.
        known: everything that determines a result: name to value.
        lacking: keys, packages and folders that it needs and this machine has not.
    """

    variant: Variant
    seed: int | None
    settings: Settings
    gold_mentions: bool
    limit: int | None
    file: str
    known: dict[str, str]
    lacking: tuple[str, ...]

    @property
    def title(self) -> str:
        """The name of the variant, with the seed."""
        return self.variant.name + ("" if self.seed is None else f" (seed {self.seed})")


class Checked(NamedTuple):
    """A plan that can be run: its gold of so many rows, its metrics and its runs."""

    plan: Plan
    gold: Path
    rows: int
    metrics: tuple[Metric, ...]
    runs: tuple[Run, ...]

    @property
    def lacking(self) -> tuple[str, ...]:
        """What this machine has not, each named once."""
        return tuple(dict.fromkeys(each for run in self.runs for each in run.lacking))

    def differs(self, run: Run) -> dict[str, str]:
        """Return the settings that are not those of the first run; "" where one is not there."""
        first = self.runs[0].known
        names = {**first, **run.known}
        return {n: run.known.get(n, "") for n in names if first.get(n) != run.known.get(n)}

    def rows_of(self, run: Run) -> int:
        """Return how many rows a run is to take."""
        return min(self.rows, run.limit or self.rows)

    def document(self) -> dict[str, Any]:
        """Return JSON-ready data: what would be run."""
        return {
            "gold": str(self.gold),
            "metrics": [metric.name for metric in self.metrics],
            "lacking": list(self.lacking),
            "runs": [
                {
                    "variant": run.variant.name,
                    "about": run.variant.about,
                    "seed": run.seed,
                    "rows": self.rows_of(run),
                    "file": run.file,
                    "differs": self.differs(run),
                }
                for run in self.runs
            ],
        }


def check_plan(
    path: Path, gold: Path | None = None, stack: str | None = None, limit: int | None = None
) -> Checked:
    """Read a plan, and check what it scores and the settings of every variant.

    Args:
        path: of the plan.
        gold: labelled rows in the place of the plan's.
        stack: models in the place of the plan's, a name or a file.
        limit: no more than so many rows.

    Raises:
        SettingsError: the plan or a variant is wrong; the message names it.
        DataError, InputError: the gold cannot be read, or lacks what is scored.
        MissingExtraError: what a metric needs is not installed.
    """
    plan = Plan.load(path)
    if stack is not None:
        is_file = Path(stack).suffix in {".yaml", ".yml"}
        given = os.path.abspath(os.path.expanduser(stack)) if is_file else stack
        plan = plan.model_copy(update={"stack": given})
    if gold is None and plan.gold is None:
        raise SettingsError(f"{path}: there is no gold; write gold: FILE, or give --gold FILE")
    where = gold or path.parent / os.path.expanduser(plan.gold or "")
    try:
        metrics = _metrics(plan, where)
        runs = [run for variant in plan.variants for run in _runs(plan, variant, path, limit)]
        _check_twins(plan, runs)
        _check_mentions(metrics, runs)
    except SettingsError as error:
        raise SettingsError(f"{path}: {error}") from None
    return Checked(plan, where, len(read_rows(where)), metrics, tuple(runs))


def _metrics(plan: Plan, gold: Path) -> tuple[Metric, ...]:
    rules = (plan.convention, plan.iou, plan.rounds, plan.draws)
    try:
        metrics = tuple(Metric.named(name, *rules) for name in plan.metrics)
        for metric in metrics:
            metric.check(gold)
    except SettingsError as error:
        raise SettingsError(f"metrics: {error}") from None
    return metrics


def _runs(plan: Plan, variant: Variant, path: Path, limit: int | None) -> list[Run]:
    runs = []
    try:
        for seed, change in repetitions(plan, variant):
            settings = settings_of(change, path)
            lacking = tuple(_lacking(settings))
            most = min(filter(None, (limit, change.limit)), default=None)
            gold_mentions = bool(change.gold_mentions)
            known = identity(settings) | {"gold_mentions": str(gold_mentions), "limit": str(most)}
            file = _file_name(variant.name, seed)
            runs.append(Run(variant, seed, settings, gold_mentions, most, file, known, lacking))
    except DeixisError as error:
        raise SettingsError(f"variant {variant.name!r}: {error}") from None
    return runs


def _lacking(settings: Settings) -> list[str]:
    """Wire the graph; return what this machine lacks to run it.

    Raises:
        SettingsError: the graph, its options, its prompts or its models are wrong.
    """
    toolbox: Toolbox = toolbox_of(settings)
    graph_of(toolbox)
    lacking = []
    examples = settings.options.examples
    if examples is not None and not examples.is_dir():
        lacking.append(f"options.examples: {examples} is no folder; make it with: deixis examples")
    try:
        toolbox.check()
    except (MissingExtraError, MissingKeyError) as error:
        lacking.append(str(error))
    return lacking


def _stem(name: str) -> str:
    return re.sub(r"[^a-z0-9.=+]+", "-", name.casefold()).strip("-.") or "variant"


def _file_name(name: str, seed: int | None) -> str:
    return f"{_stem(name)}.jsonl" if seed is None else f"{_stem(name)}.seed{seed}.jsonl"


def _check_twins(plan: Plan, runs: list[Run]) -> None:
    seen: dict[str, str] = {}
    for variant in plan.variants:
        stem = _stem(variant.name)
        if stem in seen:
            raise SettingsError(
                f"the variants {seen[stem]!r} and {variant.name!r} would both be written to "
                f"{stem}.jsonl; call one of them otherwise"
            )
        seen[stem] = variant.name
    if plan.seeds and all(run.seed is None for run in runs):
        raise SettingsError(f"seeds: nothing in the plan says {SEED}")


def _check_mentions(metrics: tuple[Metric, ...], runs: list[Run]) -> None:
    for metric in metrics:
        found = next((run for run in runs if not run.gold_mentions), None)
        if metric.needs_gold_mentions and found:
            raise SettingsError(
                f"metrics: {metric.name} scores runs on gold mentions, and the variant "
                f"{found.variant.name!r} finds its own; write gold_mentions: true"
            )
