"""Print what knowledge of how things look costs: VKEL's procedure, and ours in several ways.

Run with ``python tests/benchmarks/llm_price.py FOLDER [N]``, the folder with ``dev.txt`` of
Twitter-GMNER, of which the first N (1,500, all) tweets are taken with their gold mentions. Three
members and a voter, models of their own, all at the list price of one of one provider. Members
are simulated as in ``llm_committee.py``: they err in every tenth attribute, half of the times all
alike. Tokens are counted by rule (`deixis.llms.token_count`); schemas count as OpenAI is sent them.
The paper gives its own lengths: 734 tokens of prompt and 180 of reply for a member, 673 and 216
for the summary; for the voter none, and none are counted. What a model thinks before it
answers is not counted.
"""

import json
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any, NamedTuple

import stand_ins
from llm_committee import MEMBERS, each, jointly, state_after

from deixis.agents.context.toolbox import Toolbox
from deixis.base.allowances import Price
from deixis.batch.reckoning import LEAST, Beginnings
from deixis.evaluation.datasets.conll import TaggedTweet, mentions, read_conll
from deixis.llms.schemas import for_openai
from deixis.llms.token_count import about_tokens

MODEL = "openai:gpt-5-mini"
PRICE = Price(input=0.25, cached_input=0.025, output=2.0)
"""US dollars for a million tokens, as pages that repeat OpenAI's list gave them in 2026."""
PAPER_INPUT, PAPER_OUTPUT = 3 * 734 + 673, 3 * 180 + 216
ERROR = 0.1


class Bill(NamedTuple):
    """What was asked: calls, tokens in and out, and what of the input earlier prompts share.

    ``served`` is what of that is long enough for the provider's cache.
    """

    calls: int
    given: int
    written: int
    begun: int = 0
    served: int = 0

    def price(self, *, cached: int = 0, batch: bool = False) -> float:
        """Return dollars."""
        return PRICE.of(self.given, self.written, cached) * (PRICE.batch if batch else 1.0)


class Recorder:
    """Reads what every model is asked, in order."""

    def __init__(self) -> None:
        self.bill = Bill(0, 0, 0)
        self._beginnings: dict[str, Beginnings] = defaultdict(Beginnings)
        self._answer = stand_ins.StandIn._generate

    def __call__(self, model: Any, messages: Any, *rest: Any, **options: Any) -> Any:
        """Answer as the stand-in does, and put it on the bill."""
        result = self._answer(model, messages, *rest, **options)
        schema = options["json_schema"]
        form = "" if schema is None else json.dumps(for_openai(schema))
        whole = "\n".join([form, *(message.text for message in messages)])
        begun = about_tokens(self._beginnings[model.name_in_spec].add(whole))
        enough = begun if begun >= LEAST["openai"] else 0
        reply = about_tokens(result.generations[0].message.text)
        more = (1, about_tokens(whole), reply, begun, enough)
        self.bill = Bill(*(old + new for old, new in zip(self.bill, more, strict=True)))
        return result


def measure(tweets: list[TaggedTweet], run: Any, **options: Any) -> Bill:
    """Run all tweets."""
    recorder = Recorder()
    answer = stand_ins.StandIn._generate

    def generate(model: Any, messages: Any, *rest: Any, **more: Any) -> Any:
        return recorder(model, messages, *rest, **more)

    stand_ins.StandIn._generate = generate  # type: ignore[method-assign]
    try:
        stack = stand_ins.settings(cache="off", **options).with_roles({"voter": "bench:v"})
        toolbox = Toolbox(stack)
        for tweet in tweets:
            run(state_after(tweet), toolbox)
    finally:
        stand_ins.StandIn._generate = answer  # type: ignore[method-assign]
    return recorder.bill


def line(name: str, bill: Bill, dollars: float, first: float) -> None:
    """Print one line of the table."""
    share = f"{bill.begun / bill.given:.0%}" if bill.begun else ""
    print(
        f"| {name} | {bill.calls:,} | {bill.given:,} | {share} | {bill.written:,} "
        f"| {dollars:.3f} | 1/{first / dollars:.1f} |",
        flush=True,
    )


def main(folder: Path, most: int) -> None:
    """Print the table."""
    tweets = read_conll(folder / "dev.txt")[:most]
    entities = sum(len(mentions(tweet.tags)) for tweet in tweets)
    stand_ins.answer_to = MEMBERS
    MEMBERS.error, MEMBERS.alike = ERROR, True
    print(
        f"{len(tweets)} tweets, {entities} entities; {MODEL}, {PRICE.input} in, "
        f"{PRICE.cached_input} cached, {PRICE.output} out, {PRICE.batch:.0%} of it in batches\n"
    )
    print("| | calls | input | begins alike | output | dollars | of VKEL's |")
    print("|-|-|-|-|-|-|-|")
    paper = Bill(5 * entities, PAPER_INPUT * entities, PAPER_OUTPUT * entities)
    first = paper.price()
    line("VKEL's procedure, its own lengths", paper, first, first)
    line("the same, in batches", paper, paper.price(batch=True), first)
    graph = measure(tweets, each)
    line("VKEL's procedure, graph `vkel`", graph, graph.price(), first)
    for name, committee in (("all", "all"), ("until_agreed", "until_agreed")):
        bill = measure(tweets, jointly, committee=committee)
        line(f"`committee: {name}`", bill, bill.price(), first)
        line(
            "  and a cache of prompts (1,024 tokens at least)",
            bill,
            bill.price(cached=bill.served),
            first,
        )
        line("  a cache without a least length", bill, bill.price(cached=bill.begun), first)
        line("  and in batches, no cache", bill, bill.price(batch=True), first)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 1500)
