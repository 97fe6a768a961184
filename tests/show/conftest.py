"""A picture to be shown."""

from pathlib import Path

import pytest
from PIL import Image


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "a <b>.png"
    Image.new("RGB", (160, 120), (128, 128, 128)).save(path)
    return path
