"""Sound and video in lessons of MUIE: themselves for a base that takes them, else told."""

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from deixis.base.sound import wav_bytes
from deixis.formats.muie_rows import Frame, MuieEntity, MuieRow
from deixis.rows import RowRegion, write_rows
from deixis.testing import media, tools
from deixis.tools.base import Heard, Samples, TimedWord
from deixis.training.courses import course_named
from deixis.training.lessons.rehearsal import rehearse

from .conftest import stack_of

pytest.importorskip("av")
pytestmark = pytest.mark.extra("transformers")


class Ears:
    """A transcriber that hears a word every half second."""

    name = "ears"

    def transcribe(self, samples: Samples) -> Heard:
        return Heard(self.align(samples, ["ann", "lee", "speaks"]), "en")

    def align(self, samples: Samples, words: Sequence[str]) -> list[TimedWord]:
        return [TimedWord(word, n / 2, n / 2 + 0.4, 0.9) for n, word in enumerate(words)]


@pytest.mark.parametrize(
    ("base", "kinds"),
    [
        ("Qwen/Qwen2.5-Omni-7B", {"audio": 1, "video": 1}),
        ("Qwen/Qwen2.5-VL-7B-Instruct", {"video": 1}),
        ("OpenGVLab/InternVL3-8B", {"image": 4}),
    ],
)
def test_what_the_base_takes_is_sent(tmp_path: Path, base: str, kinds: dict[str, int]) -> None:
    (tmp_path / "said.wav").write_bytes(wav_bytes(np.full(24_000, 0.1, np.float32)))
    (tmp_path / "film.mp4").write_bytes(media.film(media.boxes(20), 10))
    seen = (Frame(frame=0, regions=(RowRegion(box=(0, 0, 9, 9)),)),)
    entities = (
        MuieEntity(text="Ann Lee", type="PER", spans=((0.0, 0.9),), track=seen),
        MuieEntity(text="dog", type="PER", track=seen),
    )
    row = MuieRow(id="1", task="ner", audio="said.wav", video="film.mp4", entities=entities)
    write_rows(tmp_path / "rows.jsonl", [row])
    settings = stack_of("muie", "ace", "scripted:nobody", {"frames": 4})
    settings = settings.with_roles({"transcriber": "ears"})
    with tools(ears=Ears()):
        out, course = tmp_path / "out", course_named("muie")
        (lesson,) = rehearse(course, tmp_path / "rows.jsonl", settings, base, out).lessons
    assert Counter(medium.kind for medium in lesson.media) == kinds
    told = "Speech: <post>ann lee speaks</post>" in lesson.user
    assert told == ("audio" not in kinds)
    (text,) = lesson.answer
    assert isinstance(text, str)
    assert json.loads(text)["entities"] == [
        {"name": "Ann Lee", "type": "PER", "video": "the person", "audio": "Ann Lee"},
        {"name": "dog", "type": "PER", "video": "the dog", "audio": None},
    ]
