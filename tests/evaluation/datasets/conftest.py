"""What the tests of the readers share: invented releases, written as files."""

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from deixis.evaluation.datasets import convert
from deixis.formats.muie_rows import MuieRow
from deixis.rows import Row, write_rows

Release = Callable[[dict[str, str | bytes]], Path]
AsGold = Callable[[Sequence[Row]], list[MuieRow]]


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


@pytest.fixture
def as_gold(tmp_path: Path) -> AsGold:
    """Return rows as the reader of MUIE's own files has them, which checks all that they say."""

    def read(rows: Sequence[Row]) -> list[MuieRow]:
        write_rows(tmp_path / "gold.jsonl", rows)
        again = convert("muie", tmp_path, "gold").rows
        assert list(again) == list(rows)
        return [MuieRow.model_validate(row) for row in again]

    return read
