"""``deixis dataset read`` and ``write``: files of other systems."""

import json
from pathlib import Path
from typing import Any

import pytest

ROWS = [
    {
        "id": "17",
        "text": "Ann of Acme",
        "size": [100, 100],
        "entities": [
            {"text": "Ann", "type": "PER", "regions": [{"box": [1.0, 2.0, 30.0, 40.0]}]},
            {"text": "Acme", "type": "ORG", "regions": []},
        ],
    },
    {"id": "O_2", "text": "nothing", "size": [9, 9], "entities": []},
]


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    (path := tmp_path / "rows.jsonl").write_text("".join(f"{json.dumps(r)}\n" for r in ROWS))
    return path


def read_back(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


@pytest.mark.parametrize("name", ["vkel", "e2e", "riveg"])
def test_what_is_written_is_read_again(deixis: Any, rows: Path, tmp_path: Path, name: str) -> None:
    answers, again = tmp_path / "answers", tmp_path / "again.jsonl"
    code, printed, said = deixis("dataset", "write", name, rows, "--out", answers)
    assert code == 0 and printed.startswith("wrote 2 "), said
    arguments = ("dataset", "read", name, answers, "--gold", rows, "--out", again)
    code, _, said = deixis(*arguments)
    assert code == 0 and "0  pieces that could not be read" in said
    assert read_back(again) == ROWS[: 1 if name == "riveg" else 2]


def test_samples_of_riveg_and_their_boxes(deixis: Any, rows: Path, tmp_path: Path) -> None:
    lines, boxes, again = tmp_path / "lines", tmp_path / "boxes.json", tmp_path / "again.jsonl"
    both = ("--boxes", boxes)
    assert deixis("dataset", "write", "riveg", rows, "--out", lines, *both)[0] == 0
    assert lines.read_text().splitlines()[1].endswith("###Acme(ORG)-Acme###0")
    arguments = ("dataset", "read", "riveg", lines, "--gold", rows, "--out", again)
    assert deixis(*arguments, *both)[0] == 0
    assert read_back(again) == ROWS[:1]
    assert deixis(*arguments)[0] == 0
    assert "regions" not in read_back(again)[0]["entities"][0]


def test_what_cannot_be_read_is_shown(deixis: Any, rows: Path, tmp_path: Path) -> None:
    lines, out = tmp_path / "lines.txt", tmp_path / "out.jsonl"
    good = "Imageid:17.jpg#6aac###Ann(PER)###Ann(PER)-a woman###2\n"
    lines.write_text(good + "who [b]sings[/b]\n" * 25)
    arguments = ("dataset", "read", "riveg", lines, "--gold", rows, "--out", out)
    code, printed, said = deixis(*arguments)
    assert (code, printed) == (1, f"wrote 1 rows to {out}\n")
    flat = "".join(said.split())
    assert f"{lines}:2:itisnotpicture" in flat and "'who[b]sings[/b]'" in flat
    assert "5morepiecescouldnotberead" in flat and "25piecesthatcouldnotberead" in flat


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("write", "e2e", "rows.jsonl", "--out", "a", "--boxes", "b"), "--boxes is of riveg alone"),
        (("write", "riveg", "rows.jsonl", "--out", "rows.jsonl"), "rows.jsonl is used twice"),
        (("write", "riveg", "rows.jsonl", "--out", "a", "--boxes", "a"), "a is used twice"),
        (("write", "xml", "rows.jsonl", "--out", "a"), "there is no format 'xml'"),
        (
            ("read", "e2e", "rows.jsonl", "--gold", "rows.jsonl", "--out", "rows.jsonl"),
            "rows.jsonl is used twice",
        ),
        (("read", "e2e", "no.txt", "--gold", "rows.jsonl", "--out", "a"), "no.txt"),
    ],
)
def test_what_is_refused(
    deixis: Any,
    rows: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: tuple[str, ...],
    said: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    before = rows.read_bytes()
    code, printed, told = deixis("dataset", *arguments)
    assert (code, printed) == (2, "") and said in told
    assert rows.read_bytes() == before and not (tmp_path / "a").exists()


def test_a_link_to_the_other_file_is_that_file(deixis: Any, rows: Path, tmp_path: Path) -> None:
    (link := tmp_path / "link").symlink_to("boxes.json")  # which is not there yet
    boxes = tmp_path / "boxes.json"
    code, _, said = deixis("dataset", "write", "riveg", rows, "--out", link, "--boxes", boxes)
    assert code == 2 and "is used twice" in said and not boxes.exists()
