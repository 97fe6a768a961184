"""RiVEG's three courses: each part is asked what the graph asks, and its answer is the gold."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from deixis import Settings
from deixis.errors import DataError, SettingsError
from deixis.testing import tools
from deixis.training.courses import COURSES
from deixis.training.exports.registry import export
from deixis.training.lessons.records import Lessons, in_words
from deixis.training.lessons.rehearsal import LEFT_OUT, rehearse

pytestmark = pytest.mark.extra("transformers")

TEXT = "Yale thanks Grace Hopper of IBM, and Yale"
HOPPER = {
    "text": "Grace Hopper",
    "start": 12,
    "end": 24,
    "type": "PER",
    "regions": [{"box": [1, 2, 30, 40]}, {"box": [100, 50, 400, 300]}],
}
IBM = {"text": "IBM", "start": 28, "end": 31, "type": "ORG", "regions": []}
FIRST_YALE = {
    "text": "Yale",
    "start": 0,
    "end": 4,
    "type": "ORG",
    "regions": [{"box": [9, 9, 99, 50]}],
}
YALE = {"text": "Yale", "start": 37, "end": 41, "type": "ORG", "regions": []}
ENTITIES = [HOPPER, IBM, YALE, FIRST_YALE]
BASE = "Qwen/Qwen3-VL-8B-Instruct"
Rehearse = Callable[..., Lessons]


@pytest.fixture
def lessons_of(scripted: Any, tmp_path: Path) -> Rehearse:
    """Rehearse one row: ``lessons_of(course, row, **graph_options)``."""

    def says(name: str, messages: list[Any], options: dict[str, Any]) -> str | None:
        prompt = messages[-1].text
        if "what in short is" in prompt:
            return f"A thing that {name} knows"
        return f"1. {name} knows her." if "give your reasons" in prompt else None

    scripted(says)
    Image.fromarray(np.full((500, 1000, 3), 90, np.uint8)).save(tmp_path / "photo.png")

    def build(
        course: str,
        row: dict[str, Any] | None = None,
        committee: tuple[str, ...] = (),
        **options: Any,
    ) -> Lessons:
        data = {"id": "a", "text": TEXT, "image": "photo.png", "entities": ENTITIES, **(row or {})}
        (tmp_path / "rows.jsonl").write_text(json.dumps(data) + "\n")
        settings = Settings.model_validate(
            {
                "name": "test",
                "schema": "gmner",
                "graph": "riveg",
                "roles": {
                    "recognizer": "scripted:nobody",
                    "expander": "scripted:expander",
                    "committee": [f"scripted:{member}" for member in committee],
                    "entailer": "scripted:nobody",
                    "vlm": "scripted:nobody",
                    "detector": "eyes",
                },
                "options": {"cache": "off"},
                "graph_options": options,
            }
        )
        with tools(eyes=[]):
            return rehearse(
                COURSES[course], tmp_path / "rows.jsonl", settings, BASE, tmp_path / "out"
            )

    return build


def said(lessons: Lessons) -> str:
    (lesson,) = lessons.lessons
    return in_words(lesson.answer, lessons.manifest.frame.convention, lesson.sizes)


def reasons(lessons: Path) -> list[str]:
    lines = (lessons / LEFT_OUT).read_text("utf-8").splitlines()
    return [json.loads(line)["reason"] for line in lines]


def test_entailment_is_taught_with_what_can_be_seen_and_what_cannot(lessons_of: Rehearse) -> None:
    lessons = lessons_of("riveg-ve")
    assert json.loads(said(lessons)) == {
        "e1": "entailment",
        "e2": "entailment",
        "e3": "contradiction",
        "e4": "contradiction",
    }
    (lesson,) = lessons.lessons
    assert lesson.prompt.startswith("riveg/entail ")
    assert "e2: <post>Grace Hopper (PER)" in lesson.user
    assert "A thing that expander knows</post>" in lesson.user
    assert len(lesson.media) == 1


def test_what_nobody_looked_for_is_not_asked_for(lessons_of: Rehearse) -> None:
    lessons = lessons_of("riveg-ve", {"entities": [{**HOPPER, "regions": None}, IBM]})
    assert json.loads(said(lessons)) == {"e1": "contradiction"}


def test_grounding_is_taught_with_the_largest_box_of_what_can_be_seen(
    lessons_of: Rehearse,
) -> None:
    lessons = lessons_of("riveg-vg")
    assert json.loads(said(lessons)) == {"e1": [9, 18, 99, 100], "e2": [100, 100, 400, 600]}
    (lesson,) = lessons.lessons
    assert lesson.prompt.startswith("riveg/ground ")
    assert "e1: <post>Yale (ORG)" in lesson.user
    assert "IBM" not in lesson.user


def test_names_are_taught_from_text_and_knowledge(lessons_of: Rehearse) -> None:
    lessons = lessons_of("riveg-ner")
    assert json.loads(said(lessons)) == {
        "entities": [
            {"text": "Yale", "type": "ORG", "confidence": 1.0},
            {"text": "Grace Hopper", "type": "PER", "confidence": 1.0},
            {"text": "IBM", "type": "ORG", "confidence": 1.0},
            {"text": "Yale", "type": "ORG", "confidence": 1.0},
        ]
    }
    (lesson,) = lessons.lessons
    assert "Knowledge: <post>1. expander knows her.</post>" in lesson.user
    assert not lesson.media


def test_a_name_that_would_be_found_elsewhere_is_left_out(
    lessons_of: Rehearse, tmp_path: Path
) -> None:
    with pytest.raises(DataError, match="where it stands in the text"):
        lessons_of("riveg-ner", {"entities": [YALE]})
    assert reasons(tmp_path / "out") == ["an entity does not come back where it stands in the text"]


@pytest.mark.parametrize(
    ("course", "row"),
    [
        ("riveg-ve", {"image": None}),
        ("riveg-ve", {"entities": []}),
        ("riveg-vg", {"entities": [IBM]}),
    ],
)
def test_a_row_of_which_nothing_is_asked_says_so(
    lessons_of: Rehearse, course: str, row: dict[str, Any]
) -> None:
    with pytest.raises(DataError, match="nothing was asked"):
        lessons_of(course, row)


def test_ofa_has_a_line_for_each_expression(lessons_of: Rehearse) -> None:
    lessons = lessons_of("riveg-ve")
    file = export(lessons, "ofa", lessons.folder).file
    lines = [line.split("\t") for line in file.read_text("utf-8").splitlines()]
    assert [(line[0], line[1], line[5]) for line in lines] == [
        ("a.jpg#e1", "a", "entailment"),
        ("a.jpg#e2", "a", "entailment"),
        ("a.jpg#e3", "a", "contradiction"),
        ("a.jpg#e4", "a", "contradiction"),
    ]
    lessons = lessons_of("riveg-vg")
    file = export(lessons, "ofa", lessons.folder).file
    lines = [line.split("\t") for line in file.read_text("utf-8").splitlines()]
    assert [line[3] for line in lines] == ["9.0,9.0,99.0,50.0", "100.0,50.0,400.0,300.0"]


@pytest.mark.parametrize("course", ["riveg-ve", "riveg-vg", "riveg-ner"])
def test_with_augmentation_there_is_a_lesson_for_each_who_writes(
    lessons_of: Rehearse, course: str
) -> None:
    plain = lessons_of(course).lessons
    lessons = lessons_of(course, None, ("second", "third", "fourth", "fifth"), augment=True)
    assert [lesson.id for lesson in lessons.lessons] == ["a", "a~2", "a~3", "a~4", "a~5"]
    assert lessons.lessons[:1] == plain
    assert {lesson.answer for lesson in lessons.lessons} == {plain[0].answer}
    assert lessons.manifest.settings["roles"]["expander"] == "scripted:expander"
    assert "augment" not in lessons.manifest.settings["graph_options"]
    written = [("expander" in lesson.user, "fifth" in lesson.user) for lesson in lessons.lessons]
    assert written == [(True, False), *[(False, False)] * 3, (False, True)]


def test_augmentation_takes_a_committee(lessons_of: Rehearse) -> None:
    with pytest.raises(SettingsError, match="augment has a lesson made of what each member"):
        lessons_of("riveg-ve", augment=True)
