"""Several prompts as the rows of one batch, each with rules of its own for what it may write.

Import this only where torch is known to be installed.
"""

from collections.abc import Callable, Hashable, Sequence
from typing import Any, NamedTuple

import torch
from torch.nn.functional import pad

Rule = Callable[[Any, Any], Any]
"""Takes the tokens so far, ``(1, T)``, and the scores of the next, ``(1, V)``; returns scores."""


class Row(NamedTuple):
    """A prompt's tensors, each with a first axis of its own, and what makes its rules.

    ``input_ids`` is ``(1, T)``; what has that shape too is a number a token.
    """

    inputs: dict[str, Any]
    rules: Callable[[], list[Rule]]

    @property
    def length(self) -> int:
        """Tokens of the prompt."""
        return int(self.inputs["input_ids"].shape[1])

    @property
    def shape(self) -> Hashable:
        """What rows must have in common to be joined: a picture's patches may follow others'."""
        whole = self.inputs["input_ids"].shape
        return tuple(
            (key, None if each.shape == whole else each.shape[1:])
            for key, each in self.inputs.items()
        )


def joined(rows: Sequence[Row], filler: int) -> dict[str, Any]:
    """Return the tensors of several prompts, the shorter ones filled up on the left.

    The attention mask, 0 there, keeps what was filled up out of sight.
    """
    longest = max(row.length for row in rows)

    def filled(row: Row, key: str) -> Any:
        tensor = row.inputs[key]
        if tensor.shape != row.inputs["input_ids"].shape:
            return tensor
        return pad(tensor, (longest - row.length, 0), value=filler if key == "input_ids" else 0)

    return {key: torch.cat([filled(row, key) for row in rows]) for key in rows[0].inputs}


class EachByItsRules:
    """Applies to every row the rules that were made for it, until it has ended.

    Args:
        rows: the prompts.
        ends: tokens that end a row.
    """

    def __init__(self, rows: Sequence[Row], ends: Sequence[int]) -> None:
        self._rules = [row.rules() for row in rows]
        self._ends = ends
        self._started = False

    def __call__(self, tokens: Any, scores: Any) -> Any:
        """Return the scores ``(rows, V)`` of the next tokens, after ``(rows, T)`` tokens."""
        last = tokens[:, -1].tolist()
        changed = []
        for row, rules in enumerate(self._rules):
            own = scores[row : row + 1]
            if not (self._started and last[row] in self._ends):
                for rule in rules:
                    own = rule(tokens[row : row + 1], own)
            changed.append(own)
        self._started = True
        return torch.cat(changed)


def written(tokens: list[int], ends: Sequence[int]) -> list[int]:
    """Return what a row has written, without what filled it up after its end."""
    end = next((place for place, token in enumerate(tokens) if token in ends), len(tokens))
    return tokens[: end + 1]
