"""Measure which share of what language models read a cache of prompts can serve.

Run with ``python tests/benchmarks/llm_prefix.py GMNER FMNERG``, the folders with ``dev.txt`` (and
captions) of Twitter-GMNER and Twitter-FMNERG. Every graph runs over their tweets with stand-ins
that answer at once, with the gold names; each prompt is cut into tokens by SmolLM2's tokenizer.
A cache has of a prompt what it shares, from the first token on, with a prompt that the same model
was asked before in the same run (an earlier seat of a committee is another model). Pictures are
not counted. There are three ways to send the JSON schema: not in the prompt (llama.cpp, vLLM,
Ollama: a grammar holds the reply), in words behind the instructions (a server without schemas),
and before everything else (OpenAI says so of its own; Anthropic's cache is lost with another
schema). A bill counts cached input as a tenth.
"""

import json
import os
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import stand_ins
from langchain_core.messages import BaseMessage
from llm_cost import tokenizer

from deixis.batch.reckoning import Beginnings
from deixis.evaluation.datasets.conll import TaggedTweet, mentions, read_conll
from deixis.graphs.build import build_graph
from deixis.llms.answers.reading import schema_of
from deixis.llms.asking import Asker
from deixis.llms.schemas import for_openai, for_words
from deixis.settings import Settings

MINIMA = (0, 512, 1024, 2048, 4096)
CACHED = 0.1
"""What a cached token costs of one that is not."""
WAYS = ("grammar", "words", "first")
"""Where the schema is: nowhere in the prompt, behind the instructions, before everything."""
MOST = int(os.environ.get("TWEETS", "1500"))
"""Tweets of each data set."""


class Asked(NamedTuple):
    """One request: which prompt, who was asked, and what."""

    prompt: str
    model: str
    system: str
    user: str
    schema: str
    strict_schema: str

    def parts(self, way: str) -> tuple[str, ...]:
        """Return the texts of the request in the order in which they are read."""
        if way == "grammar" or not self.schema:
            return (self.system, self.user)
        if way == "words":
            return (self.system, self.schema, self.user)
        return (self.strict_schema, self.system, self.user)


class Share(NamedTuple):
    """Requests, their tokens, and how many of those a cache with each of `MINIMA` can serve."""

    requests: int
    tokens: int
    served: dict[int, int]

    def bill(self, minimum: int) -> float:
        """Return what the input costs, in tokens that are not cached."""
        return self.tokens - (1 - CACHED) * self.served[minimum]


class Case(NamedTuple):
    """A graph with a stack, its tweets, and whether it is given their mentions, and a picture."""

    name: str
    settings: Settings
    tweets: list[TaggedTweet]
    given: bool = False
    seen: bool = False


class Oracle:
    """Answers with the gold names of the tweet at hand where names are asked for."""

    def __init__(self) -> None:
        self.tweet: TaggedTweet | None = None

    def __call__(self, schema: dict[str, Any] | None, _messages: list[BaseMessage]) -> str | None:
        named = [
            (" ".join(tweet.tokens[each.start : each.end]), each.type)
            for tweet in ([self.tweet] if self.tweet else [])
            for each in mentions(tweet.tags)
        ]
        if schema is None:  # sketches, of vkel; to the others any words will do
            sketches = [f"{name} is a(an) {kind}" for name, kind in named]
            return "; ".join(sketches) or "no entity found."
        entities = schema["properties"].get("entities")
        if entities is None or "confidence" not in json.dumps(schema):
            return None
        listed = [{"text": name, "type": kind, "confidence": 0.9} for name, kind in named]
        return json.dumps({"entities": listed})


COARSE = ("person", "location", "building", "organization", "other", "art", "event", "product")


def cases(gmner: Path, fmnerg: Path) -> list[Case]:
    """Return what is measured."""
    four = read_conll(gmner / "dev.txt")[:MOST]
    eight = read_conll(fmnerg / "dev.txt", COARSE, fine_types=fine_types())[:MOST]
    base = stand_ins.settings(cache="off", max_tokens=2000)
    # Of a family whose boxes are known: it is asked to point, too.
    seen = base.with_roles(dict.fromkeys(("vlm", "entailer"), "bench:qwen2.5-vl"))
    marked = seen.with_roles({"detector": "bench-boxes"}).with_graph("main")
    fine = {"types": "fmnerg"}
    riveg = seen.with_roles({"recognizer": "bench:a"}).with_graph("riveg", samples="none")
    muie = seen.with_graph("muie")
    return [
        Case("main, gmner", base.with_graph("main"), four, given=True),
        Case("main, fmnerg", base.with_graph("main").model_copy(update=fine), eight, given=True),
        Case("main, gmner, pictures", marked, four, given=True, seen=True),
        Case("riveg, gmner", riveg, four, seen=True),
        Case("vkel, fmnerg", seen.with_graph("vkel").model_copy(update=fine), eight, seen=True),
        Case("e2e, fmnerg", seen.with_graph("e2e").model_copy(update=fine), eight, seen=True),
        Case("mmre, gmner", seen.with_graph("mmre"), four, seen=True),
        Case("muie, gmner", muie, four, seen=True),
        Case("muie (paper), gmner", muie.with_graph("muie", style="paper"), four, seen=True),
    ]


def fine_types() -> list[str]:
    """Return the fine types of Twitter-FMNERG."""
    known = Settings.load("starter").model_copy(update={"types": "fmnerg"}).type_schema
    return [fine for each in known.types for fine in each.fine_types]


def asked_in(case: Case, captions: dict[str, str]) -> list[Asked]:
    """Run a graph over all tweets; return what was asked, in order."""
    oracle, asked, ask = Oracle(), list[Asked](), Asker.ask
    stand_ins.SETUP["answer"] = oracle

    def listening(self: Asker, spec: str, prompt: Any, answer: Any, *rest: Any, **more: Any) -> Any:
        schema = schema_of(answer)
        schemas = ["", ""]
        if schema is not None:
            words = json.dumps(for_words(schema), ensure_ascii=False, separators=(",", ":"))
            schemas = [words, json.dumps(for_openai(schema))]
        asked.append(Asked(prompt.name, spec, prompt.system, prompt.user, *schemas))
        return ask(self, spec, prompt, answer, *rest, **more)

    Asker.ask = listening  # type: ignore[method-assign]
    graph = build_graph(case.settings)
    picture = np.full((64, 64, 3), 127, np.uint8)
    try:
        for tweet in case.tweets:
            oracle.tweet = tweet
            sample: dict[str, Any] = {"text": " ".join(tweet.tokens)}
            if case.given:
                sample["mentions"] = given(tweet)
            if case.seen:
                sample["image"] = picture
            if case.settings.graph == "riveg":
                sample["caption"] = captions.get(tweet.id)
            graph.invoke(sample)
    finally:
        Asker.ask = ask  # type: ignore[method-assign]
    return asked


def given(tweet: TaggedTweet) -> list[dict[str, Any]]:
    """Return the gold mentions of a tweet as rows have them."""
    starts = [0]
    for token in tweet.tokens:
        starts.append(starts[-1] + len(token) + 1)
    return [
        {
            "text": " ".join(tweet.tokens[each.start : each.end]),
            "start": starts[each.start],
            "end": starts[each.end] - 1,
            "type": each.type,
        }
        for each in mentions(tweet.tags)
    ]


def shares(asked: list[Asked], way: str, cut: Any) -> dict[str, Share]:
    """Return for each prompt what a cache for each model can serve of it."""
    known: dict[str, Beginnings] = defaultdict(Beginnings)
    sums: dict[str, list[int]] = defaultdict(lambda: [0, 0, *(0 for _ in MINIMA)])
    for each in asked:
        tokens = tuple(token for part in each.parts(way) for token in cut(part))
        common = len(known[each.model].add(tokens))
        served = [common if common >= least else 0 for least in MINIMA]
        own = sums[each.prompt]
        own[:] = [had + new for had, new in zip(own, [1, len(tokens), *served], strict=True)]
    return {
        name: Share(own[0], own[1], dict(zip(MINIMA, own[2:], strict=True)))
        for name, own in sums.items()
    }


def main(gmner: Path, fmnerg: Path) -> None:
    cut = tokenizer()
    lines = (gmner / "captions_dev.jsonl").read_text().splitlines()
    captions = {row["id"]: row["caption"] for row in map(json.loads, lines)}
    print("| graph, types | prompt | requests | schema | tokens each | in a prefix | ", end="")
    print(" | ".join(f"if >= {least}" for least in MINIMA[1:]), "| bill, cached at a tenth |")
    print("|-|-|-|-|-|-|" + "-|" * len(MINIMA))
    for case in cases(gmner, fmnerg):
        asked = asked_in(case, captions)
        tables = {way: shares(asked, way, cut) for way in WAYS}
        for prompt in dict.fromkeys(each.prompt for each in asked):
            for way in WAYS:
                own = tables[way][prompt]
                cells = [f"{own.served[least] / own.tokens:.1%}" for least in MINIMA]
                bill = f"{own.bill(0) / own.requests:.0f}"
                each = f"{own.tokens / own.requests:.0f}"
                told = [case.name, prompt, str(own.requests), way, each, *cells, bill]
                print("|", " | ".join(told), "|", flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
