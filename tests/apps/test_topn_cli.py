"""``deixis dataset topn``: what it prints, and how it ends."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from deixis.testing.stand_ins import Given, tools
from deixis.tools.base import Detection

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def gold(tmp_path: Path) -> Path:
    Image.new("RGB", (80, 60), "red").save(tmp_path / "a.png")
    entities = [
        {"text": "Ada", "type": "PER", "regions": [{"box": [0, 0, 10, 10]}]},
        {"text": "Bob", "type": "PER", "regions": [{"box": [50, 0, 60, 10]}]},
    ]
    path = tmp_path / "gold.jsonl"
    path.write_text(json.dumps({"id": "a", "image": "a.png", "entities": entities}) + "\n")
    return path


def test_it_prints_a_table_and_json(deixis: Run, gold: Path) -> None:
    named = ("dataset", "topn", gold, "--role", "detector=given", "--top", 1, "--top", 5)
    with tools(given=Given([Detection("person", (0.0, 0.0, 10.0, 10.0), 0.9)])):
        code, printed, said = deixis(*named)
        assert (code, said) == (0, "")
        title = "TopN-Prec@0.5 of given: 2 mentions that can be seen, 1 objects in 1 pictures"
        assert printed.startswith(f"{title}\n")
        rows = [line.split() for line in printed.splitlines()]
        assert rows[2:] == [["top1", "50.00", "50.0-50.0"], ["top5", "50.00", "50.0-50.0"]]
        found = json.loads(deixis(*named, "--json")[1])
        assert found["measures"]["top5"]["value"] == 0.5 and found["detector"] == "given"
        gold.write_text(gold.read_text().replace("a.png", "b.png"))
        code, printed, said = deixis(*named)
    assert code == 1 and f"{gold}:1: 'a': " in said and "b.png" in said
    assert "0 objects in 0 pictures" in printed


def test_what_is_refused(deixis: Run, gold: Path) -> None:
    bare = gold.with_name("bare.jsonl")
    bare.write_text(gold.read_text().replace('"image": "a.png", ', ""))
    code, printed, said = deixis("dataset", "topn", bare, "--stack", "fast")
    assert (code, printed) == (2, "") and "no row with boxes has a picture" in said
    code, printed, said = deixis("dataset", "topn", gold, "--role", "detector=none")
    assert (code, printed) == (2, "") and "nobody plays the role 'detector'" in said
