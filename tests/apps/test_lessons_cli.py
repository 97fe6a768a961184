"""deixis dataset export: what it writes and says, and what it refuses."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

pytestmark = pytest.mark.extra("transformers")

ROW: dict[str, Any] = {
    "id": "a",
    "text": "Ada Lovelace in London",
    "image": "a.png",
    "entities": [
        {"text": "Ada Lovelace", "type": "PER", "regions": [{"box": [10, 10, 90, 70]}]},
        {"text": "London", "type": "LOC", "regions": []},
    ],
}
Cli = Callable[..., Any]


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    Image.fromarray(np.full((80, 100, 3), 120, np.uint8)).save(tmp_path / "a.png")
    path = tmp_path / "rows.jsonl"
    lost = {**ROW, "id": "b", "image": None}
    path.write_text(f"{json.dumps(ROW)}\n{json.dumps(lost)}\n", "utf-8")
    return path
