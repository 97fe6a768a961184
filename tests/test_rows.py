"""Rows: one shape for gold and predictions, every bad line told with its number."""

import json
from pathlib import Path
from typing import Any

import pytest

from deixis.errors import DataError, InputError
from deixis.rows import Row, RowEntity, RowRegion, read_rows, write_rows

GOOD = {"id": "1", "text": "Ann", "entities": [{"text": "Ann", "type": "PER", "regions": []}]}


NAN = {"box": [float("nan"), 0, 1, 1]}


def written(path: Path, *lines: Any) -> Path:
    path.write_text("\n".join(x if isinstance(x, str) else json.dumps(x) for x in lines))
    return path


def test_rows_come_back_as_they_were_written(tmp_path: Path) -> None:
    region = RowRegion(box=(1.0, 2.5, 3.0, 4.0))
    entities = (
        RowEntity(text="Ann", start=0, end=3, type="PER", regions=(region, region)),
        RowEntity(text="🚢", type="OTHER", fine_type="ship", regions=()),
        RowEntity(text="Rome", type="LOC", regions=None),
    )
    rows = [Row(id="a", text="Ann 🚢 Rome", size=(4, 3), entities=entities), Row(id="b")]
    path = tmp_path / "rows.jsonl"
    assert write_rows(path, rows) == 2
    assert read_rows(path) == rows


def test_a_line_of_a_batch_is_a_row(tmp_path: Path) -> None:
    image = {"sha256": "0", "width": 40, "height": 30, "source": "a.jpg"}
    line = {**GOOD, "image": image, "usage": [], "warnings": [], "settings": "ab"}
    (row,) = read_rows(written(tmp_path / "out.jsonl", line))
    assert (row.image, row.size) == ("a.jpg", (40, 30))
    assert row.entities[0].regions == ()


def test_what_is_undecided_was_not_looked_at(tmp_path: Path) -> None:
    entity = {"text": "Ann", "type": "PER", "regions": []}
    lines = [
        {**GOOD, "id": str(n), "entities": [{**entity, "groundable": given}]}
        for n, given in enumerate((None, False))
    ]
    undecided, no = read_rows(written(tmp_path / "p.jsonl", *lines))
    assert undecided.entities[0].regions is None and no.entities[0].regions == ()


def test_an_id_may_be_a_whole_number(tmp_path: Path) -> None:
    assert [row.id for row in read_rows(written(tmp_path / "p.jsonl", {"id": 7}))] == ["7"]
    with pytest.raises(DataError, match="the id '7' stands on line 1 too"):
        read_rows(written(tmp_path / "p.jsonl", {"id": 7}, {"id": "7"}))


def test_an_inverted_box_of_a_prediction_is_kept(tmp_path: Path) -> None:
    entity = {"text": "Ann", "type": "PER", "regions": [{"box": [9, 9, 1, 1]}]}
    (row,) = read_rows(written(tmp_path / "p.jsonl", "", {**GOOD, "entities": [entity]}, ""))
    assert row.entities[0].regions == (RowRegion(box=(9, 9, 1, 1)),)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("{", "not JSON"),
        ('["a"]', "a list is no row"),
        ("7", "no row"),
        ("[" * 100_000, "not JSON"),
        ({"text": "a"}, "id: Field required"),
        ({"id": ""}, "id: String should have at least 1"),
        ({"id": 1.0}, "id: Input should be a valid string"),
        ({"id": True}, "id: Input should be a valid string"),
        ([GOOD], "jq -c '.[]'"),
        ('{"id": "1"},', "no comma stands between"),
        ('{"id": "1", "id": "2"}', "stands twice"),
        ({**GOOD, "entities": [{"text": "", "type": "PER"}]}, "entities.0.text"),
        ({**GOOD, "entities": [{"text": "a"}]}, "entities.0.type"),
        ({**GOOD, "size": [1]}, "size"),
        ({**GOOD, "entities": [{"text": "a", "type": "P", "regions": [{}]}]}, "box: Field"),
        ({**GOOD, "entities": [{"text": "a", "type": "P", "regions": [NAN]}]}, "finite"),
    ],
)
def test_a_bad_line_is_told_with_its_number(tmp_path: Path, line: Any, said: str) -> None:
    path = written(tmp_path / "rows.jsonl", {**GOOD, "id": "0"}, "", line)
    with pytest.raises(DataError, match=r"rows\.jsonl:3: ") as caught:
        read_rows(path)
    assert said in str(caught.value)


def test_every_bad_line_is_told_up_to_twenty(tmp_path: Path) -> None:
    path = written(tmp_path / "rows.jsonl", GOOD, GOOD, *["{"] * 25)
    with pytest.raises(DataError) as caught:
        read_rows(path)
    assert "rows.jsonl:2: the id '1' stands on line 1 too" in str(caught.value)
    assert "rows.jsonl:21: " in str(caught.value) and "(and 6 more)" in str(caught.value)


def test_files_that_cannot_be_read_or_written(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot read"):
        read_rows(tmp_path / "none.jsonl")
    (tmp_path / "bad.jsonl").write_bytes(b'{"id": "1"}\n\xff\n')
    with pytest.raises(DataError, match=r"bad\.jsonl:2: not UTF-8"):
        read_rows(tmp_path / "bad.jsonl")
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="cannot write"):
        write_rows(tmp_path / "file" / "x.jsonl", [])
