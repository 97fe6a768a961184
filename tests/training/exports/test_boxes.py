"""A box that is exported comes back through the graph's parser where it was.

Each edge comes back no further off than what the model's numbers count (a pixel of the frame, a
thousandth, a bin), or than a pixel of the picture where that is larger.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from deixis.agents.reading.places import where
from deixis.base.boxes import Box
from deixis.formats import e2e, vkel
from deixis.llms.box_conventions import FAMILIES, BoxConvention
from deixis.llms.picture_frames import Resize, Size
from deixis.training.exports.registry import TRAINERS, export
from deixis.training.lessons.records import LessonMedium, Lessons, Slot, Written

from .made import made

COUNT = 1000
TRAINED = [
    name
    for name, family in FAMILIES.items()
    if family.convention is not None and isinstance(family.convention.resize, Resize | None)
]
"""All but Claude, which nobody else can train, and GPT, of which no convention is known."""
LIMITS = ("&min_pixels=200704&max_pixels=802816", "&max_pixels=50176")
BASES = [*TRAINED, *(f"qwen2.5-vl{limits}" for limits in LIMITS)]


def _e2e(slot: Slot) -> Written:
    return ("<answer>a|person|", slot, "</answer>")


def _vkel(slot: Slot) -> Written:
    round_slot = slot.model_copy(update={"brackets": "()", "between": ", "})
    return ("a is a(an) person, whose bounding boxes are ", round_slot)


def _json(slot: Slot) -> Written:
    return ('{"e1": ', slot.model_copy(update={"between": ", "}), "}")


def _region(parse: Callable[[str], Any]) -> Callable[[str], Box]:
    def read(answer: str) -> Box:
        parsed = parse(answer)
        assert not parsed.problems, answer
        box: Box = parsed.entities[0].regions[0].box
        return box

    return read


def _of_json(answer: str) -> Box:
    boxes = where(json.loads(answer)["e1"])
    assert boxes
    return boxes[0]


FORMS: list[tuple[Callable[[Slot], Written], Callable[[str], Box]]] = [
    (_e2e, _region(e2e.parse)),
    (_vkel, _region(vkel.parse)),
    (_json, _of_json),
]


def units(frame: BoxConvention, size: Size) -> list[float]:
    """Return the length of what is counted in pixels of the picture, x and y; at least one."""
    if frame.resize is not None:
        counted = frame.resize.frame(size)
        return [max(1.0, side / count) for side, count in zip(size, counted, strict=True)]
    sides = (max(size),) * 2 if frame.padded else size
    digit = 10.0**-frame.decimals
    return [max(1.0, side * digit / frame.reference) for side in sides]


def drawn(lessons: Lessons) -> Lessons:
    """Return a lesson for each of `COUNT` pictures of random size, with a random box in it."""
    random = np.random.default_rng(5)
    frame, [plain] = lessons.manifest.frame.convention, lessons.lessons
    some = []
    for number in range(COUNT):
        width, height = (int(side) for side in random.integers(64, 2000, 2))
        medium = plain.media[0].model_copy(update={"width": width, "height": height})
        box = _box((width, height), units(frame, (width, height)), random)
        write, _ = FORMS[number % len(FORMS)]
        update = {"media": (medium,), "answer": write(Slot(box=box))}
        some.append(plain.model_copy(update=update))
    return lessons._replace(lessons=some)


def _box(size: Size, smallest: list[float], random: np.random.Generator) -> Box:
    """Draw a box of at least two units; at times it touches the edges of the picture."""
    edges = []
    for side, unit in zip(size, smallest, strict=True):
        low = float(random.choice([0.0, random.uniform(0, side - 2 * unit)], p=[0.1, 0.9]))
        high = float(random.choice([side, random.uniform(low + 2 * unit, side)], p=[0.1, 0.9]))
        edges.append((low, high))
    (x1, x2), (y1, y2) = edges
    return x1, y1, x2, y2


def said_in(name: str, row: Any, frame: BoxConvention, medium: LessonMedium) -> str:
    """Return the answer that a trainer takes out of its row."""
    if name == "trl":
        return str(row["completion"][0]["content"][0]["text"])
    if name == "qwen":
        return str(row["conversations"][1]["value"])
    said: str = row["messages"][2]["content"]
    for box, _ in zip(
        *(row.get("objects", {}).get(key, ()) for key in ("bbox", "image_id")), strict=True
    ):
        assert isinstance(frame.resize, Resize)
        size = (medium.width, medium.height)
        counted = frame.resize.frame(size)
        # ms-swift, normalize_bbox: shares of the file's size, of the picture as it is resized.
        numbers = [
            round(edge / side * count)
            for edge, side, count in zip(box, size * 2, counted * 2, strict=True)
        ]
        said = said.replace("<bbox>", str(numbers), 1)
    return said


@pytest.mark.parametrize("name", sorted(TRAINERS.keys() - {"ofa"}))
@pytest.mark.parametrize("base", BASES)
def test_a_box_comes_back_where_it_was(base: str, name: str, tmp_path: Path) -> None:
    plain = made(tmp_path, base=f"transformers:/my/weights?family={base}", pictures=((64, 48),))
    frame, lessons = plain.manifest.frame.convention, drawn(plain)
    lines = export(lessons, name, tmp_path).file.read_text(encoding="utf-8").splitlines()
    for number, (line, lesson) in enumerate(zip(lines, lessons.lessons, strict=True)):
        [medium], size = lesson.media, lesson.sizes[0]
        _, read = FORMS[number % len(FORMS)]
        numbers = read(said_in(name, json.loads(line), frame, medium))
        found = frame.from_model(list(numbers), size)
        [slot] = [piece for piece in lesson.answer if isinstance(piece, Slot)]
        assert found is not None, (size, slot.box, numbers)
        for one, other, unit in zip(found, slot.box, units(frame, size) * 2, strict=True):
            assert abs(one - other) <= unit + 1e-6, (size, slot.box, numbers)
