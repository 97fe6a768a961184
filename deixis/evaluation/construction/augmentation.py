"""RiVEG's training data: how much several models wrote of gold rows (section V-A, table III)."""

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from deixis.base.text_files import write_lines
from deixis.formats import riveg
from deixis.formats.riveg_training import Training
from deixis.rows import Row

EXPANDER = "0"
"""The number that tells the expander's lines from those of the committee's members."""


def write_training(folder: Path, training: Training) -> None:
    """Write ``recognition.jsonl`` and ``grounding.txt``.

    Raises:
        InputError: a file cannot be written.
    """
    rows = (json.dumps(row, ensure_ascii=False) for row in training.recognition)
    write_lines(folder / "recognition.jsonl", rows)
    write_lines(folder / "grounding.txt", training.grounding)


def training_figures(gold: Sequence[Row], training: Training) -> dict[str, Any]:
    """Count what table III counts, of what the expander wrote and of what all wrote.

    ``recognition`` are samples with knowledge, ``entailment`` the expressions and ``grounding``
    those of them that have a region. Beside them stand the rows, entities and groundable entities
    of the gold, which the expander's are where nothing is lacking.
    """
    entities = [entity for row in gold for entity in row.entities]
    return {
        "gold": {
            "recognition": len(gold),
            "entailment": sum(entity.regions is not None for entity in entities),
            "grounding": sum(bool(entity.regions) for entity in entities),
        },
        "expander": {
            "recognition": len({row["id"] for row in training.recognition}),
            **_lines([line for line in training.grounding if _tag(line) == EXPANDER]),
        },
        "all": {"recognition": len(training.recognition), **_lines(training.grounding)},
        "models": dict(Counter(row["model"] for row in training.recognition)),
        "lacking": dict(training.lacking),
    }


def _lines(lines: Sequence[str]) -> dict[str, int]:
    shown = sum(any(entity.regions for entity in riveg.parse(line).entities) for line in lines)
    return {"entailment": len(lines), "grounding": shown}


def _tag(line: str) -> str:
    return line.partition("###")[0].rpartition("#")[2]
