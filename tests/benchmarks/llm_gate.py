"""Measure what the gate is worth: whom the corrector is asked about, and what that does to F1.

Run with ``python tests/benchmarks/llm_gate.py FOLDER``, the folder with ``dev.txt`` of
Twitter-GMNER. The recognizer is the shipped one. The corrector is simulated: of each candidate
it gives the gold verdict with the accuracy of the column, else another at random. A gate of 0
asks about nothing, one of 1 about everything.
"""

import json
import random
import sys
from pathlib import Path
from typing import Any

import stand_ins
from langchain_core.messages import BaseMessage

from deixis.agents.context.toolbox import Toolbox
from deixis.agents.main.recognize import recognize
from deixis.evaluation.datasets.conll import mentions, read_conll
from deixis.evaluation.metrics.mner import score_mentions

ACCURACIES = (0.6, 0.7, 0.8, 0.9)
GATES = (0.0, 0.5, 0.7, 0.9, 1.0)


class Oracle:
    """A corrector that knows the gold of the text at hand and errs as often as it should."""

    def __init__(self) -> None:
        self.gold: dict[str, str] = {}
        self.accuracy = 1.0
        self.chance = random.Random(0)
        self.asked = 0

    def __call__(self, schema: dict[str, Any], messages: list[BaseMessage]) -> str:
        verdicts = {}
        for line in messages[-1].text.splitlines():
            name, colon, text = line.partition(": ")
            if not colon or name not in schema["properties"]:
                continue
            self.asked += 1
            right = self.gold.get(text.partition(" (occurrence ")[0], "none")
            others = [each for each in schema["properties"][name]["enum"] if each != right]
            told = self.chance.random() < self.accuracy
            verdicts[name] = right if told else self.chance.choice(others)
        return json.dumps(verdicts)


def main(folder: Path) -> None:
    tweets = read_conll(folder / "dev.txt")
    gold = [
        [(" ".join(tweet.tokens[m.start : m.end]), m.type) for m in mentions(tweet.tags)]
        for tweet in tweets
    ]
    oracle = Oracle()
    stand_ins.SETUP["answer"] = oracle
    print(f"{'gate':>5} {'calls':>6} {'candidates':>11}  F1 of a corrector that is right", end=" ")
    print("  ".join(f"{each:.0%}" for each in ACCURACIES))
    for gate in GATES:
        stack = stand_ins.settings(gate=gate, cache="off").with_roles({"corrector": "bench:x"})
        toolbox = Toolbox(stack)
        scores = []
        for accuracy in ACCURACIES:
            oracle.accuracy, oracle.asked, oracle.chance = accuracy, 0, random.Random(0)
            stand_ins.TRAFFIC.clear()
            found = []
            for tweet, entities in zip(tweets, gold, strict=True):
                oracle.gold = dict(entities)
                state: Any = {"text": " ".join(tweet.tokens)}
                update = recognize(state, toolbox)
                found.append([(m["text"], m["type"]) for m in update["mentions"].values()])
            scores.append(score_mentions(gold, found)["all"].f1)
        calls = sum(stand_ins.TRAFFIC.calls.values())
        shown = "  ".join(f"{each:.4f}" for each in scores)
        print(f"{gate:5} {calls:6} {oracle.asked:11}  {shown}")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
