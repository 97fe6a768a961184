"""What the commands print that make what VKEL's stages are trained on."""

import json
from pathlib import Path
from typing import Any


def test_sketches_says_what_is_wrong_in_them(deixis: Any, tmp_path: Path) -> None:
    ann = {"text": "Ann", "start": 0, "end": 3, "type": "person"}
    rows, out = tmp_path / "rows.jsonl", tmp_path / "out.jsonl"
    rows.write_text(json.dumps({"id": "1", "text": "Ann", "entities": [ann]}) + "\n")
    code, printed, said = deixis("dataset", "sketches", rows, "--out", out, "--noise", 1)
    assert code == 0 and printed == f"wrote 1 rows to {out}\n"
    assert " ".join(said.split()) == "1 sketches that are not the gold 1 changed by noise"
    assert json.loads(out.read_text())["sketch"] == []
    code, _, said = deixis("dataset", "sketches", rows, "--out", rows)
    assert code == 2 and "is read; give another file to write" in said
    assert deixis("dataset", "sketches", rows, "--out", out, "--noise", 1.5)[0] == 2
