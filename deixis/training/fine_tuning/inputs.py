"""Lessons as tensors: what inference reads of the question, then the answer; loss is on the answer.

Import this only where torch is known to be installed.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import torch
from torch.nn.functional import pad

from deixis.errors import SettingsError
from deixis.llms.local.transformers_frames import with_frames
from deixis.llms.local.transformers_inputs import tensors
from deixis.llms.local.transformers_rows import Row
from deixis.training.fine_tuning.learner import Learner
from deixis.training.fine_tuning.progress import Moves
from deixis.training.lessons.files import answer_text, messages_for
from deixis.training.lessons.records import Lesson, Lessons

UNSCORED = -100
"""Label of what carries no loss, as torch's cross entropy has it."""


class Example(NamedTuple):
    """A lesson as tensors.

    Attributes:
        tokens: with a number a token, each ``(1, T)``: ``input_ids``, ``attention_mask``,
            ``labels`` and what else the model reads.
        media: of pictures and sound, with a first axis of their own.
    """

    tokens: dict[str, Any]
    media: dict[str, Any]


def question(learner: Learner, lessons: Lessons, lesson: Lesson) -> dict[str, Any]:
    """Return the tensors of a question, as inference makes them.

    Raises:
        InputError, ModelCallError, SettingsError: as `deixis.llms.local.transformers_inputs`.
    """
    messages = with_frames(messages_for(lessons.folder, lesson), learner.frames)
    constrained = lesson.answer_schema is not None
    return tensors(learner.loaded, messages, learner.limits, constrained=constrained)


def answer_tokens(learner: Learner, text: str) -> list[int]:
    """Return the tokens of an answer, with the one that ends it.

    No token that steers the model is among them but that one, whatever the text says.
    """
    encoded = learner.loaded.tokenizer(text, add_special_tokens=False, split_special_tokens=True)
    return [*encoded.input_ids, learner.end]


def example(asked: dict[str, Any], answer: Sequence[int]) -> Example:
    """Return a lesson as tensors.

    Args:
        asked: of `question`.
        answer: of `answer_tokens`.
    """
    row = Row(asked, list)
    ids = asked["input_ids"]
    written = ids.new_tensor([answer])
    tokens = {}
    for key in filter(row.of_tokens, asked):
        after = {"input_ids": written, "attention_mask": torch.ones_like(written)}
        own = after.get(key, torch.zeros_like(written))
        tokens[key] = torch.cat([asked[key], own.to(asked[key].dtype)], 1)
    tokens["labels"] = torch.cat([torch.full_like(ids, UNSCORED), written], 1)
    return Example(tokens, {key: asked[key] for key in asked if not row.of_tokens(key)})


def joined(examples: Sequence[Example], filler: int) -> dict[str, Any]:
    """Return the tensors of a batch, the shorter lessons filled up on the right.

    Raises:
        SettingsError: pictures of these lessons cannot stand in one tensor.
    """
    longest = max(each.tokens["labels"].shape[1] for each in examples)
    fillers = {"input_ids": filler, "labels": UNSCORED}

    def filled(each: Example, key: str) -> Any:
        own = each.tokens.get(key, torch.zeros_like(each.tokens["labels"]))
        return pad(own, (0, longest - own.shape[1]), value=fillers.get(key, 0))

    keys = dict.fromkeys(key for each in examples for key in each.tokens)
    batch = {key: torch.cat([filled(each, key) for each in examples]) for key in keys}
    for key in dict.fromkeys(key for each in examples for key in each.media):
        parts = [each.media[key] for each in examples if key in each.media]
        if len({part.shape[1:] for part in parts}) > 1:
            raise SettingsError(
                "this model cuts pictures into different numbers of parts, which cannot be in one "
                "batch; write batch_size: 1 and accumulate: into the recipe"
            )
        batch[key] = torch.cat(parts)
    return batch


class Batches:
    """Makes batches of lessons, with every answer written anew at every epoch.

    Args:
        learner: who learns.
        lessons: what.
        moves: what moves boxes.
    """

    def __init__(self, learner: Learner, lessons: Lessons, moves: Moves) -> None:
        self._learner = learner
        self._lessons = lessons
        self._moves = moves
        self.epoch: Callable[[], int] = lambda: 0

    def __call__(self, rows: Sequence[Mapping[str, int]]) -> dict[str, Any]:
        """Return the batch of the lessons with these places: ``{"lesson": place}`` each."""
        examples = [self.example(self._lessons.lessons[row["lesson"]]) for row in rows]
        return joined(examples, self._learner.loaded.ends[0])

    def example(self, lesson: Lesson) -> Example:
        """Return a lesson as tensors, at the epoch that it is."""
        text = answer_text(self._lessons, lesson, self._moves(self.epoch(), lesson.id))
        asked = question(self._learner, self._lessons, lesson)
        return example(asked, answer_tokens(self._learner, text))
