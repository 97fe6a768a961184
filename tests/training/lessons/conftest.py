"""What tests of lessons share: pictures, and gold rows in a file beside them."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

Rows = Callable[..., Path]


@pytest.fixture
def rows_file(tmp_path: Path) -> Rows:
    """Write rows into a file, with a picture of noise for each name that they give as image."""

    def write(*rows: dict[str, Any], size: tuple[int, int] = (640, 480)) -> Path:
        chance = np.random.default_rng(3)
        for row in rows:
            for name in row.get("images") or [row.get("image")]:
                if name and name.endswith(".png") and not (tmp_path / name).exists():
                    pixels = chance.integers(0, 255, (size[1], size[0], 3), np.uint8)
                    Image.fromarray(pixels).save(tmp_path / name)
        path = tmp_path / "rows.jsonl"
        path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
        return path

    return write
