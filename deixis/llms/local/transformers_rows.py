"""Several prompts as the rows of one batch, each with rules of its own for what it may write.

Import this only where torch is known to be installed.
"""

from collections.abc import Callable, Hashable, Sequence
from typing import Any, NamedTuple

import torch
from torch.nn.functional import pad

from deixis.llms.answers.reading import is_mark

Rule = Callable[[Any, Any], Any]
"""Takes the tokens so far, ``(1, T)``, and the scores of the next, ``(1, V)``; returns scores."""

_LISTED = 5  # alternatives of every token


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
        return tuple(
            (key, None if self.of_tokens(key) else tensor.shape[1:])
            for key, tensor in self.inputs.items()
        )

    def of_tokens(self, key: str) -> bool:
        """Whether a tensor has a number a token; one of sound may have as many by chance."""
        whole = self.inputs["input_ids"].shape
        return key != "feature_attention_mask" and self.inputs[key].shape == whole


def joined(rows: Sequence[Row], filler: int) -> dict[str, Any]:
    """Return the tensors of several prompts, the shorter ones filled up on the left.

    The attention mask, 0 there, keeps what was filled up out of sight.
    """
    longest = max(row.length for row in rows)

    def filled(row: Row, key: str) -> Any:
        tensor = row.inputs[key]
        if not row.of_tokens(key):
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


class Heard:
    """A rule that changes nothing: notes the likeliest tokens of every step, and that chosen.

    Args:
        steps: where they are noted, token to the natural logarithm of its probability. What is
            there already is of a pass that failed, and goes.
    """

    def __init__(self, steps: list[dict[int, float]]) -> None:
        steps.clear()
        self._steps = steps
        self._last: Any = None

    def __call__(self, tokens: Any, scores: Any) -> Any:
        """Note the step and return its scores ``(1, V)`` as they are."""
        if self._last is not None:
            chosen = int(tokens[0, -1])
            self._steps[-1][chosen] = float(self._last[chosen])
        self._last = scores[0].float().log_softmax(-1)
        values, ids = self._last.topk(min(_LISTED, len(self._last)))
        likely = zip(ids.tolist(), values.tolist(), strict=True)
        self._steps.append({token: value for token, value in likely if value > float("-inf")})
        return scores


def text_of(tokens: Sequence[int], tokenizer: Any) -> str:
    """Return what was written, without special tokens but those between thoughts and answer."""
    special = set(tokenizer.all_special_ids)
    kept = [
        token
        for token in tokens
        if token not in special or is_mark(str(tokenizer.convert_ids_to_tokens(token)))
    ]
    text: str = tokenizer.decode(
        kept, skip_special_tokens=False, clean_up_tokenization_spaces=False
    )
    return text


def spelled(
    tokens: Sequence[int], steps: Sequence[dict[int, float]], tokenizer: Any
) -> list[dict[str, Any]]:
    """Return what `Heard` noted as OpenAI writes it.

    Args:
        tokens: what was written.
        steps: what was noted of each.
        tokenizer: of the model.
    """

    def text(*some: int) -> str:
        entries: str = tokenizer.decode(
            some, skip_special_tokens=True, clean_up_tokenization_spaces=False
        )
        return entries

    entries = []
    for number, (token, likely) in enumerate(zip(tokens, steps, strict=True)):
        # After the one before it: some tokenizers drop the space that a text begins with.
        before = tokens[max(number - 1, 0) : number]
        top = [
            {"token": text(*before, option)[len(text(*before)) :], "logprob": logprob}
            for option, logprob in likely.items()
        ]
        if token in likely:  # the last may not be, if it was drawn
            entries.append({**top[list(likely).index(token)], "top_logprobs": top})
    return entries
