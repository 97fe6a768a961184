"""``deixis reinforcement``: the tables of M-MRE's claim."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytestmark = [pytest.mark.extra("eval")]

Run = Callable[..., tuple[int, str, str]]
BOX = [0, 0, 10, 10]
SUMMARY = "A woman stands before a white wall."
ANN = {"text": "Ann", "type": "PER", "regions": [{"box": BOX}]}


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Path]:
    """Gold, and runs of which the joint one is better at summaries and worse at names."""
    pytest.importorskip("rouge_score", reason="the eval extra is not installed")
    monkeypatch.setenv("COLUMNS", "80")

    def written(name: str, *rows: dict[str, Any]) -> Path:
        path = tmp_path / f"{name}.jsonl"
        whole = [{"id": str(number), **row} for number, row in enumerate(rows)]
        path.write_text("".join(json.dumps(row) + "\n" for row in whole))
        return path

    patch = {"letter": "a", "box": BOX, "entity": "Ann"}
    gold = {"text": "Ann", "summary": SUMMARY, "entities": [ANN], "patches": [patch]}
    poor = {"caption": "A woman stands there.", "entities": []}
    named = {"entities": [ANN]}
    both = {"caption": SUMMARY, "entities": []}
    return {
        "gold": written("gold", *[gold] * 20),
        "summary": written("summary", *[poor] * 20),
        "mner": written("mner", *[named] * 20),
        "joint": written("joint", *[{**both, "entities": [ANN]}, *[both] * 19]),
    }


def test_tables_of_the_paper(deixis: Run, files: dict[str, Path]) -> None:
    gold, *runs = files.values()
    options = [
        each
        for name, run in zip(("summary", "mner", "joint"), runs, strict=True)
        for each in (f"--{name}", run)
    ]
    code, printed, said = deixis("reinforcement", gold, *options, "--rounds", 200)
    assert (code, said) == (0, "")
    rows = [line.split() for line in printed.splitlines()]
    assert rows[1] == ["F1", "Accuracy", "BLEU"]
    assert rows[2][:4] == ["Single", "TS", "-", "-"]
    assert rows[3] == ["Single", "MNER", "100.00", "100.00", "-"]
    assert rows[4] == ["M-MRE", "9.52", "5.00", "100.00"]
    assert rows[5][:5] == ["M-MRE", "-", "single", "-90.48", "-95.00"]
    assert rows[7] == ["p", "0.0050", "0.0050", "0.0050"]
    assert rows[8] == ["ROUGE-1", "ROUGE-2", "ROUGE-L"]
    assert rows[10] == ["Single", "MNER", "-", "-", "-"]
    found = json.loads(deixis("reinforcement", gold, *options, "--rounds", 200, "--json")[1])
    assert list(found["measures"]) == ["f1", "patch_accuracy", "bleu", "rouge1", "rouge2", "rougeL"]
    accuracy = found["measures"]["patch_accuracy"]
    assert (accuracy["single"]["value"], accuracy["joint"]["value"]) == (1.0, 0.05)
    assert accuracy["difference"]["value"] == pytest.approx(-0.95)
    low, high = accuracy["difference"]["interval"]
    assert low <= -0.95 <= high
    rouge = found["measures"]["rougeL"]
    assert rouge["joint"]["value"] == 1.0 and 0 < rouge["single"]["value"] < 1


def test_files_that_do_not_fit(deixis: Run, files: dict[str, Path]) -> None:
    gold = files["gold"]
    options = ("--summary", gold, "--mner", gold, "--joint")
    code, printed, said = deixis("reinforcement", gold, *options, gold.parent / "none.jsonl")
    assert (code, printed, said.count("\n")) == (2, "", 1)
    files["joint"].write_text(json.dumps({"id": "x", "entities": []}) + "\n")
    code, _, said = deixis("reinforcement", gold, *options, files["joint"])
    assert code == 2 and "the gold has no sample 'x'" in said
    code, _, said = deixis("reinforcement", gold, *options, gold, "--wording", "loud")
    assert code == 2 and "choose from plain" in said
