"""The commands that make data sets: what they print, and how they end."""

import json
from pathlib import Path
from typing import Any

import pytest


def write(path: Path, *rows: Any) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def post(id_: str, image: str | None) -> dict[str, Any]:
    ada = {"text": "Grace", "start": 0, "end": 5, "type": "PER"}
    region = {"box": [100, 50, 300, 400]}
    return {"id": id_, "text": "Grace", "image": image, "entities": [{**ada, "regions": [region]}]}


@pytest.mark.slow
@pytest.mark.extra("starter")
def test_masks_prints_table_2_and_says_what_failed(
    deixis: Any, hopper: Path, tmp_path: Path
) -> None:
    gold = write(tmp_path / "gold.jsonl", post("a", str(hopper)), post("b", "no.jpg"))
    out = tmp_path / "masked.jsonl"
    named = ("dataset", "masks", gold, "--out", out, "--role", "segmenter=grabcut")
    code, printed, said = deixis(*named)
    assert code == 1 and "1 rows done, 0 finished earlier, 1 failed" in printed
    assert "line 2 ('b'): " in said and "masked.failures.jsonl" in said
    write(gold, post("a", str(hopper)))
    code, printed, said = deixis(*named, "--json")
    figures = json.loads(printed)
    assert (code, said) == (0, "") and figures["run"]["earlier"] == 1
    assert [figures[name] for name in ("rows", "entities", "groundable", "masks")] == [1, 1, 1, 1]
    assert figures["rows_by_masks"] == {"0": 0, "1": 1, "more": 0}
    code, _, said = deixis(*named[:-1], "segmenter=none")
    assert code == 2 and "nobody plays the role 'segmenter'" in said


def test_masks_never_writes_over_its_rows(deixis: Any, tmp_path: Path) -> None:
    gold = write(tmp_path / "gold.jsonl", post("a", None))
    code, _, said = deixis("dataset", "masks", gold, "--out", gold, "--role", "segmenter=grabcut")
    assert code == 2 and "is the input" in said
    assert json.loads(gold.read_text()) == post("a", None)


def test_agreement_writes_what_is_agreed_and_what_is_to_decide(deixis: Any, tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    one = write(tmp_path / "a" / "one.jsonl", post("1", "1.jpg"), post("2", "2.jpg"))
    unseen = post("2", "2.jpg")
    unseen["entities"][0]["regions"] = []
    two = write(tmp_path / "two.jsonl", post("1", "a/1.jpg"), unseen)
    agreed, disputed = tmp_path / "agreed.jsonl", tmp_path / "new" / "disputed.jsonl"
    named = ("dataset", "agreement", one, two)
    outs = ("--agreed", agreed, "--disputed", disputed)
    code, printed, said = deixis(*named, *outs)
    assert (code, said) == (0, "") and "one.jsonl," in printed
    assert "1 (50.0%)" in printed and "Fleiss' kappa" in printed
    assert json.loads(agreed.read_text()) == post("1", "a/1.jpg")
    dispute = json.loads(disputed.read_text())
    assert dispute["image"] == "../a/2.jpg" and len(dispute["annotations"]) == 2
    code, printed, _ = deixis(*named, "--json", "--iou", 0.9)
    assert code == 0 and json.loads(printed)["consistent"] == 1
    before = one.read_bytes()
    for wrong in (("--agreed", one), ("--disputed", "-"), ("--agreed", "x", "--disputed", "x")):
        assert deixis(*named, *wrong)[0] == 2
    assert one.read_bytes() == before
