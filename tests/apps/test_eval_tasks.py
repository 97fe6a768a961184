"""``deixis eval`` of tasks with measures of their own, of several runs, and what it refuses."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from .scored import FIRST, GOLD, write

Run = Callable[..., tuple[int, str, str]]

ANN = {"text": "Ann", "type": "PER", "regions": []}
ROW = {"id": "1", "text": "Ann", "entities": [ANN]}
MMRE = {**ROW, "summary": "A woman stands before a wall."}
MUIE = {**ROW, "task": "ner"}


def one(path: Path, row: Any) -> Path:
    path.write_text(json.dumps(row) + "\n")
    return path


@pytest.mark.extra("eval")
@pytest.mark.parametrize(("task", "row"), [("mmre", MMRE), ("muie", MUIE)])
def test_papers_have_measures_of_their_own(
    deixis: Run, tmp_path: Path, task: str, row: Any
) -> None:
    gold = one(tmp_path / "gold.jsonl", row)
    options = ("--task", task, "--by", "type", "--rounds", 20, "--seed", 3)
    code, printed, said = deixis("eval", gold, gold, *options, "--json")
    found = json.loads(printed)
    assert (code, said, found["samples"]) == (0, "", 1)
    name = "f1" if task == "mmre" else "entities_f1"
    assert found["measures"][name] == {"value": 1.0, "interval": [1.0, 1.0]}
    assert found["parts"]["PER"][name]["value"] == 1.0
    assert (found["rounds"], found["seed"]) == (20, 3)
    code, printed, said = deixis("eval", gold, gold, *options)
    assert (code, said) == (0, "")
    rows = [line.split() for line in printed.splitlines()]
    assert [name, "100.00", "100.0-100.0"] in rows
    undefined = "patch_accuracy" if task == "mmre" else "mean_iou_video"
    assert [undefined, "-", "-"] in rows


@pytest.mark.extra("eval")
def test_signatures_and_missing_rows_are_told(deixis: Run, tmp_path: Path) -> None:
    gold = tmp_path / "gold.jsonl"
    gold.write_text("".join(json.dumps({**MMRE, "id": name}) + "\n" for name in "ab"))
    told = one(tmp_path / "told.jsonl", {**MMRE, "id": "a"})
    code, printed, said = deixis("eval", gold, told, "--task", "mmre", "--wording", "stemmed")
    assert code == 0 and "stem:yes" in printed and "tok:13a" in printed
    assert "1 samples have no predictions and count as empty ('b')" in said


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("mmre", "--iou", 0.7), "--iou has no effect: mmre"),
        (("muie", "--iou", 0.7), "--iou has no effect: muie averages IoU"),
        (("mner", "--iou", 0.7), "--iou has no effect: mner does not score where regions are"),
        (("visible", "--iou", 0.7), "--iou has no effect"),
        (("entailment", "--iou", 0.7), "--iou has no effect"),
        (("mmre", "--convention", "riveg"), "--convention has no effect"),
        (("grounding", "--convention", "riveg"), "--convention has no effect"),
        (("muie", "--wording", "plain"), "--wording has no effect"),
        (("gmner", "--wording", "plain"), "--wording has no effect"),
        (("mmre", "--wording", "loud"), "choose from plain, stemmed"),
        (("mmre", "--by", "groundable"), "mmre cannot be broken down by groundable"),
        (("muie", "--by", "size"), "there is no breakdown 'size'"),
        (("mmre", "--coarse"), "mmre compares no fine types"),
        (("entailment", "--format", "e2e"), "not --format e2e"),
        (("mmre", "--format", "e2e"), "--task mmre takes rows, or answers with --format pfa"),
    ],
)
def test_what_has_no_effect_is_refused(
    deixis: Run, tmp_path: Path, options: tuple[Any, ...], said: str
) -> None:
    gold = one(tmp_path / "gold.jsonl", {**MUIE, "summary": "A woman."})
    code, printed, err = deixis("eval", gold, gold, "--task", *options)
    assert (code, printed, err.count("\n")) == (2, "", 1)
    assert said in err


def test_sake_says_what_its_figures_cannot_be_compared_with(deixis: Run, tmp_path: Path) -> None:
    gold = write(tmp_path / "gold.jsonl", GOLD)
    options = ("eval", gold, gold, "--task", "gmner", "--convention", "sake")
    assert "2,703 rows on the 1,500 test tweets" in " ".join(deixis(*options)[1].split())
    found = json.loads(deixis(*options, "--json")[1])
    assert "2,703 rows" in found["convention"]["remark"] and found["score"]["f1"] == 1


def test_runs_are_averaged(deixis: Run, tmp_path: Path) -> None:
    gold, first = write(tmp_path / "gold.jsonl", GOLD), write(tmp_path / "one.jsonl", FIRST)
    code, printed, err = deixis("eval", gold, first, gold, gold, "--task", "gmner", "--by", "type")
    assert (code, err) == (0, "")
    rows = [line.split() for line in printed.splitlines()]
    assert rows[0][0] == "gmner," and f"run 1: {first}" in printed
    # F1 of 40, 100 and 100: the mean is 80, the deviation of the sample 34.64.
    assert ["f1", "80.00", "34.64", "40.00", "100.00", "100.00"] in rows
    assert ["LOC", "f1", "66.67", "57.74", "0.00", "100.00", "100.00"] in rows
    options = ("--task", "gmner", "--by", "groundable", "--json")
    found = json.loads(deixis("eval", gold, first, gold, *options)[1])
    assert found["parts"]["ungroundable"]["recall"]["runs"] == [0.5, 1.0]
    assert found["all"]["f1"]["runs"] == [0.4, 1.0] and found["all"]["f1"]["mean"] == 0.7


def test_runs_have_the_same_rows(deixis: Run, tmp_path: Path) -> None:
    gold = write(tmp_path / "gold.jsonl", GOLD)
    short = write(tmp_path / "one.jsonl", {name: GOLD[name] for name in "ab"})
    code, printed, err = deixis("eval", gold, gold, short, "--task", "gmner")
    assert (code, printed) == (2, "") and "do not have the same rows ('c' in one alone)" in err
    code, _, err = deixis("eval", gold, gold, gold, "--task", "gmner", "--rounds", 5)
    assert code == 2 and "--rounds is for intervals" in err


def test_a_confidence_is_a_share(deixis: Run, tmp_path: Path) -> None:
    gold = one(tmp_path / "gold.jsonl", ROW)
    decided = {"step": "entail", "subject": "groundable", "outcome": "yes", "confidence": -7}
    told = one(tmp_path / "told.jsonl", {**ROW, "entities": [{**ANN, "decisions": [decided]}]})
    code, printed, err = deixis("eval", gold, told, "--task", "entailment")
    assert (code, printed, err.count("\n")) == (2, "", 1)
    assert f"{told}:1: entities.0.decisions.0.confidence" in err
