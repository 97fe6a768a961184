"""What a batch would ask and cost, told before anything is asked.

Some rows are run with everything but the language models: tools look at their pictures, and every
prompt is filled in as it would be. What is asked is counted, and answered from the cache or
at typical length (`deixis.batch.typical`). No model is asked, and nothing is written.
"""

import random
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import count
from math import sqrt
from pathlib import Path
from statistics import stdev
from tempfile import TemporaryDirectory
from typing import Any

from deixis.agents.context.toolbox import Toolbox
from deixis.agents.structure import usage
from deixis.base.allowances import Budget
from deixis.base.json_lines import parsed
from deixis.base.text_files import lines_of
from deixis.batch.input import Rows
from deixis.batch.reckoning import Reckoner, Remembered
from deixis.batch.row import Problem, Task
from deixis.batch.settings import write_templates
from deixis.batch.worker import Worker
from deixis.errors import DataError, InputError
from deixis.graphs.build import toolbox_of
from deixis.llms import registry
from deixis.llms.cache.llm_cache import default_folder
from deixis.llms.cache.recognized import Recognized
from deixis.prompts import knowledge_templates
from deixis.schema import Usage
from deixis.settings import Settings, entry_for

SUMMED = ("calls", "cached", "input_tokens", "cached_input_tokens", "output_tokens")
"""What of a part is added up."""
_SURE = 1.96  # standard errors on either side, for 95%


@dataclass
class Part:
    """What one role would ask of one model, for all rows.

    ``calls`` are made, ``cached`` answers are there already; ``begun`` is the share of the input
    tokens with which earlier prompts to this model begin as well, ``cached_input_tokens`` are those
    of them that the provider's cache of prompts serves. ``cost`` is with that cache; it and
    ``batched``, the cost by the provider's batches without that, are None without a price,
    ``batched`` also without batches.
    """

    role: str
    model: str
    calls: float = 0.0
    cached: float = 0.0
    input_tokens: float = 0.0
    cached_input_tokens: float = 0.0
    output_tokens: float = 0.0
    begun: float = 0.0
    cost: float | None = None
    batched: float | None = None


@dataclass
class Estimate:
    """What a batch would ask.

    Attributes:
        rows: to be run.
        sampled: rows of them that were looked at.
        failed: of those, how many could not be run.
        margin: half of the range in which the tokens of all rows lie with 95% as a share of them,
            as far as the choice of rows is to blame; 0 where all were looked at, None where that
            cannot be told from one.
        parts: by role and model.
        hours: least time by the limit that binds, None without limits that matter.
        limit: which that is.
        unfit: made-up answers that did not fit; what hangs on them is missing.
    """

    rows: int
    sampled: int
    failed: int = 0
    margin: float | None = None
    parts: list[Part] = field(default_factory=list)
    hours: float | None = None
    limit: str = ""
    unfit: int = 0

    def total(self, name: str) -> float:
        """Return the sum of a number over all parts."""
        return float(sum(getattr(part, name) for part in self.parts))

    @property
    def begun(self) -> float:
        """Share of all input tokens with which earlier prompts begin as well."""
        tokens = self.total("input_tokens")
        return sum(p.begun * p.input_tokens for p in self.parts) / tokens if tokens else 0.0

    @property
    def cost(self) -> float | None:
        """What all costs for which there is a price; None if there is none."""
        known = [part.cost for part in self.parts if part.cost is not None]
        return sum(known) if known else None

    @property
    def batched(self) -> float | None:
        """The same by the providers' batches, where there are any."""
        known = [p.cost if p.batched is None else p.batched for p in self.parts]
        costs = [each for each in known if each is not None]
        return sum(costs) if any(p.batched is not None for p in self.parts) else None


def estimate(
    settings: Settings,
    source: Path,
    out: Path | None,
    sample: int,
    *,
    concurrency: int = 4,
    shuffle_seed: int | None = None,
    limit: int | None = None,
    gold_mentions: bool = False,
    report: Callable[[Problem], None] = lambda problem: None,
) -> Estimate:
    """Say what a batch would ask and cost.

    Args:
        settings: as for `deixis.batch.run.Batch`; a budget is not looked at.
        source: rows, as there.
        out: results of earlier, whose rows need not be run; None, or no file, for none.
        sample: rows to look at, chosen by chance, the same each time; all if there are fewer.
        concurrency: as there.
        shuffle_seed: as there.
        limit: as there.
        gold_mentions: as there.
        report: is told of every row that is wrong.

    Raises:
        InputError: no row can be used, or is left.
        DataError: as for `Batch`.
        SettingsError, MissingExtraError, ModelFileError: as for `Batch`; nobody needs a key.
    """
    with TemporaryDirectory(prefix="deixis-estimate-") as folder:
        toolbox = _toolbox(settings, Path(folder))
        longest = settings.options.max_text
        rows = Rows(source, longest, gold_mentions=gold_mentions, takes=toolbox.takes)
        try:
            rows.scan(shuffle_seed, limit)
            for problem in rows.problems():
                report(problem)
            _leave_out(rows, out)
            if not len(rows):
                raise InputError(f"{source} holds no row that is still to be run")
            return _of_rows(rows, sample, concurrency, toolbox, settings)
        finally:
            rows.close()


def _toolbox(settings: Settings, folder: Path) -> Toolbox:
    """Return a toolbox that asks nobody and writes templates into a folder of its own."""
    options = settings.options
    own = knowledge_templates.user_folder(options.templates)
    if own.is_dir():
        shutil.copytree(own, folder, dirs_exist_ok=True)
    quiet = settings.with_options(templates=folder, budget=Budget(), tracing="off")
    toolbox = toolbox_of(quiet)
    cache = Remembered(options, options.cache_folder or default_folder())
    types = [kind.name for kind in toolbox.types.types]
    toolbox.asker = Reckoner(quiet.options, cache, types)
    reads = options.cache in ("use", "replay")
    toolbox.recognized = Recognized(cache.folder, reads=reads, writes=False)
    return toolbox


def _leave_out(rows: Rows, out: Path | None) -> None:
    """Take the rows out that have a result."""
    if out is None or not out.is_file():
        return
    for number, line in lines_of(out):
        try:
            row = parsed(line)
            rows.finish(row["id"])
        except (ValueError, TypeError, LookupError) as error:
            raise DataError(f"{out}, line {number}: no result of a batch ({error})") from None


def _of_rows(
    rows: Rows, sample: int, concurrency: int, toolbox: Toolbox, settings: Settings
) -> Estimate:
    reckoner = toolbox.asker
    assert isinstance(reckoner, Reckoner), "as `_toolbox` has made it"
    once = usage(write_templates(toolbox).get("calls", {}), settings.options.prices)
    size = len(rows)
    chosen = {*random.Random(0).sample(range(size), min(sample, size))}
    worker = Worker(toolbox)
    with ThreadPoolExecutor(concurrency) as pool:
        results = list(pool.map(worker.run, _chosen(rows, chosen)))
    if fatal := next((each.fatal for each in results if each.fatal is not None), None):
        raise fatal
    done = [each.out["usage"] for each in results if each.out is not None]
    if not done:
        reasons = "; ".join(dict.fromkeys(each.error for each in results))[:300]
        raise InputError(f"none of the {len(results)} rows looked at can be run: {reasons}")
    found = Estimate(size, len(results), len(results) - len(done), unfit=reckoner.unfit)
    found.margin = _margin([_tokens(row) for row in done], size)
    found.parts = _parts(once, done, size / len(done), reckoner, settings)
    found.hours, found.limit = _hours(found.parts, settings)
    return found


def _chosen(rows: Rows, chosen: set[int]) -> Iterator[Task]:
    for number, task in zip(count(), rows):
        if number in chosen and isinstance(task, Task):
            yield task


def _tokens(used: list[dict[str, Any]]) -> int:
    return sum(each["input_tokens"] + each["output_tokens"] for each in used)


def _margin(tokens: list[int], size: int) -> float | None:
    """Return the margin of the mean of a sample without replacement."""
    number, total = len(tokens), sum(tokens)
    if number >= size or not total:
        return 0.0
    if number < 2:
        return None
    left = sqrt((size - number) / (size - 1))
    return _SURE * stdev(tokens) / sqrt(number) * left / (total / number)


def _parts(
    once: list[Usage],
    done: list[list[dict[str, Any]]],
    factor: float,
    reckoner: Reckoner,
    settings: Settings,
) -> list[Part]:
    """Add up what was asked; of all but `once` as many times as there are rows for each."""
    parts: dict[tuple[str, str], Part] = {}
    asked = [(each, factor) for row in done for each in map(Usage.model_validate, row)]
    looked: dict[str, int] = {}
    for used, times in [*((each, 1.0) for each in once), *asked]:
        part = parts.setdefault((used.role, used.model), Part(used.role, used.model))
        looked[used.model] = looked.get(used.model, 0) + used.input_tokens
        for name in SUMMED:
            setattr(part, name, getattr(part, name) + times * getattr(used, name))
    for part in parts.values():
        part.begun = reckoner.begun[part.model] / (looked[part.model] or 1)
        entry = entry_for(part.model, settings.options.prices)
        if entry is None:
            continue
        _, price = entry
        tokens = (round(part.input_tokens), round(part.output_tokens))
        part.cost = price.of(*tokens, round(part.cached_input_tokens))
        part.batched = price.batch * price.of(*tokens) if registry.batches(part.model) else None
    return [parts[key] for key in sorted(parts)]


def _hours(parts: list[Part], settings: Settings) -> tuple[float | None, str]:
    """Return the hours by the limit that takes longest, and that limit."""
    hours: dict[str, float] = {}
    for key, limit in settings.options.limits.items():
        own = [
            part
            for part in parts
            if (entry := entry_for(part.model, settings.options.limits)) and entry[0] == key
        ]
        calls = sum(part.calls for part in own)
        tokens = sum(part.input_tokens + part.output_tokens for part in own)
        if not own:
            continue
        if limit.requests_per_minute:
            hours[f"{key}: requests_per_minute"] = calls / limit.requests_per_minute / 60
        if limit.tokens_per_minute:
            hours[f"{key}: tokens_per_minute"] = tokens / limit.tokens_per_minute / 60
    if not hours:
        return None, ""
    longest = max(hours, key=lambda name: hours[name])
    return hours[longest], longest
