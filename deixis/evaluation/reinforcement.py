"""Do two tasks help each other? One model on each alone against both at once (M-MRE, section 5).

The coarse task is the summary of the picture, the fine one the entities and their patches.
"""

from pathlib import Path
from typing import Any, NamedTuple

from deixis.evaluation.metrics.scoring import How
from deixis.evaluation.metrics.sheet import Contrasted, contrast
from deixis.evaluation.scored import Scored, read_gold, score_file

MNER = {"f1": "F1", "patch_accuracy": "Accuracy"}
SUMMARY = {"bleu": "BLEU", "rouge1": "ROUGE-1", "rouge2": "ROUGE-2", "rougeL": "ROUGE-L"}
"""The measures of each task, and what table 2 of the paper calls them, in its order."""


class Reinforcement(NamedTuple):
    """Three runs over the same rows; ``first`` of a measure is the task alone, ``second`` both."""

    how: How
    summary: Scored
    mner: Scored
    joint: Scored
    measures: dict[str, Contrasted]

    def document(self) -> dict[str, Any]:
        """Return JSON-ready data; measures run 0..1."""
        return {
            **self.how.document(),
            "summary": str(self.summary.path),
            "mner": str(self.mner.path),
            "joint": str(self.joint.path),
            "samples": len(self.joint.ids),
            "measures": {
                name: {
                    "single": each.first.document(),
                    "joint": each.second.document(),
                    "difference": each.document(),
                }
                for name, each in self.measures.items()
            },
        }


def reinforcement(
    gold: Path, summary: Path, mner: Path, joint: Path, how: How, format_name: str | None = None
) -> Reinforcement:
    """Score a run of each task alone and one of both, and say what both have above the one.

    Args:
        gold: rows of M-MRE.
        summary: a run with ``graph_options: {tasks: summary}``, or answers.
        mner: one with ``tasks: mner``.
        joint: one with ``tasks: joint``.
        how: of the task mmre.
        format_name: ``pfa`` for answers.

    Raises:
        DataError: a file does not fit the gold.
        InputError: a file cannot be read.
        MissingExtraError: rouge-score or sacrebleu is not installed.
    """
    rows = read_gold(gold, how)
    texts, names, both = (
        score_file(rows, path, how, None, format_name) for path in (summary, mner, joint)
    )
    measures: dict[str, Contrasted] = {}
    for single, wanted in ((names, MNER), (texts, SUMMARY)):
        one, two = (scored.sheet.pick(*wanted) for scored in (single, both))
        measures |= contrast(one, two, how.rounds, how.seed)
    return Reinforcement(how, texts, names, both, measures)
