"""The commands for many rows: ``deixis batch`` and ``deixis report``.

The summary goes to stdout, progress and what is wrong to stderr. Exit codes: 0 all rows are
finished, 1 some failed, are left, or have changed since they were finished, 2 unusable input or
settings, 130 stopped by Ctrl-C.
"""

import re
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from deixis.apps import options
from deixis.apps.options import GraphOption, RoleOption, StackOption, settings_of
from deixis.apps.prompts_cli import PromptsOption
from deixis.base.atomic import is_stdout
from deixis.errors import InputError

if TYPE_CHECKING:
    from deixis.settings import Budget


SourceArgument = Annotated[
    Path,
    typer.Argument(
        metavar="IN.jsonl", help='Rows: {"id": ..., "text": ..., "image": ...}; - is stdin.'
    ),
]
OutOption = Annotated[
    Path | None, typer.Option("--out", help="File of results; an old one is continued.")
]
EstimateOption = Annotated[
    bool, typer.Option("--estimate", help="Ask nobody: say from some rows what all would cost.")
]
SampleOption = Annotated[
    int | None, typer.Option(min=1, metavar="N", help="Rows that --estimate looks at: 50.")
]
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
GoldMentionsOption = Annotated[
    bool,
    typer.Option(
        "--gold-mentions", help="Recognize nothing: the mentions are the entities of the rows."
    ),
]
RenewOption = Annotated[
    bool,
    typer.Option(
        "--renew", help="Run finished rows again that have changed; drop those that are gone."
    ),
]
ProviderBatchOption = Annotated[
    bool,
    typer.Option(
        "--provider-batch",
        help="Ask by batches of OpenAI, Anthropic and Gemini: hours later, at half the price.",
    ),
]
WaitOption = Annotated[
    float | None,
    typer.Option(
        metavar="HOURS", min=0.0, help="Wait so long for batches in all; else until all is there."
    ),
]
StragglersOption = Annotated[
    int, typer.Option(min=0, help="Ask at once for the last rows, if no more than so many wait.")
]


def batch(
    source: SourceArgument,
    out: OutOption = None,
    stack: StackOption = "starter",
    concurrency: ConcurrencyOption = None,
    engine: EngineOption = "threads",
    workers: WorkersOption = 1,
    gpus_per_worker: GpusOption = 0.0,
    provider_batch: ProviderBatchOption = False,
    wait: WaitOption = None,
    stragglers: StragglersOption = 0,
    budget: BudgetOption = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Only the first so many rows.")] = None,
    shuffle_seed: ShuffleOption = None,
    gold_mentions: GoldMentionsOption = False,
    renew: RenewOption = False,
    estimate: EstimateOption = False,
    sample: SampleOption = None,
    role: RoleOption = None,
    graph: GraphOption = None,
    schema: options.SchemaOption = None,
    prompts: PromptsOption = None,
    urls: options.UrlsOption = None,
    progress: Annotated[bool, typer.Option(help="Show on stderr how far it is.")] = True,
    as_json: Annotated[bool, typer.Option("--json", help="Print the summary as JSON.")] = False,
) -> None:
    """Process many rows. Run the same line again to go on after a stop, a kill or a failure."""
    from deixis.apps import batch_runs, estimate_cli
    from deixis.base.text_files import keep_streams
    from deixis.batch.ray_workers import Cluster
    from deixis.batch.rounds import ProviderBatch
    from deixis.batch.run import Batch

    if not provider_batch and (wait is not None or stragglers):
        raise InputError("--wait and --stragglers go with --provider-batch")
    if engine == "threads" and (workers > 1 or gpus_per_worker):
        raise InputError("--workers and --gpus-per-worker go with --engine ray")
    settings = settings_of(stack, prompts, role, graph, urls, schema)
    rows: dict[str, Any] = {"concurrency": concurrency, "shuffle_seed": shuffle_seed}
    rows |= {"limit": limit, "gold_mentions": gold_mentions}
    if sample is not None and not estimate:
        raise InputError("--sample goes with --estimate")
    if estimate:
        needless = {"--budget": budget, "--renew": renew, "--engine": engine == "ray"}
        needless["--provider-batch"] = provider_batch  # what that costs is told in any case
        estimate_cli.perform(settings, source, out, sample, needless, rows, as_json)
        return
    if out is None:
        raise InputError("name a file of results: --out results.jsonl")
    if budget is not None:
        settings = settings.with_options(budget=parse_budget(budget))
    keep_streams(source)
    begin = partial(
        Batch,
        settings,
        source,
        out,
        cluster=Cluster(workers, gpus_per_worker) if engine == "ray" else None,
        provider_batch=ProviderBatch(wait, stragglers) if provider_batch else None,
        renew=renew,
        **rows,
    )
    run = batch_runs.perform(begin, renew=renew, progress=progress)
    batch_runs.summarise(run, as_json)
    if code := batch_runs.exit_code(run):
        raise typer.Exit(code)


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
