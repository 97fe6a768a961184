"""Measure what the committee costs, against the procedure of VKEL on the same tweets.

Run with ``python tests/benchmarks/llm_cost.py FOLDER``, the folder with ``dev.txt`` of
Twitter-GMNER. Gold mentions stand in for the recognizer; stand-ins for the models answer
every schema and differ on a third of the attributes. VKEL asks, for each entity, three models
(734 tokens of prompt, 180 of reply), a voter and a summariser (673 and 216): its own figures,
for the voter none are given and none are counted. Our tokens are counted by SmolLM2's
tokenizer; a provider may count the JSON schema too, so there is a sum with it as OpenAI is sent
it.
"""

import json
import sys
import tempfile
import urllib.request
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from pathlib import Path
from typing import Any

import stand_ins

from deixis.agents.context.toolbox import Toolbox
from deixis.agents.main.consult import consult, member_tasks
from deixis.agents.main.vote import vote
from deixis.agents.structure import usage
from deixis.evaluation.datasets.conll import TaggedTweet, mentions, read_conll
from deixis.llms.local.llama_cpp import EMBEDDED, _loaded
from deixis.prompts import knowledge_templates

VKEL_CALLS = 5
VKEL_TOKENS = 3 * (734 + 180) + (673 + 216)
THREADS = 32


def tokenizer() -> Callable[[str], list[int]]:
    """Return what cuts a text into tokens: the embedded model's own server is asked."""
    server = _loaded(EMBEDDED["smollm2-135m"], None, 8192, 1).server

    @lru_cache(maxsize=50_000)
    def cut(text: str) -> list[int]:
        request = urllib.request.Request(
            f"{server.listening_address}/tokenize",
            json.dumps({"content": text}).encode(),
            {"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request) as reply:
            tokens: list[int] = json.load(reply)["tokens"]
        return tokens

    return cut


def counter() -> Callable[[str], int]:
    """Return a function that counts tokens."""
    cut = tokenizer()
    return lambda text: len(cut(text))


def state_of(tweet: TaggedTweet) -> dict[str, Any]:
    """Return the state after `recognize`, with the gold mentions."""
    found: dict[str, Any] = {}
    templates: dict[str, Any] = {}
    kinds = {"PER": "person", "LOC": "location", "ORG": "organization", "OTHER": "other"}
    for number, each in enumerate(mentions(tweet.tags), start=1):
        text = " ".join(tweet.tokens[each.start : each.end])
        start = len(" ".join(["", *tweet.tokens[: each.start]]))
        place = {"start": start, "end": start + len(text)}
        found[f"e{number}"] = {"text": text, "type": each.type, **place}
        template = knowledge_templates.find(kinds[each.type], None)
        assert template is not None
        templates[kinds[each.type]] = template.model_dump(mode="json")
    return {"text": " ".join(tweet.tokens), "mentions": found, "templates": templates}


def run(tweet: TaggedTweet, toolbox: Toolbox) -> list[Any]:
    """Consult and vote on one tweet; return its usage."""
    state: dict[str, Any] = state_of(tweet)
    calls: dict[str, Any] = {}
    testimonies: dict[str, Any] = {}
    for task in member_tasks(state, 3):  # type: ignore[arg-type]
        update = consult(task, toolbox)
        calls |= update["calls"]
        testimonies |= update["testimonies"]
    update = vote({**state, "testimonies": testimonies}, toolbox)  # type: ignore[arg-type]
    return usage({**calls, **update.get("calls", {})}, {})


def measure(name: str, tweets: list[TaggedTweet], entities: int, toolbox: Toolbox) -> None:
    """Run all tweets and print what they took."""
    stand_ins.TRAFFIC.clear()
    with ThreadPoolExecutor(THREADS) as pool:
        used = [each for found in pool.map(lambda t: run(t, toolbox), tweets) for each in found]
    calls = sum(each.calls for each in used)
    asked = sum(stand_ins.TRAFFIC.calls.values())
    assert calls == asked, f"usage says {calls} calls, the models were asked {asked} times"
    tokens, schema = stand_ins.TRAFFIC.tokens, stand_ins.TRAFFIC.schema_tokens
    vkel_calls, vkel_tokens = VKEL_CALLS * entities, VKEL_TOKENS * entities
    print(
        f"{name:34} {calls:6} calls ({calls / vkel_calls:.3f} of VKEL's), "
        f"{tokens:9,} tokens ({tokens / vkel_tokens:.3f}), with schemas {tokens + schema:10,} "
        f"({(tokens + schema) / vkel_tokens:.3f}); "
        f"from the cache {sum(each.cached for each in used)}"
    )


def main(folder: Path) -> None:
    tweets = read_conll(folder / "dev.txt")
    entities = sum(len(mentions(tweet.tags)) for tweet in tweets)
    stand_ins.SETUP["count"] = counter()
    print(f"{len(tweets)} tweets, {entities} entities")
    print(f"{'VKEL':34} {VKEL_CALLS * entities:6} calls, {VKEL_TOKENS * entities:,} tokens")
    for posts in (1, 2, 4):
        with tempfile.TemporaryDirectory() as cache:
            toolbox = Toolbox(stand_ins.settings(cache_folder=cache, posts_per_call=posts))
            measure(f"posts_per_call={posts}", tweets, entities, toolbox)
            measure("  once more", tweets, entities, toolbox)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
