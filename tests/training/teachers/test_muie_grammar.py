"""Answers of MUIE's course are what a model on this disk, held to the schema, can write."""

from collections.abc import Callable
from pathlib import Path

import pytest

from deixis.training.lessons.records import Lessons, in_words

from .test_muie import Rows

pytestmark = [pytest.mark.slow, pytest.mark.extra("transformers")]


def test_the_schema_lets_the_model_write_the_answer(
    rehearsed: Callable[..., Lessons], save_seeing: Callable[..., None], tmp_path: Path
) -> None:
    from deixis.llms.local.transformers_chat import matcher
    from deixis.llms.local.transformers_load import load

    save_seeing(tmp_path / "tiny", "qwen2.5-vl")
    loaded = load(str(tmp_path / "tiny"), "cpu", "auto", None)
    prompts = set()
    for task in ("ner", "re", "ee"):
        draw = Rows(task, seed=4)
        lessons = rehearsed("muie", [draw.row(number) for number in range(6)], "ace")
        frame = lessons.manifest.frame.convention
        for lesson in lessons.lessons:
            prompts.add(lesson.prompt.partition(" ")[0])
            assert lesson.answer_schema is not None
            text = in_words(lesson.answer, frame, lesson.sizes)
            tokens = loaded.tokenizer(text, add_special_tokens=False).input_ids
            allowed = matcher(loaded.vocabulary, lesson.answer_schema)
            assert allowed.validate_tokens(tokens) == len(tokens), text
    assert prompts == {"muie/ner", "muie/re", "muie/ee", "muie/point"}
