"""Compare what ``deixis batch --estimate`` says with what a run then asks.

Run with ``python tests/benchmarks/llm_estimate.py FOLDER [ROWS] [SAMPLE]``, the folder with
``dev.txt`` of Twitter-GMNER, of which the first ROWS (400) tweets are run, with stand-ins for the
models: three members of which one differs on a third of the attributes, a voter and an expander.
The estimate looks at SAMPLE (50) of them. Tokens of the run are counted by SmolLM2's tokenizer,
schemas as OpenAI is sent them; the estimate counts by rule (`deixis.llms.token_count`).
"""

import json
import sys
import tempfile
import time
from pathlib import Path

import stand_ins
from llm_cost import counter

from deixis import Settings
from deixis.batch.estimate import estimate
from deixis.batch.run import Batch
from deixis.evaluation.datasets.conll import read_conll


def compare(name: str, settings: Settings, source: Path, sample: int) -> None:
    """Estimate, run, and print both."""
    started = time.perf_counter()
    told = estimate(settings, source, None, sample)
    seconds = time.perf_counter() - started
    assert not sum(stand_ins.TRAFFIC.calls.values()), "the estimate asks nobody"
    run = Batch(settings, source, source.with_suffix(f".{name}.out"), concurrency=8)
    run.run()
    calls = sum(stand_ins.TRAFFIC.calls.values())
    tokens = stand_ins.TRAFFIC.tokens + stand_ins.TRAFFIC.schema_tokens
    said = told.total("input_tokens") + told.total("output_tokens")
    margin, asked = told.margin or 0.0, told.total("calls")
    print(
        f"| {name} | {asked:,.0f} | {calls:,} | {asked / calls - 1:+.1%} "
        f"| {said:,.0f} | {tokens:,} | {said / tokens - 1:+.1%} | {margin:.1%} | {seconds:.1f} |",
        flush=True,
    )
    stand_ins.TRAFFIC.clear()


def main(folder: Path, rows: int, sample: int) -> None:
    """Print the table."""
    stand_ins.SETUP["count"] = counter()
    print("| | calls told | made | off by | tokens told | taken | off by | margin | seconds |")
    print("|-|-|-|-|-|-|-|-|-|")
    with tempfile.TemporaryDirectory() as scratch:
        source = Path(scratch) / "rows.jsonl"
        tweets = read_conll(folder / "dev.txt")[:rows]
        lines = [
            json.dumps({"id": str(number), "text": " ".join(tweet.tokens)})
            for number, tweet in enumerate(tweets)
        ]
        source.write_text("\n".join(lines))
        for name, options in (
            ("all", {}),
            ("until_agreed", {"committee": "until_agreed"}),
            ("posts_per_call 4", {"posts_per_call": 4}),
        ):
            settings = stand_ins.settings(cache="off", **options)
            compare(name, settings, source, sample)


if __name__ == "__main__":
    given = [int(each) for each in sys.argv[2:4]]
    main(Path(sys.argv[1]), *[*given, *(400, 50)[len(given) :]])
