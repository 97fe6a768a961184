"""What is found before the first step: lessons that could not be learned whole, or not be said.

Import this only where torch is known to be installed.
"""

import json
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import numpy as np

from deixis.errors import DataError, SettingsError
from deixis.llms.local.transformers_inputs import tensors
from deixis.llms.local.transformers_rows import text_of
from deixis.llms.photos import photo
from deixis.llms.picture_frames import Size
from deixis.llms.structured import messages_of
from deixis.training.fine_tuning.inputs import answer_tokens, question
from deixis.training.fine_tuning.learner import Learner
from deixis.training.lessons.files import answer_text
from deixis.training.lessons.records import Lesson, Lessons, Slot
from deixis.training.recipes import Recipe

_SMALL = photo(np.full((64, 64, 3), 128, np.uint8), 64)


def check_lessons(learner: Learner, lessons: Lessons, recipe: Recipe) -> None:
    """Refuse lessons that cannot be learned whole, or whose answers could never be said.

    Args:
        learner: who would learn.
        lessons: what.
        recipe: says how many tokens a lesson may have.

    Raises:
        DataError: a box lies outside its picture; an answer is not what its schema lets the model
            say, or is lost in the model's tokens. The message names the row.
        SettingsError: a lesson has too many tokens; the message names its row, and says whether
            those of pictures would be cut.
    """
    for lesson in lessons.lessons:
        _check_boxes(lesson)
    sayable = _sayable(learner)
    for lesson in lessons.lessons:
        _check_answer(learner, lessons, lesson, sayable)
    _check_lengths(learner, lessons, recipe)


def _check_boxes(lesson: Lesson) -> None:
    for slot in lesson.answer:
        if isinstance(slot, str):
            continue
        if slot.image >= len(lesson.sizes):
            raise DataError(f"row {lesson.row!r}: there is a box in a picture that is not shown")
        if not _inside(slot, lesson.sizes[slot.image]):
            width, height = lesson.sizes[slot.image]
            raise DataError(
                f"row {lesson.row!r}: the box {list(slot.box)} lies outside its picture of "
                f"{width} x {height} pixels, or is empty; mend the row"
            )


def _inside(slot: Slot, size: Size) -> bool:
    x1, y1, x2, y2 = slot.box
    # A picture that was made smaller may have lost a part of a pixel.
    return 0 <= x1 < x2 <= size[0] + 1e-6 and 0 <= y1 < y2 <= size[1] + 1e-6


def _sayable(learner: Learner) -> Callable[[dict[str, Any], list[int]], bool]:
    """Return what says whether a schema lets a model write some tokens, and end there."""
    from deixis.llms.local.transformers_chat import matcher

    @cache
    def fresh(schema: str) -> Any:
        return matcher(learner.loaded.vocabulary, json.loads(schema))

    def sayable(schema: dict[str, Any], tokens: list[int]) -> bool:
        begun = fresh(json.dumps(schema)).deep_copy()  # fields stand in the order of the schema
        return bool(begun.validate_tokens(tokens) == len(tokens))

    return sayable


def _check_answer(
    learner: Learner,
    lessons: Lessons,
    lesson: Lesson,
    sayable: Callable[[dict[str, Any], list[int]], bool],
) -> None:
    text = answer_text(lessons, lesson)
    tokens = answer_tokens(learner, text)
    if text_of(tokens, learner.loaded.tokenizer).strip() != text.strip():
        raise DataError(f"row {lesson.row!r}: the model has no tokens for its answer {text!r:.80}")
    if lesson.answer_schema is not None and not sayable(lesson.answer_schema, tokens):
        raise DataError(
            f"row {lesson.row!r}: the schema that holds the model's replies does not allow the "
            f"answer {text!r:.80}; if the rows are right, this is a bug of the course"
        )


def _check_lengths(learner: Learner, lessons: Lessons, recipe: Recipe) -> None:
    limits = {"max_tokens": recipe.max_tokens, "the model's context": learner.loaded.window}
    what, most = min(
        ((name, limit) for name, limit in limits.items() if limit is not None),
        key=lambda each: each[1],
        default=("", 0),
    )
    if not what:
        return
    lengths = list(_lengths(learner, lessons, recipe))
    longest = max(range(len(lengths)), key=lengths.__getitem__)
    if lengths[longest] <= most:
        return
    count = sum(length > most for length in lengths)
    lesson = lessons.lessons[longest]
    ids = question(learner, lessons, lesson)["input_ids"][0]
    image = getattr(learner.model.config, "image_token_id", None)
    shown = (ids == image).nonzero().flatten().tolist()
    cut = "tokens of its pictures would be cut" if shown and shown[-1] >= most else "it is cut"
    raise SettingsError(
        f"row {lesson.row!r}: its lesson has {lengths[longest]} tokens, {len(shown)} of pictures, "
        f"and {what} is {most}: {cut}, as of {count} lessons in all; raise max_tokens, set "
        "max_pixels of --base lower, or leave the rows out"
    )


def _lengths(learner: Learner, lessons: Lessons, recipe: Recipe) -> Iterator[int]:
    """Yield how many tokens each lesson has; pictures are counted by their sizes, if they can be.

    Whether they can is seen where most tokens are expected. An answer of the model's own (grpo)
    may be as long as the recipe lets it.
    """
    counted = _counter(learner)
    expected = [counted(lesson) for lesson in lessons.lessons]
    answers = [
        recipe.grpo.most_new_tokens
        if recipe.grpo
        else len(answer_tokens(learner, answer_text(lessons, lesson)))
        for lesson in lessons.lessons
    ]
    exact: dict[int, int] = {}

    def measured(place: int) -> int:
        if place not in exact:
            asked = question(learner, lessons, lessons.lessons[place])
            exact[place] = int(asked["input_ids"].shape[1])
        return exact[place]

    known = [place for place, count in enumerate(expected) if count is not None]
    probe = max(known, key=lambda place: expected[place] or 0, default=None)
    trusted = probe is not None and measured(probe) == expected[probe]
    for place, (count, answer) in enumerate(zip(expected, answers, strict=True)):
        yield (count if trusted and count is not None else measured(place)) + answer


def _counter(learner: Learner) -> Callable[[Lesson], int | None]:
    """Return what counts the tokens of a question without its pictures; None if it cannot be."""
    count: Any = getattr(learner.loaded.processor, "_get_num_multimodal_tokens", None)

    @cache
    def tokens_of(size: Size) -> int:
        width, height = size
        found = count(image_sizes=[[height, width]], **learner.limits).num_image_tokens
        return int(found[0])

    def counted(lesson: Lesson) -> int | None:
        if count is None or len(lesson.sizes) < len(lesson.media):
            return None
        messages = messages_of(lesson.system, lesson.user, [_SMALL] * len(lesson.sizes))
        constrained = lesson.answer_schema is not None
        asked = tensors(learner.loaded, messages, learner.limits, constrained=constrained)
        more = sum(tokens_of(size) - tokens_of((64, 64)) for size in lesson.sizes)
        return int(asked["input_ids"].shape[1]) + more

    return counted
