"""Label Studio: tasks and what comes back from people."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import given

from deixis.exchange import label_studio
from deixis.exchange.items import How

from .made_rows import item_of, plain, rows


def back(row: dict[str, Any]) -> list[Any]:
    with TemporaryDirectory() as folder:
        written = label_studio.write([item_of(row, Path(folder))], Path(folder), How())
        return list(label_studio.read(written.files[0], How()))


@given(rows())
def test_a_gold_row_comes_back_as_it_was(row: dict[str, Any]) -> None:
    [again] = back(row)
    assert isinstance(again, dict), again
    assert plain(again) == plain(row)
