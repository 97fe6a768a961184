"""What tests of several courses share: pictures beside rows, and a model that has learned."""

from collections.abc import Callable, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from deixis import Extraction, Settings, build_graph
from deixis.llms.local.control_marks import KNOWN
from deixis.rows import Row, write_rows
from deixis.testing import Question, scripted
from deixis.training.courses import course_named
from deixis.training.lessons.records import Lessons, in_words
from deixis.training.lessons.rehearsal import rehearse

BASE = "Qwen/Qwen3-VL-8B-Instruct"


@pytest.fixture
def rehearsed(tmp_path: Path) -> Callable[..., Lessons]:
    """Rehearse rows whose pictures are noise: ``rehearsed(course, rows, schema, **options)``."""

    def make(
        course: str, rows: Sequence[Row], schema: str, base: str = BASE, **graph_options: Any
    ) -> Lessons:
        chance = np.random.default_rng(7)
        for row in rows:
            for number, name in enumerate(row.images or ([row.image] if row.image else [])):
                width, height = (200, 150) if number == 0 else (90, 120)
                pixels = chance.integers(0, 255, (height, width, 3), np.uint8)
                Image.fromarray(pixels).save(tmp_path / name)
        write_rows(tmp_path / "rows.jsonl", rows)
        settings = stack_of(course, schema, "scripted:nobody", graph_options)
        return rehearse(
            course_named(course), tmp_path / "rows.jsonl", settings, base, tmp_path / "lessons"
        )

    return make


def stack_of(graph: str, schema: str, vlm: str, graph_options: dict[str, Any]) -> Settings:
    data = {"name": "test", "schema": schema, "graph": graph, "graph_options": graph_options}
    return Settings.model_validate({**data, "roles": {"vlm": vlm}, "options": {"cache": "off"}})


@pytest.fixture
def asked_again(tmp_path: Path) -> Callable[..., dict[str, Extraction]]:
    """Run the graph over the rows of lessons with a model that has learned them by heart."""

    def run(lessons: Lessons, rows: Sequence[Row], **given: Any) -> dict[str, Extraction]:
        frame = lessons.manifest.frame.convention
        learned = [
            (
                KNOWN.plain(each.system),
                KNOWN.plain(each.user),
                [medium.sha256 for medium in each.media],
                in_words(each.answer, frame, each.sizes),
            )
            for each in lessons.lessons
        ]

        def reply(question: Question) -> str:
            shown = [sha256(image).hexdigest() for image in question.images]
            (text,) = {
                text
                for system, user, media, text in learned
                if question.system == system and question.user.endswith(user) and media == shown
            }
            return text

        held = lessons.manifest.settings
        settings = stack_of(
            held["graph"], held["schema"], "scripted:qwen3-vl", held["graph_options"]
        )
        found = {}
        with scripted(reply, sees=True):
            graph = build_graph(settings)
            for row in rows:
                names = row.images or ([row.image] if row.image else [])
                images = [str(tmp_path / name) for name in names]
                media = {"images": images} if len(images) > 1 else {"image": [*images, None][0]}
                own = {name: make(row) for name, make in given.items()}
                out = graph.invoke({"text": row.text, **media, **own})
                found[row.id] = Extraction.model_validate(out)
        return found

    return run
