"""What a run has come to: read of its history, so that a run that was resumed knows the same."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from deixis.training.lessons.records import Move

Entry = Mapping[str, Any]
"""Of the history: ``step``, ``epoch``, and ``loss`` of a step or ``score`` after an epoch."""
Told = Callable[[Entry, int], None]
"""Is told an entry, and how many steps there are in all."""

Moves = Callable[[int, str], Move | None]
"""What moves the boxes of a lesson: of an epoch, from 0, and its id."""


class Best(NamedTuple):
    """The best score, 0 to 1, and the step after which it was reached."""

    score: float
    step: int


def figures(history: Sequence[Entry]) -> list[Entry]:
    """Return what is told of a run: the losses of steps and the scores of epochs, in order."""
    return [entry for entry in history if {"loss", "score"} & entry.keys()]


def scores(history: Sequence[Entry]) -> list[Best]:
    """Return the scores of the epochs, in order."""
    return [Best(entry["score"], entry["step"]) for entry in history if "score" in entry]


def best_of(history: Sequence[Entry]) -> Best | None:
    """Return the best score, the first if it was reached again; None where nothing was scored."""
    return max(scores(history), key=lambda best: best.score, default=None)


def is_over(history: Sequence[Entry], patience: int | None) -> bool:
    """Say whether so many epochs have gone by since the best score."""
    best = best_of(history)
    if best is None or patience is None:
        return False
    return sum(each.step > best.step for each in scores(history)) >= patience
