"""Pictures of coloured squares, and rows that name a colour which is there or is not."""

import json
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

COLOURS = {"red": (220, 30, 30), "green": (30, 200, 60), "blue": (40, 60, 220)}
DASH = " – "  # noqa: RUF001


def draw(path: Path, colour: str, seed: int) -> None:
    """Draw a square somewhere on grey noise."""
    chance = np.random.default_rng(seed)
    pixels = chance.integers(90, 130, (64, 64, 3), dtype=np.uint8)
    left, top = chance.integers(0, 16, 2)
    pixels[top : top + 44, left : left + 44] = COLOURS[colour]
    Image.fromarray(pixels).save(path)


def write_rows(folder: Path, count: int, **more: Any) -> Path:
    """Write pictures and rows: one colour of each picture is shown, another is not."""
    rows = []
    names = list(COLOURS)
    for number in range(count):
        colour, other = names[number % 3], names[(number + 1 + number // 3 % 2) % 3]
        draw(folder / f"{number}.png", colour, number)
        entities = [
            {"text": name, "type": "square", "expression": f"{name}{DASH}a {name} square", **more}
            | {"regions": [{"box": [1, 1, 40, 40]}] if name == colour else []}
            for name in (colour, other)
        ]
        text = f"{colour} {other}"
        rows.append({"id": number, "text": text, "image": f"{number}.png", "entities": entities})
    path = folder / "rows.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path
