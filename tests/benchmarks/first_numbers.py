"""Score the starter stack on the development tweets of Twitter-GMNER, without their pictures.

Run with ``python tests/benchmarks/first_numbers.py FOLDER [ROWS]``, the folder with ``dev.txt``
and ``xml.tar.gz``. Which names a text has, and their types, is the recognizer's work alone in
this stack, so all tweets go through it; what its language model costs a tweet is measured by
taking ROWS tweets (40 by default) through the whole graph.
"""

import random
import sys
import time
from pathlib import Path
from typing import Any

from deixis import Settings, build_graph
from deixis.agents.context.toolbox import Toolbox
from deixis.agents.main.recognize import recognize
from deixis.evaluation.datasets import convert
from deixis.evaluation.metrics import convention, scoring, tasks
from deixis.rows import Row, RowEntity


def recognized(row: Row, toolbox: Toolbox) -> Row:
    """Return what the recognizer finds; nobody has looked whether it can be seen."""
    state: Any = {"text": row.text}
    found = recognize(state, toolbox)["mentions"].values()
    entities = tuple(
        RowEntity(text=each["text"], start=each["start"], end=each["end"], type=each["type"])
        for each in found
    )
    return Row(id=row.id, text=row.text, entities=entities)


def main(folder: Path, most: int) -> None:
    settings = Settings.load()
    options = settings.options.model_copy(update={"cache": "off"})
    settings = settings.model_copy(update={"options": options})
    gold = list(convert("gmner", folder, "dev").rows)
    toolbox = Toolbox(settings)
    predicted = [recognized(row, toolbox) for row in gold]
    print(f"{len(gold)} tweets, {sum(len(row.entities) for row in gold)} entities, no pictures")
    for name in ("mner", "gmner", "eeg"):
        how = scoring.How(tasks.task(name), convention.convention("deixis"))
        entry = scoring.evaluate(gold, predicted, how).all
        line = f"{name:6} P {entry.score.precision:.4f} R {entry.score.recall:.4f}"
        line += f" F1 {entry.score.f1:.4f} (95% {entry.low[2]:.3f}-{entry.high[2]:.3f})"
        for label, other in (
            ("NER + always None", entry.names_and_none),
            ("gold entities + always None", entry.gold_and_none),
        ):
            line += f"; {label} {other.f1:.4f}" if other else ""
        print(line)
    graph = build_graph(settings)
    some = random.Random(0).sample(gold, most)
    started = time.perf_counter()
    usage = [each for row in some for each in graph.invoke({"text": row.text})["usage"]]
    seconds = time.perf_counter() - started
    calls = sum(each["calls"] for each in usage)
    tokens = sum(each["input_tokens"] + each["output_tokens"] for each in usage)
    print(
        f"language model, {most} of these tweets: {calls / most:.2f} calls, "
        f"{tokens / most:.0f} tokens and {seconds / most:.1f} s a tweet"
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 40)
