"""``deixis dataset captions``."""

import json
from pathlib import Path
from typing import Any

ROWS = [
    {"id": 71044, "text": "a park", "image": "1.jpg", "entities": [], "more": {"a": 1}},
    {"id": "O_2", "text": "nothing"},
]


def test_rows_get_captions_and_keep_all_else(deixis: Any, tmp_path: Path) -> None:
    rows, file, out = (tmp_path / name for name in ("rows.jsonl", "captions.txt", "out.jsonl"))
    rows.write_text("".join(f"{json.dumps(row)}\n" for row in ROWS))
    file.write_text("71044.jpg :a green park\n9.jpg :another\n")
    arguments = ("dataset", "captions", file, "--rows", rows, "--out", out)
    code, printed, said = deixis(*arguments)
    assert (code, printed) == (0, f"wrote 2 rows to {out}\n"), said
    assert "1  rows without a description" in said and "1  descriptions of no row" in said
    assert [json.loads(line) for line in out.read_text().splitlines()] == [
        {**ROWS[0], "caption": "a green park"},
        ROWS[1],
    ]
    file.write_text("71044.jpg :a green park\n[b]what[/b]\n")
    code, _, said = deixis(*arguments)
    assert code == 1 and "captions.txt:2: it is neither" in " ".join(said.split())
    file.write_text("9.jpg :another\n")
    code, _, said = deixis(*arguments)
    assert code == 2 and "no description of a picture in" in " ".join(said.split())
    assert "is read" in deixis("dataset", "captions", file, "--rows", rows, "--out", rows)[2]
