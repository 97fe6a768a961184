"""MNER-MI and MNER-MI-Plus, invented, in the form of the release."""

import json
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from deixis.errors import DataError, InputError
from deixis.evaluation.datasets import convert
from deixis.rows import read_rows, write_rows

TWEET: dict[str, Any] = {
    "id": 5302,
    "text": ["Ada", "Lovelace", "wears", "Acme"],
    "images": ["5302_0.jpg", "5302_1.jpg"],
    "label": ["B-PER", "I-PER", "O", "B-MIS"],
    "url": "https://example.org/1",
}
MERGED: dict[str, Any] = {
    "id": "twitter2017-O_26",
    "text": ["it's", '"', "Acme"],
    "images": ["twitter2017-O_26.jpg"],
    "label": ["O", "O", "B-MISC"],
    "url": "",
}


@pytest.fixture
def release(tmp_path: Path) -> Path:
    for name in ("images/5302_0.jpg", "images/5302_1.jpg", "twitter2017_images/O_26.jpg"):
        (path := tmp_path / name).parent.mkdir(exist_ok=True)
        Image.new("RGB", (8, 6)).save(path)
    (tmp_path / "text").mkdir()
    (tmp_path / "text/MNER-MI_val.txt").write_text(json.dumps(TWEET) + "\n")
    (tmp_path / "text/MNER-UNI_val.txt").write_text(f"{json.dumps(TWEET)}\n{MERGED}\n")
    return tmp_path


def test_all_pictures_of_a_tweet(
    release: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(release)
    (row,), counts = convert("mner-mi", Path(), "val", beside=Path("rows"))
    assert (row.id, row.text, row.size) == ("5302", "Ada Lovelace wears Acme", (8, 6))
    assert row.images == ("../images/5302_0.jpg", "../images/5302_1.jpg")
    assert row.image == row.images[0]
    found = [(e.text, e.start, e.end, e.type, e.regions) for e in row.entities]
    assert found == [("Ada Lovelace", 0, 12, "PER", None), ("Acme", 19, 23, "OTHER", None)]
    assert counts["entities of the type MIS or MISC, called OTHER"] == 1
    assert (counts["pictures"], counts["tweets with several pictures"]) == (2, 1)
    write_rows(tmp_path / "rows.jsonl", [row])
    assert read_rows(tmp_path / "rows.jsonl") == [row]


def test_lines_as_python_prints_them_and_pictures_of_twitter_2017(release: Path) -> None:
    rows, counts = convert("mner-mi-plus", release, "val")
    assert [row.id for row in rows] == ["5302", "twitter2017-O_26"]
    assert rows[1].image == str(release / "twitter2017_images/O_26.jpg")
    assert (rows[1].text, rows[1].entities[0].type) == ("it's \" Acme", "OTHER")
    assert counts["pictures that were not found (left out)"] == 0


def test_pictures_that_are_not_there_are_left_out_and_counted(release: Path) -> None:
    (release / "images/5302_0.jpg").unlink()
    (row,), counts = convert("mner-mi", release, "val")
    assert row.images == (row.image,) == (str(release / "images/5302_1.jpg"),)
    assert counts["pictures that were not found (left out)"] == 1
    (row,), counts = convert("mner-mi", release, "val", images=release / "text")
    assert (row.images, row.image, row.size) == (None, None, None)
    assert counts["pictures that were not found (left out)"] == 2


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("Ada", "neither JSON nor a Python literal: 'Ada'"),
        ("__import__('os').getcwd()", "neither JSON nor a Python literal"),
        ("[" * 100_000, "neither JSON nor a Python literal|nested too deeply"),
        ({**TWEET, "label": ["O"]}, "4 tokens and 1 tags"),
        ({**TWEET, "label": ["O", "O", "O", "B-X"]}, "unknown tag 'B-X'"),
        ({**TWEET, "text": ["", "", "wears", "Acme"]}, None),
        ({**TWEET, "text": ["Ada", "Lovelace", "wears", ""]}, "an entity without a character"),
        ({**TWEET, "images": None}, "images: "),
        (TWEET, "the id '5302' stands twice"),
    ],
)
def test_lines_that_do_not_fit(release: Path, line: Any, said: str | None) -> None:
    text = line if isinstance(line, str) else json.dumps(line)
    path = release / "text/MNER-MI_val.txt"
    before = TWEET if line is TWEET else {**TWEET, "id": 1}
    path.write_text(f"{json.dumps(before)}\n{text}")
    if said is None:
        assert convert("mner-mi", release, "val").rows[1].entities[0].text == " "
        return
    with pytest.raises(DataError, match=rf"MNER-MI_val.txt:2: .*({said})"):
        convert("mner-mi", release, "val")


def test_names_of_splits(release: Path) -> None:
    with pytest.raises(InputError, match="there: MNER-MI_val, MNER-UNI_val"):
        convert("mner-mi", release, "dev")
