"""Whole files of M-MRE and MUIE: rows and answers, missing samples, other tasks."""

import json
from pathlib import Path
from typing import Any

import pytest

from deixis.errors import DataError, SettingsError
from deixis.evaluation.metrics.papers import score_files

ANN = {"text": "Ann", "type": "PER", "regions": [{"box": [0, 0, 10, 10]}]}
MMRE = {
    "id": "1",
    "text": "Ann of Rome",
    "entities": [ANN, {"text": "Rome", "type": "LOC", "regions": []}],
    "summary": "A woman before a wall.",
    "patches": [{"letter": "a", "box": [0, 0, 10, 10], "entity": "Ann"}],
}
ANSWER = (
    "Task 1 Answer: A woman before a wall.\nTask 2 Answer:\n"
    "NER:: PER; Ann : LOC; Rome\nimage entities pair: {'a': 'Ann'}"
)
MUIE = {
    "id": "1",
    "task": "re",
    "text": "Ann lives in Rome",
    "image": "a.jpg",
    "entities": [
        {"text": "Ann", "type": "PER", "start": 0, "end": 3, "regions": [{"box": [0, 0, 10, 10]}]},
        {"text": "Rome", "type": "LOC", "start": 13, "end": 17, "regions": []},
    ],
    "relations": [{"subject": 0, "type": "lives in", "object": 1}],
}


def written(path: Path, *rows: Any) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


@pytest.mark.extra
def test_gold_against_itself_is_right(tmp_path: Path) -> None:
    for task, row in (("mmre", MMRE), ("muie", MUIE)):
        gold = written(tmp_path / f"{task}.jsonl", row, {**row, "id": "2"})
        found = score_files(task, gold, gold, None, "plain")
        assert (found["samples"], found["missing"], found["unreadable"]) == (2, [], 0)
        if task == "mmre":
            assert found["ner"]["all"]["f1"] == found["patch_accuracy"] == 1.0
            assert found["rouge"]["rougeL"] == 1.0 and found["bleu"] == pytest.approx(100)
            assert len(found["signatures"]) == 2
        else:
            assert found["relations"]["f1"] == 1.0 and found["mean_iou"]["image"] == 1.0
        json.dumps(found, allow_nan=False)


@pytest.mark.extra
def test_answers_of_m_mre_are_read(tmp_path: Path) -> None:
    gold = written(tmp_path / "gold.jsonl", MMRE, {**MMRE, "id": "2"})
    told = written(tmp_path / "told.jsonl", {"id": "1", "answer": ANSWER})
    found = score_files("mmre", gold, told, "pfa", "plain")
    assert found["missing"] == ["2"]
    assert found["patch_accuracy"] == 0.5 and found["rouge"]["rouge1"] == 0.5
    assert found["ner"]["all"]["correct"] == 2 and found["ner"]["all"]["gold"] == 4


def test_rows_of_muie_without_a_sample_count_as_empty(tmp_path: Path) -> None:
    gold = written(tmp_path / "gold.jsonl", MUIE, {**MUIE, "id": "2"})
    told = written(tmp_path / "told.jsonl", MUIE)
    found = score_files("muie", gold, told, None, "plain")
    assert found["missing"] == ["2"] and found["mean_iou"]["image"] == 0.5
    assert found["relations"]["recall"] == 0.5 and found["relations"]["precision"] == 1.0


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ({**MUIE, "id": "9"}, "the gold has no sample '9'"),
        ({**MUIE, "task": "ner", "relations": []}, "the sample '1' has another task"),
    ],
)
def test_what_does_not_belong_to_the_gold_is_told(tmp_path: Path, told: Any, said: str) -> None:
    gold = written(tmp_path / "gold.jsonl", MUIE)
    with pytest.raises(DataError, match=said):
        score_files("muie", gold, written(tmp_path / "told.jsonl", told), None, "plain")


@pytest.mark.parametrize(("task", "name"), [("mmre", "vkel"), ("muie", "pfa")])
def test_each_has_one_format(tmp_path: Path, task: str, name: str) -> None:
    gold = written(tmp_path / "gold.jsonl", MUIE)
    with pytest.raises(SettingsError, match=f"got --format {name}"):
        score_files(task, gold, gold, name, "plain")
