"""``deixis dataset convert`` and ``stats``."""

import json
from pathlib import Path
from typing import Any

import pytest

TEXT = "IMGID:1\nAda\tB-PER\nin\tO\nLondon\tI-LOC\n\nIMGID:2\nHello\tO\n\n"
XML = """<annotation><filename>other.jpg</filename>
<size><width>100</width><height>80</height><depth>3</depth></size>
<object><name>Ada</name>
<bndbox><xmin>1</xmin><ymin>2</ymin><xmax>30</xmax><ymax>40</ymax></bndbox></object>
</annotation>"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An invented release with one picture."""
    for name, content in {"dev.txt": TEXT, "xml/1.xml": XML, "pictures/1.jpg": ""}.items():
        path = tmp_path / "release" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    return tmp_path / "release"


def test_convert_writes_rows_and_says_what_it_met(
    deixis: Any, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    arguments = ("--split", "dev", "--out", "new/gold.jsonl", "--images", "release/pictures")
    code, printed, said = deixis("dataset", "convert", "gmner", "release", *arguments)
    assert (code, printed) == (0, "wrote 2 rows to new/gold.jsonl\n")
    counts = dict(reversed(line.split(maxsplit=1)) for line in said.splitlines())
    assert counts["orphan I- tags that open an entity"] == "1"
    assert counts["box files that name another picture"] == "1"
    assert counts["pictures that were not found"] == "1"
    rows = [json.loads(line) for line in (tmp_path / "new/gold.jsonl").read_text().splitlines()]
    assert rows == [
        {
            "id": "1",
            "text": "Ada in London",
            "image": "../release/pictures/1.jpg",
            "size": [100, 80],
            "entities": [
                {
                    "text": "Ada",
                    "start": 0,
                    "end": 3,
                    "type": "PER",
                    "regions": [{"box": [1.0, 2.0, 30.0, 40.0]}],
                },
                {"text": "London", "start": 7, "end": 13, "type": "LOC", "regions": []},
            ],
        },
        {"id": "2", "text": "Hello", "entities": []},
    ]


@pytest.mark.parametrize("name", ["dev.txt", "xml/1.xml", "pictures/1.jpg"])
def test_a_part_of_the_release_is_not_written_over(deixis: Any, folder: Path, name: str) -> None:
    before = (folder / name).read_bytes()
    arguments = ("dataset", "convert", "gmner", folder, "--split", "dev", "--out")
    code, printed, said = deixis(*arguments, folder / name)
    assert (code, printed) == (2, "") and "is a part of the data set; give another --out" in said
    assert (folder / name).read_bytes() == before
    for _ in range(2):
        assert deixis(*arguments, folder / "rows.jsonl")[0] == 0


def test_rows_of_a_release_are_not_written_over(deixis: Any, tmp_path: Path) -> None:
    (tmp_path / "dev.jsonl").write_text("")
    arguments = ("dataset", "convert", "muie", tmp_path, "--split", "dev", "--out")
    assert "part of the data set" in deixis(*arguments, tmp_path / "dev.jsonl")[2]


def test_stats(deixis: Any, folder: Path, tmp_path: Path) -> None:
    gold = tmp_path / "gold.jsonl"
    code, _, _ = deixis("dataset", "convert", "gmner", folder, "--split", "dev", "--out", gold)
    assert code == 0
    code, printed, said = deixis("dataset", "stats", gold, "--json")
    found = json.loads(printed)
    assert (code, said, found["rows"], found["groundable"]) == (0, "", 2, 1)
    assert found["types"]["PER"]["boxes"] == 1
    code, printed, said = deixis("dataset", "stats", gold)
    assert (code, said) == (0, "")
    assert "rows without entity" in printed and "min 100 / median 100 / max 100" in printed
    assert "fine type" not in printed
    gold.write_text('{"id": "1", "entities": [{"text": "a", "type": "t", "fine_type": "f"}]}\n')
    _, printed, _ = deixis("dataset", "stats", gold)
    assert "fine type" in printed


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("dev.txt", "IMGID:1\nAda\n"), "dev.txt:2: expected token, tab, tag"),
        (("xml/1.xml", "<annotation>\n<object/></annotation>"), "1.xml:2: an object without"),
    ],
)
def test_a_file_that_does_not_parse_writes_nothing(
    deixis: Any, folder: Path, tmp_path: Path, change: tuple[str, str], said: str
) -> None:
    (folder / change[0]).write_text(change[1])
    gold = tmp_path / "gold.jsonl"
    code, printed, error = deixis(
        "dataset", "convert", "gmner", folder, "--split", "dev", "--out", gold
    )
    assert (code, printed, gold.exists()) == (2, "", False)
    assert error.startswith("Error: ") and error.count("\n") == 1 and said in error


def test_help_says_what_each_data_set_must_look_like(
    deixis: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from deixis.evaluation.datasets import DATASETS

    monkeypatch.setenv("COLUMNS", "200")
    code, printed, _ = deixis("dataset", "convert", "--help")
    assert code == 0
    assert all(name in printed for name in DATASETS)
    for word in ("txt_fine/SPLIT.txt", "labelme/ID.json", '"letter": "a", "box": (four', '"track"'):
        assert word in printed
    code, _, error = deixis(
        "dataset", "convert", "coco", "nowhere", "--split", "dev", "--out", "x.jsonl"
    )
    assert code == 2 and "there is no data set 'coco'" in error
