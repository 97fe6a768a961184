"""Measure a committee that stops early: calls, tokens, and what of the knowledge is right.

Run with ``python tests/benchmarks/llm_committee.py FOLDER [N]``, the folder with ``dev.txt`` of
Twitter-GMNER, of which the first N (200) tweets are taken. Prints a table in Markdown.

Members are simulated. Of 60% of the names something is to be known, one value of each attribute;
of the others nothing, and the right answer is unknown. A member errs on an attribute as often as
the column says, on its own, or (``alike``) half of the times all err alike, as models do
that have read the same. An error is another value, or unknown. The voter is right as often
as a member, if the right answer is among those it may choose. ``right``: share of what is to be
known that the result has. ``wrong``: share of what the result says that is not so.
"""

import random
import re
import sys
from collections.abc import Iterable
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

import stand_ins
from llm_cost import state_of

from deixis.agents.context.toolbox import Toolbox
from deixis.agents.main.agreement import next_tasks
from deixis.agents.main.asked import asked_about
from deixis.agents.main.consult import UNKNOWN, consult
from deixis.agents.main.vote import vote
from deixis.agents.vkel.consult_each import consult_each
from deixis.agents.vkel.summarize import summarize
from deixis.agents.vkel.vote_each import vote_each
from deixis.evaluation.datasets.conll import TaggedTweet, read_conll
from deixis.llms.token_count import about_tokens

KNOWN = 0.6
WORDS = ("long coat", "tall glass tower", "red and white", "striped shirt", "round blue logo")
ERRORS = (0.05, 0.1, 0.2, 0.3)
ENTITY = re.compile(r"^Entity: (.*) is an? |</post>\n(.*) \(", re.MULTILINE)
"""Where a question about one entity names it: of a member, of the voter."""


def chance(*seed: str) -> random.Random:
    """Return a source of chance that is the same for the same words."""
    return random.Random(sha256("/".join(seed).encode()).digest())


class Members:
    """Simulated members and their voter; knows the names of the sample at hand."""

    def __init__(self) -> None:
        self.error = 0.0
        self.alike = False
        self.names: dict[str, str] = {}
        self.text = ""

    def truth(self, name: str, attribute: str, values: Iterable[str]) -> str:
        """Return the right answer, unknown for a name of which nothing is to be known."""
        if chance(name).random() > KNOWN:
            return UNKNOWN
        return chance(name, attribute).choice(sorted({*values} - {UNKNOWN}) or WORDS)

    def __call__(self, schema: dict[str, Any] | None, who: str, prompt: str) -> Any:
        """Answer a schema as `stand_ins.answer_to` does."""
        if schema is None:
            return "Tall, in a blue coat with a round logo."
        alone = ENTITY.search(prompt)
        if alone is not None and "$defs" not in schema:
            return self._about(alone[1] or alone[2], schema["properties"], who)
        parts = {
            entity: schema["$defs"][part["$ref"].rpartition("/")[2]]["properties"]
            for entity, part in schema["properties"].items()
        }
        return {entity: self._about(self.names[entity], own, who) for entity, own in parts.items()}

    def _about(self, name: str, asked: dict[str, Any], who: str) -> dict[str, str]:
        return {
            attribute: "tall, in a blue coat"
            if attribute == "look"
            else self._value(name, attribute, node.get("enum") or [], who)
            for attribute, node in asked.items()
        }

    def _value(self, name: str, attribute: str, values: list[str], who: str) -> str:
        if who == "v":
            return self._ruling(name, attribute, values)
        right = self.truth(name, attribute, values)
        together = chance(self.text, name, attribute)
        if self.alike and together.random() < self.error / 2:
            own = together
        else:
            own = chance(self.text, name, attribute, who)
            if own.random() >= (self.error / 2 if self.alike else self.error):
                return right
        return own.choice(sorted({*(values or WORDS), UNKNOWN} - {right}))

    def _ruling(self, name: str, attribute: str, values: list[str]) -> str:
        own = chance(self.text, name, attribute, "v")
        true = {self.truth(name, attribute, ())}  # of a free attribute
        template = CLOSED.get(attribute)
        if template:
            true = {self.truth(name, attribute, each) for each in template}
        right = [value for value in values if value in true]
        if right and own.random() >= self.error:
            return right[0]
        return own.choice(values)


CLOSED: dict[str, list[list[str]]] = {}
"""Attribute to the lists of values that templates have for it."""
MEMBERS = Members()


class Score(NamedTuple):
    """What was asked, and what came of it."""

    calls: int
    tokens: int
    right: float
    wrong: float


def state_after(tweet: TaggedTweet) -> dict[str, Any]:
    """Return the state after `recognize`, and let members know the names in it."""
    state = state_of(tweet)
    MEMBERS.text = state["text"]
    MEMBERS.names = {entity: own["text"] for entity, own in state["mentions"].items()}
    for template in state["templates"].values():
        for attribute in template["attributes"]:
            lists = CLOSED.setdefault(attribute["name"], [])
            if attribute["values"] and attribute["values"] not in lists:
                lists.append(attribute["values"])
    return state


def jointly(state: Any, toolbox: Toolbox) -> Any:
    """Consult and vote as the graph does: for all entities in one call."""
    while tasks := next_tasks(state, toolbox, asked_about(state)):
        for task in tasks:
            state = merged(state, consult(task, toolbox))
    return merged(state, vote(state, toolbox)), asked_about(state)


def each(state: Any, toolbox: Toolbox) -> Any:
    """Consult, vote and summarise as VKEL does: for each entity on its own."""
    while tasks := next_tasks(state, toolbox, None):
        for task in tasks:
            state = merged(state, consult_each(task, toolbox))
    state = merged(state, vote_each(state, toolbox))
    return merged(state, summarize(state, toolbox)), asked_about(state)


def merged(state: Any, update: Any) -> Any:
    """Return a state after an update of channels that merge by key."""
    return {**state, **{key: {**state.get(key, {}), **own} for key, own in update.items()}}


def measure(tweets: list[TaggedTweet], toolbox: Toolbox, run: Any) -> Score:
    """Run all tweets, and compare what is known with what is to be known."""
    stand_ins.TRAFFIC.clear()
    known = found = good = 0
    for tweet in tweets:
        state, heads = run(state_after(tweet), toolbox)
        for entity in heads:
            kind = toolbox.types.get(state["mentions"][entity]["type"]).template
            said = {
                own["name"]: own["value"]
                for own in state.get("knowledge", {}).get(entity, {}).get("attributes", [])
            }
            for attribute in state["templates"][kind]["attributes"]:
                name, values = attribute["name"], attribute["values"]
                right = MEMBERS.truth(MEMBERS.names[entity], name, values)
                known += right != UNKNOWN
                found += name in said
                good += said.get(name) == right
    calls = sum(stand_ins.TRAFFIC.calls.values())
    return Score(calls, stand_ins.TRAFFIC.tokens, good / known, 1 - good / found)


def main(folder: Path, most: int) -> None:
    """Print the table."""
    tweets = read_conll(folder / "dev.txt")[:most]
    stand_ins.SETUP["count"] = about_tokens
    stand_ins.answer_to = MEMBERS
    print("| members err | | calls | tokens | right | wrong |")
    print("|-|-|-|-|-|-|")
    for alike in (False, True):
        for error in ERRORS:
            MEMBERS.error, MEMBERS.alike = error, alike
            ways = (("VKEL's procedure", each, "all"), ("all", jointly, "all"))
            for name, run, committee in (*ways, ("until_agreed", jointly, "until_agreed")):
                stack = stand_ins.settings(cache="off", committee=committee)
                toolbox = Toolbox(stack.with_roles({"voter": "bench:v"}))
                score = measure(tweets, toolbox, run)
                first = f"{error:.0%}{', half of it alike' if alike else ''}"
                print(
                    f"| {first} | {name} | {score.calls:,} | {score.tokens:,} "
                    f"| {score.right:.1%} | {score.wrong:.1%} |",
                    flush=True,
                )


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 200)
