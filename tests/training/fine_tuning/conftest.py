"""What the tests of fine-tuning share: eight posts, their lessons, and tiny models that learn."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image, ImageDraw

from deixis.settings import Settings
from deixis.training.courses import COURSES
from deixis.training.lessons.files import read_lessons
from deixis.training.lessons.records import Lessons
from deixis.training.lessons.rehearsal import rehearse

NAMES = [
    ("Ann", "PER"),
    ("NASA", "ORG"),
    ("Lisbon", "LOC"),
    ("Bob", "PER"),
    ("Ajax", "ORG"),
    ("Peru", "LOC"),
    ("Vogue", "OTHER"),
    ("Eve", "PER"),
]
SAID = 48
"""How often a text says its name: a model of two layers finds what there is a lot of."""


def write_posts(folder: Path) -> Path:
    """Write eight rows, each with a picture that has a box in it; return the file."""
    folder.mkdir(parents=True, exist_ok=True)
    lines = []
    for n, (name, kind) in enumerate(NAMES):
        left, top = 6 * n, 30 - 4 * n
        box = (left, top, left + 28 + n, top + 30 + n)
        picture = Image.new("RGB", (112, 84), (30 * n, 200 - 20 * n, 90))
        ImageDraw.Draw(picture).rectangle(box, fill=(255 - 30 * n, 20, 30 * n))
        picture.save(folder / f"{n}.png")
        seen = [{"box": box}] if n % 4 != 2 else []
        entity = {"text": name, "start": 0, "end": len(name), "type": kind, "regions": seen}
        row = {
            "id": f"r{n}",
            "text": " ".join([name] * SAID),
            "image": f"{n}.png",
            "entities": [entity],
        }
        lines.append(json.dumps(row))
    rows = folder / "rows.jsonl"
    rows.write_text("\n".join(lines) + "\n")
    return rows


@pytest.fixture(scope="session")
def posts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_posts(tmp_path_factory.mktemp("posts"))


@pytest.fixture(scope="session")
def lessons_of(
    tmp_path_factory: pytest.TempPathFactory, posts: Path, save_seeing: Callable[..., None]
) -> Callable[[str], Lessons]:
    """Return the lessons of the posts for a tiny model of a kind, both made once."""
    root = tmp_path_factory.mktemp("learners")
    stack = Settings.load("e2e")

    def lessons(kind: str) -> Lessons:
        out = root / f"{kind}-lessons"
        if not out.exists():
            base = str(root / kind)
            base += "?family=llava" if kind == "llava" else ""
            made = rehearse(COURSES["e2e"], posts, stack, base, out)
            texts = [text for each in made.lessons for text in (each.system, each.user)]
            # Tokens for what is asked, and none for what is answered but letters.
            learns = {"hidden": 64, "window": 2048, "share": 0.2}
            save_seeing(root / kind, kind, texts=texts, pieces=400, **learns)
        return read_lessons(out)

    return lessons
