"""Measure what each graph asks of language models, on the same posts.

Run with ``python tests/benchmarks/system_costs.py ROWS [N]``; ROWS is a file of gold rows, as
``deixis dataset convert gmner FOLDER --split dev --out ROWS`` writes it, of which the first N
(40) are taken. Prints a table in Markdown.

Stand-ins answer: where a model is to name entities these are the gold ones, each of three
members differs on a third of the attributes, and a detector sees five people. Pictures are
grey, and what they cost is not counted. RiVEG's prompts are without annotated examples. Tokens are
counted by SmolLM2's tokenizer. The answers are short, so that prompts weigh more than with a
real model.
"""

import json
import re
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import stand_ins
from llm_cost import counter

from deixis import Settings, build_graph
from deixis.errors import SettingsError
from deixis.formats import e2e, pfa, vkel
from deixis.graphs import registry
from deixis.rows import Row, RowEntity, read_rows

SIZE = (512, 512)
MODEL = "bench:Qwen3-VL"  # boxes in thousandths
SHOWN = (0.2, 0.1, 0.6, 0.9)
LOOK = "An adult with short dark hair and a round face, in a blue coat with a white logo."
EYES = {"vlm": MODEL, "detector": "bench-boxes"}
KINDS: tuple[tuple[str, str, dict[str, Any], dict[str, Any]], ...] = (
    ("vkel, `calls: paper`", "vkel", {"calls": "paper"}, EYES),
    ("vkel, `calls: joint`", "vkel", {"calls": "joint"}, EYES),
    ("main", "main", {}, EYES),
    ("main, a model with eyes as entailer", "main", {}, {**EYES, "entailer": MODEL}),
    ("riveg", "riveg", {}, {**EYES, "recognizer": "bench:a", "entailer": MODEL}),
)
"""Rows of the table: name, graph, its options, roles. Graphs not named here come after."""


class Cost(NamedTuple):
    """What a graph asked of all posts together."""

    entities: int
    calls: int
    tokens: int
    with_schemas: int


class Author:
    """Writes what the graphs want to read: the gold entities, the first of them to be seen."""

    def __init__(self, rows: Sequence[Row]) -> None:
        self._rows = {row.text: row for row in rows}

    def __call__(self, schema: dict[str, Any] | None, messages: Sequence[Any]) -> str | None:
        """Return a reply, or None for what is no matter of entities and formats."""
        system, user = messages[0].text, messages[-1].text
        texts = re.findall(r"<post>(.*?)</post>", user, re.DOTALL)
        posts = [self._rows[text] for text in texts if text in self._rows]
        entities = posts[-1].entities if posts else ()
        if schema is not None:
            if list(schema["properties"]) != ["entities"]:
                return None
            said = [{"text": e.text, "type": e.type, "confidence": 0.9} for e in entities]
            if "NamedEntity" in schema.get("$defs", {}):  # graph muie: the first is to be seen
                said = [{"name": e.text, "type": e.type, "image": None} for e in entities]
                said[:1] = [{**each, "image": LOOK[:40]} for each in said[:1]]
            return json.dumps({"entities": said})
        if "whose bounding boxes are" in system:
            return vkel.write(_seen(entities, (1, 1)))
        if "NAME is a(an) TYPE" in system:
            return vkel.write(_seen(entities, None))
        if "<think>" in system:
            records = e2e.write(_seen(entities, (1000, 1000)))
            return f"<think>{LOOK}</think><answer>{records}</answer>"
        if "Task 2 Answer" in user:
            answer = pfa.write(_seen(entities, None))
            return f"Task 1 Answer: {LOOK}\n{answer}\nimage-entity pair: {{}}"
        return LOOK


def _seen(entities: Sequence[RowEntity], size: tuple[int, int] | None) -> list[RowEntity]:
    """Return the entities with boxes of a picture of a size, None for no word on boxes."""
    made = []
    for number, each in enumerate(entities):
        where: Any = None
        if size is not None:
            box = [share * side for share, side in zip(SHOWN, (*size, *size), strict=True)]
            where = [{"box": box}] if number == 0 else []
        made.append(RowEntity(text=each.text, type=each.type, regions=where))
    return made


def measure(settings: Settings, rows: Sequence[Row]) -> Cost:
    """Run a graph on all rows."""
    graph = build_graph(settings)
    picture = np.full((SIZE[1], SIZE[0], 3), 128, np.uint8)
    stand_ins.TRAFFIC.clear()
    with ThreadPoolExecutor(8) as pool:
        outs = list(pool.map(lambda row: graph.invoke({"text": row.text, "image": picture}), rows))
    calls = sum(each["calls"] for out in outs for each in out["usage"])
    asked = sum(stand_ins.TRAFFIC.calls.values())
    assert calls == asked, f"usage says {calls} calls, the models were asked {asked} times"
    tokens, schema = stand_ins.TRAFFIC.tokens, stand_ins.TRAFFIC.schema_tokens
    return Cost(sum(len(out["entities"]) for out in outs), calls, tokens, tokens + schema)


def table(rows: Sequence[Row]) -> None:
    """Measure every graph and print a line each, in shares of the first."""
    base = stand_ins.settings(cache="off")
    known = {graph for _, graph, *_ in KINDS}
    others = [(name, name, {}, EYES) for name in registry.names() if name not in known]
    print(
        "| graph | entities | calls a post | an entity | tokens a post | with schemas | of VKEL's |"
    )
    print("|-|-|-|-|-|-|-|")
    first: Cost | None = None
    for name, graph, options, roles in (*KINDS, *others):
        try:
            cost = measure(base.with_roles(roles).with_graph(graph, **options), rows)
        except SettingsError as error:
            print(f"| {name} | not measured: {error} | | | | | |")
            continue
        first = first or cost
        print(
            f"| {name} | {cost.entities} "
            f"| {cost.calls / len(rows):.2f} | {cost.calls / cost.entities:.2f} "
            f"| {cost.tokens / len(rows):,.0f} | {cost.with_schemas / len(rows):,.0f} "
            f"| {cost.calls / first.calls:.0%} of the calls, "
            f"{cost.tokens / first.tokens:.0%} of the tokens |"
        )


def main(path: Path, most: int) -> None:
    """Print the table for a file of rows."""
    rows = list(read_rows(path))[:most]
    stand_ins.SETUP.update(count=counter(), answer=Author(rows))
    print(f"{len(rows)} posts, {sum(len(row.entities) for row in rows)} gold entities\n")
    table(rows)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 40)
