"""VKEL's two courses: what each stage is asked is what the graph asks, and its answer the gold."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from deixis import Settings
from deixis.errors import DataError
from deixis.testing import tools
from deixis.tools.base import Detection
from deixis.training.courses import COURSES
from deixis.training.lessons.records import Lessons, in_words
from deixis.training.lessons.rehearsal import rehearse

TEXT = "Kevin Love and J. R. Smith of the Cavs"
LOVE = {"text": "Kevin Love", "start": 0, "end": 10, "type": "person", "fine_type": "athlete"}
SMITH = {"text": "J. R. Smith", "start": 15, "end": 26, "type": "person", "fine_type": "athlete"}
CAVS = {
    "text": "Cavs",
    "start": 34,
    "end": 38,
    "type": "organization",
    "fine_type": "sports_team",
    "regions": [],
}
ENTITIES = [
    {**LOVE, "regions": [{"box": [448, 10, 913, 500]}]},
    {**SMITH, "regions": [{"box": [107, 134, 510, 500]}, {"box": [0, 0, 50, 50]}]},
    CAVS,
]
LLAVA, QWEN = "llava-hf/llava-1.5-7b-hf", "Qwen/Qwen2.5-VL-7B-Instruct"
Rehearse = Callable[..., Lessons]


@pytest.fixture
def lessons_of(scripted: Any, tmp_path: Path) -> Rehearse:
    """Rehearse one row: ``lessons_of(course, base, row, **graph_options)``."""
    scripted(lambda name, *_: "Tall, with a beard." if name == "talker" else None)
    Image.fromarray(np.full((500, 1000, 3), 90, np.uint8)).save(tmp_path / "photo.png")

    def build(
        course: str, base: str = LLAVA, row: dict[str, Any] | None = None, **options: Any
    ) -> Lessons:
        data = {"id": "a", "text": TEXT, "image": "photo.png", "entities": ENTITIES, **(row or {})}
        (tmp_path / "rows.jsonl").write_text(json.dumps(data) + "\n")
        roles = {
            "vlm": "scripted:nobody",
            "sketcher": "scripted:nobody",
            "committee": ["scripted:member"],
            "templater": "scripted:member",
            "detector": "eyes",
        }
        settings = Settings.model_validate(
            {
                "name": "test",
                "schema": "fmnerg",
                "graph": "vkel",
                "roles": roles,
                "options": {"cache": "off"},
                "graph_options": options,
            }
        )
        seen = Detection("person", (448.0, 10.0, 913.0, 500.0), 0.9)
        with tools(eyes=[seen]):
            return rehearse(
                COURSES[course], tmp_path / "rows.jsonl", settings, base, tmp_path / "out"
            )

    return build


def said(lessons: Lessons) -> str:
    (lesson,) = lessons.lessons
    return in_words(lesson.answer, lessons.manifest.frame.convention, lesson.sizes)


def test_the_first_stage_names_coarse_types(lessons_of: Rehearse) -> None:
    lessons = lessons_of("vkel-sketch", calls="joint")
    assert said(lessons) == (
        "Kevin Love is a(an) person; J. R. Smith is a(an) person; Cavs is a(an) organization."
    )
    assert lessons.lessons[0].prompt.startswith("vkel/sketch ")
    assert lessons.manifest.settings["graph_options"] == {"sketch": True, "ground": False}


def test_rows_without_boxes_teach_the_first_stage_alone(lessons_of: Rehearse) -> None:
    row = {"entities": [LOVE]}
    assert said(lessons_of("vkel-sketch", row=row)) == "Kevin Love is a(an) person."
    with pytest.raises(DataError, match="nobody said whether an entity can be seen"):
        lessons_of("vkel", row=row)


def test_the_second_stage_writes_shares_as_the_paper_does(lessons_of: Rehearse) -> None:
    lessons = lessons_of("vkel")
    assert said(lessons) == (
        "Kevin Love is a(an) person and a(an) athlete, whose bounding boxes are "
        "(0.448, 0.02, 0.913, 1.0); J. R. Smith is a(an) person and a(an) athlete, whose bounding "
        "boxes are (0.107, 0.268, 0.51, 1.0), (0.0, 0.0, 0.05, 0.1); Cavs is a(an) organization "
        "and a(an) sports_team, whose bounding boxes are None"
    )
    (lesson,) = lessons.lessons
    assert "person (0.448, 0.02, 0.913, 1.0)" in lesson.user, "what the detector saw"
    assert "Visual knowledge:\nKevin Love" in lesson.user
    assert (
        "First reading: Kevin Love is a(an) person; J. R. Smith is a(an) person; "
        "Cavs is a(an) organization." in lesson.user
    )


def test_a_family_writes_what_it_counts(lessons_of: Rehearse) -> None:
    answer = said(lessons_of("vkel", QWEN))
    # The resize of Qwen2.5-VL makes 1008 x 504 of 1000 x 500.
    assert "Kevin Love is a(an) person and a(an) athlete, whose bounding boxes are (452, 10," in (
        answer
    )


def test_the_second_stage_is_shown_the_sketch_of_its_row(lessons_of: Rehearse) -> None:
    """A name with another end, a wrong type, one that is none, and one that is missing."""
    sketch = [
        {"text": "Love", "start": 6, "end": 10, "type": "product"},
        {"text": "of", "start": 27, "end": 29, "type": "event"},
        {**CAVS, "fine_type": None, "regions": None, "type": "person"},
    ]
    lessons = lessons_of("vkel", row={"sketch": sketch})
    assert (
        "First reading: Love is a(an) product; of is a(an) event; Cavs is a(an) person."
        in lessons.lessons[0].user
    )
    assert said(lessons) == said(lessons_of("vkel"))


def test_llava_direct_is_a_lesson_without_a_sketch(lessons_of: Rehearse) -> None:
    lessons = lessons_of("vkel", sketch=False)
    assert said(lessons) == said(lessons_of("vkel"))
    user = lessons.lessons[0].user
    assert user.startswith("Objects in the picture: person") and "First reading" not in user


@pytest.mark.parametrize("course", ["vkel-sketch", "vkel"])
def test_a_text_without_entities_is_a_lesson(lessons_of: Rehearse, course: str) -> None:
    assert said(lessons_of(course, row={"entities": []})) == "no entity found."


@pytest.mark.parametrize(
    ("entity", "reason"),
    [
        ({**CAVS, "text": "Cavs is a(an) person; Ann"}, "the format cannot hold"),
        ({**CAVS, "type": "galaxy", "fine_type": None}, "does not come back"),
        ({**CAVS, "regions": [{"box": [0, 0, 2000, 10]}]}, "lies outside its picture"),
        ({**CAVS, "regions": [{"box": [0, 0, 0.1, 10]}]}, "the boxes of an entity do not"),
    ],
)
def test_what_cannot_be_taught_is_left_out_with_the_reason(
    lessons_of: Rehearse, entity: dict[str, Any], reason: str
) -> None:
    with pytest.raises(DataError, match=reason):
        lessons_of("vkel", row={"entities": [entity]})
