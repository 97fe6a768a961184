"""Rows in short: ``post("a", "Ann PER 0,0,10,10", "Rome LOC None")``."""

from collections.abc import Callable
from typing import Any

import pytest

from deixis.rows import Row, RowEntity, RowRegion

Post = Callable[..., Row]


def entity(said: str, **more: Any) -> RowEntity:
    """``NAME TYPE REGIONS``: boxes between spaces, ``None`` to say none, nothing to say nothing."""
    name, kind, *boxes = said.split(" ")
    regions = [
        RowRegion(box=tuple(map(float, each.split(",")))) for each in boxes if each[0] != "N"
    ]
    return RowEntity(
        text=name.replace("_", " "), type=kind, regions=regions if boxes else None, **more
    )


@pytest.fixture
def post() -> Post:
    """Make a row: ``post(id, *entities)``, each as `entity` reads it, or one made already."""
    return lambda name, *said: Row(
        id=name, entities=[entity(each) if isinstance(each, str) else each for each in said]
    )
