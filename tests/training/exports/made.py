"""Lessons made by hand, as a rehearsal writes them."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from deixis.llms.box_conventions import convention_of
from deixis.llms.photos import photo
from deixis.training.lessons.files import keep_medium, write_lessons
from deixis.training.lessons.records import Frame, Lesson, Lessons, Manifest, Slot, Written

QWEN = "transformers:Qwen/Qwen2.5-VL-7B-Instruct"
SYSTEM = "You find named entities in posts."
USER = "Text: <post>Grace Hopper at Yale</post>"
BOX = (10.0, 20.5, 100.0, 90.0)
ANSWER: Written = (
    "<answer>Grace Hopper|person|",
    Slot(box=BOX),
    "; Yale|organization|None</answer>",
)


def manifest(course: str, base: str, lessons: int) -> Manifest:
    convention = convention_of(base)
    assert convention is not None
    return Manifest(
        course=course,
        base=base,
        frame=Frame.of(convention),
        rows={"file": "rows.jsonl", "sha256": "0" * 64, "rows": lessons},
        lessons=lessons,
        left_out={},
        deixis="0",
        settings={},
    )


def made(
    folder: Path,
    *changes: dict[str, Any],
    course: str = "e2e",
    base: str = QWEN,
    pictures: Sequence[tuple[int, int]] = ((160, 120),),
) -> Lessons:
    """Write lessons: one for each dictionary of what is different in it."""
    media = tuple(
        keep_medium(folder, photo(np.full((high, wide, 3), 90 + number, np.uint8), 4096))
        for number, (wide, high) in enumerate(pictures)
    )
    plain = {
        "prompt": "e2e/extract 3",
        "system": SYSTEM,
        "user": USER,
        "media": media,
        "answer": ANSWER,
    }
    lessons = [
        Lesson(**{"id": str(number), "row": str(number), **plain, **change})
        for number, change in enumerate(changes or ({},), start=1)
    ]
    about = manifest(course, base, len(lessons))
    write_lessons(folder, lessons, about)
    return Lessons(folder, about, lessons)
