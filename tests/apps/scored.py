"""Gold and predictions in short, and how they are written as rows."""

import json
from pathlib import Path
from typing import Any

W, HALF, FAR = [0, 0, 10, 10], [0, 0, 5, 10], [50, 50, 60, 60]
GOLD = {
    "a": [("Ada", "PER", [W]), ("Rome", "LOC", [])],
    "b": [("Bob", "PER", [W, FAR]), ("NASA", "ORG", [])],
    "c": [("Eve [x]", "PER", [FAR])],
}
FIRST = {
    "a": [("Ada", "PER", [HALF]), ("Rome", "LOC", [W])],
    "b": [("Bob", "PER", []), ("NASA", "ORG", [])],
    "c": [("Eve [x]", "PER", [W])],
}


def write(path: Path, posts: dict[str, Any], **more: Any) -> Path:
    rows = [
        {
            "id": name,
            "entities": [
                {"text": text, "type": kind, "regions": boxes and [{"box": box} for box in boxes]}
                for text, kind, boxes in found
            ],
            **more,
        }
        for name, found in posts.items()
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path
