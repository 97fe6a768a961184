from pathlib import Path

import numpy as np
import pytest

from deixis.base import masks
from deixis.formats import files
from deixis.formats.bare import bare
from deixis.rows import Row, RowEntity, RowRegion

MASK = masks.encode(np.ones((4, 4), bool))
ROW = Row(
    id="1",
    size=(4, 4),
    entities=(
        RowEntity(
            text="Ann",
            type="person",
            fine_type="author",
            regions=(RowRegion(box=(0, 0, 4, 4), mask=MASK),),
        ),
        RowEntity(text="Acme", type="organization", regions=()),
    ),
)


@pytest.mark.parametrize(
    ("name", "dropped"),
    [
        ("vkel", {"masks": 1}),
        ("e2e", {"masks": 1, "fine types": 1}),
        ("riveg", {"masks": 1, "fine types": 1}),
        ("pfa", {"boxes": 1, "fine types": 1}),
        ("muie", {"boxes": 1, "fine types": 1}),
    ],
)
def test_what_is_left_can_be_written(name: str, dropped: dict[str, int], tmp_path: Path) -> None:
    (kept,), left_out = bare([ROW], files.FORMATS[name])
    assert left_out == dropped
    files.write(tmp_path / "out", name, [kept])
    (read,) = files.read(tmp_path / "out", name, [ROW]).rows
    assert read == kept
    assert [entity.text for entity in kept.entities] == ["Ann", "Acme"]
