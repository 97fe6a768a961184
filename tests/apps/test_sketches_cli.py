"""What the commands print that make what VKEL's stages are trained on."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from PIL import Image

from deixis.testing import tools
from deixis.tools.base import Picture


class Fitting:
    """Compares pictures with texts, and is an embedder: all fit alike."""

    name = "fitting"

    def embed(self, picture: Picture | None, text: str) -> Any:
        raise AssertionError("it is not asked")

    def similarities(self, picture: Picture, texts: Sequence[str]) -> list[float]:
        return [0.31] * len(texts)


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


def test_pair_prints_what_was_kept_and_why_the_rest_was_not(deixis: Any, tmp_path: Path) -> None:
    rows, out, types = (tmp_path / name for name in ("rows.jsonl", "out.jsonl", "types.yaml"))
    ann = {"text": "Ann", "start": 0, "end": 3, "type": "/person/artist"}
    given = [{"id": name, "text": "Ann", "entities": [ann]} for name in "ab"]
    rows.write_text("".join(json.dumps(row) + "\n" for row in given))
    types.write_text("/person: person\n")
    (tmp_path / "candidates" / "a").mkdir(parents=True)
    Image.new("RGB", (40, 30)).save(tmp_path / "candidates" / "a" / "1.jpg")
    named = ("dataset", "pair", rows, "--out", out, "--types", types, "--no-progress")
    named += ("--images", tmp_path / "candidates", "--embedder", "fitting")
    with tools(fitting=Fitting()):
        code, printed, said = deixis(*named)
        assert (code, printed) == (0, f"wrote 1 rows to {out}\n")
        assert [line.split() for line in said.splitlines()] == [
            ["2", "rows"],
            ["1", "left", "out:", "no", "candidate", "picture"],
            ["1", "pairs"],
        ]
        pair = json.loads(out.read_text())
        assert (pair["id"], pair["entities"][0]["type"], pair["similarity"]) == (
            "a",
            "person",
            0.31,
        )
        assert deixis(*named, "--least", 0.32)[0] == 2
        assert deixis(*named, "--images", tmp_path / "none")[0] == 2
    code, _, said = deixis(*named[:-1], "hashed")
    assert code == 2 and "hashed does not compare pictures with texts" in said
