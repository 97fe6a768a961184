"""What the tests of the readers share: invented releases, written as files."""

from collections.abc import Callable
from pathlib import Path

import pytest

Release = Callable[[dict[str, str | bytes]], Path]


@pytest.fixture
def release(tmp_path: Path) -> Release:
    """Write files, given by their paths, into one folder and return it."""

    def write(files: dict[str, str | bytes]) -> Path:
        for name, content in files.items():
            path = tmp_path / "release" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content.encode() if isinstance(content, str) else content)
        return tmp_path / "release"

    return write
