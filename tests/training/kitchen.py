"""Invented recipes: ingredients and tools, which no shipped recognizer knows."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

INGREDIENTS = {
    "basil": "herb",
    "thyme": "herb",
    "sage": "herb",
    "Dijon mustard": "sauce",
    "soy sauce": "sauce",
    "pesto": "sauce",
}
TOOLS = ("whisk", "cast iron pan", "sieve", "rolling pin", "ladle")


def row(number: int, **more: Any) -> dict[str, Any]:
    """A recipe of one line or two that names an ingredient and a tool."""
    ingredient = list(INGREDIENTS)[number % len(INGREDIENTS)]
    tool = TOOLS[number * 3 % len(TOOLS)]
    gap = "\n" if number % 4 == 0 else " "
    text = f"Stir the {ingredient} in well.{gap}Then take a {tool}, please"
    entities = [
        entity(text, ingredient, "ingredient", fine_type=INGREDIENTS[ingredient], **more),
        entity(text, tool, "tool", **more),
    ]
    return {"id": str(number), "text": text, "entities": entities}


def entity(text: str, name: str, kind: str, **more: Any) -> dict[str, Any]:
    """An entity, and where its name stands."""
    start = text.index(name)
    return {"text": name, "start": start, "end": start + len(name), "type": kind, **more}


def write(path: Path, rows: Sequence[dict[str, Any]]) -> Path:
    """Write rows."""
    path.write_text("".join(json.dumps(each) + "\n" for each in rows), encoding="utf-8")
    return path
