"""Whole files of M-MRE and MUIE: rows and answers, missing samples, other tasks."""

import json
from pathlib import Path
from typing import Any

import pytest

from deixis.errors import DataError, SettingsError
from deixis.evaluation.metrics.scoring import How
from deixis.evaluation.scored import Scored, read_gold, score_file

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


def scored(
    task: str, gold: Path, told: Path, format_name: str | None = None, by: str | None = None
) -> Scored:
    how = How.named(task, rounds=20)
    return score_file(read_gold(gold, how), told, how, by, format_name)


def written(path: Path, *rows: Any) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


@pytest.mark.extra
def test_gold_against_itself_is_right(tmp_path: Path) -> None:
    for task, row in (("mmre", MMRE), ("muie", MUIE)):
        gold = written(tmp_path / f"{task}.jsonl", row, {**row, "id": "2"})
        found = scored(task, gold, gold)
        assert (len(found.ids), found.missing, found.about["unreadable"]) == (2, (), 0)
        values = found.sheet.plain()
        if task == "mmre":
            assert values == pytest.approx(dict.fromkeys(found.sheet.names, 1.0))
            assert len(found.about["signatures"]) == 2
        else:
            assert values["relations_f1"] == values["mean_iou_image"] == 1.0
            assert values["mean_iou_audio"] is None and values["triggers_f1"] == 0
        document = found.document()
        assert document == json.loads(json.dumps(document, allow_nan=False))
        assert document["parts"] == {}


@pytest.mark.extra
def test_answers_of_m_mre_are_read(tmp_path: Path) -> None:
    gold = written(tmp_path / "gold.jsonl", MMRE, {**MMRE, "id": "2"})
    told = written(tmp_path / "told.jsonl", {"id": "1", "answer": ANSWER})
    found = scored("mmre", gold, told, "pfa", by="type")
    assert found.missing == ("2",)
    values = found.sheet.plain()
    assert values["patch_accuracy"] == values["rouge1"] == values["recall"] == 0.5
    assert values["precision"] == 1.0
    kinds = {kind: sheet.plain() for kind, sheet in found.parts.items()}
    right = {"precision": 1.0, "recall": 0.5, "f1": 2 / 3}
    assert kinds == {
        "LOC": {**right, "patch_accuracy": None},
        "PER": {**right, "patch_accuracy": 0.5},
    }
    assert scored("mmre", gold, told, "pfa", by="entities").parts["2"].plain() == values


@pytest.mark.extra
def test_intervals_are_those_of_rows(tmp_path: Path) -> None:
    rows = [{**MMRE, "id": str(number)} for number in range(40)]
    gold = written(tmp_path / "gold.jsonl", *rows)
    half = written(tmp_path / "half.jsonl", *rows[:20])
    found = scored("mmre", gold, half).measured()["all"]
    for name in ("recall", "patch_accuracy", "rougeL"):
        value, low, high = found[name]
        assert value == 0.5 and low is not None and high is not None
        assert 0.2 < low < 0.5 < high < 0.8
    bleu = found["bleu"]
    assert bleu.low is not None and bleu.value is not None and bleu.low < bleu.value


def test_rows_of_muie_without_a_sample_count_as_empty(tmp_path: Path) -> None:
    gold = written(tmp_path / "gold.jsonl", MUIE, {**MUIE, "id": "2"})
    told = written(tmp_path / "told.jsonl", MUIE)
    found = scored("muie", gold, told, by="type")
    values = found.sheet.plain()
    assert found.missing == ("2",) and values["mean_iou_image"] == 0.5
    assert values["relations_recall"] == 0.5 and values["relations_precision"] == 1.0
    assert list(found.parts) == ["lives in"]
    assert found.parts["lives in"].plain()["relations_recall"] == 0.5


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
        scored("muie", gold, written(tmp_path / "told.jsonl", told))


@pytest.mark.parametrize(("task", "name"), [("mmre", "vkel"), ("muie", "pfa")])
def test_each_has_one_format(tmp_path: Path, task: str, name: str) -> None:
    gold = written(tmp_path / "gold.jsonl", MMRE if task == "mmre" else MUIE)
    with pytest.raises(SettingsError, match=f"got --format {name}"):
        scored(task, gold, gold, name)


LINE: dict[str, Any] = {
    "id": "1",
    "text": "Ann lives in Rome",
    "image": {"sha256": "0" * 64, "width": 20, "height": 20, "source": "a.jpg"},
    "entities": [
        {"id": "e2", "text": "Rome", "start": 13, "end": 17, "type": "entity", "regions": []},
        {
            "id": "e1",
            "text": "Ann",
            "start": 0,
            "end": 3,
            "type": "entity",
            "groundable": True,
            "regions": [{"box": [0, 0, 10, 10], "score": 1.0, "source": "x"}],
        },
    ],
    "relations": [{"id": "r1", "subject": "e1", "type": "lives in", "object": "e2"}],
}


@pytest.mark.parametrize("task", [None, "re", "ner, re,ee", ["ner", "re"]])
def test_lines_of_a_batch_run_are_of_the_task_of_the_gold(tmp_path: Path, task: Any) -> None:
    gold = written(tmp_path / "gold.jsonl", MUIE)
    line = {**LINE, **({"task": task} if task else {})}
    found = scored("muie", gold, written(tmp_path / "told.jsonl", line))
    values = found.sheet.plain()
    assert values["relations_f1"] == values["mean_iou_image"] == values["named_iou_image"] == 1.0
    assert set(found.about["errors"].values()) == {0}


def test_answers_of_muie_alone_have_no_places_to_score(tmp_path: Path) -> None:
    gold = written(tmp_path / "gold.jsonl", MUIE, {**MUIE, "id": "2"})
    answers = [
        {"id": "1", "answer": "(Ann<concept>, lives in, Rome)"},
        {"id": "2", "answer": "(Ann, lives in, Rome<concept>) <UIE> what?"},
    ]
    found = scored("muie", gold, written(tmp_path / "told.jsonl", *answers), "muie")
    assert found.sheet.plain()["relations_f1"] == 1.0
    assert not [name for name in found.sheet.names if "iou" in name or name == "hota"]
    errors = {name: number for name, number in found.about["errors"].items() if number}
    assert errors == {"missing_grounding": 1, "over_grounding": 1}
    assert found.about["unreadable"] > 0


def test_of_a_run_of_several_tasks_that_of_the_gold_counts(tmp_path: Path) -> None:
    shown = [{"box": [0, 0, 10, 10], "score": 1.0, "source": "x"}]
    sun = {"id": "e3", "text": "sun", "start": None, "end": None, "type": "x", "regions": shown}
    event = {"id": "v1", "type": "Live", "arguments": [{"role": "Who", "entity": "e1"}]}
    told = {**LINE, "task": "ner,re,ee", "entities": [*LINE["entities"], sun], "events": [event]}
    lines = [{**told, "id": "1"}, {**told, "id": "2"}, {**told, "id": "3"}]
    ner = {**MUIE, "id": "2", "task": "ner", "relations": [], "entities": []}
    ee = {**MUIE, "id": "3", "task": "ee", "relations": [], "events": [{"type": "Live"}]}
    gold = written(tmp_path / "gold.jsonl", MUIE, ner, ee)
    found = scored("muie", gold, written(tmp_path / "told.jsonl", *lines))
    values = found.sheet.plain()
    assert values["relations_f1"] == 1.0
    # Of NER, the sun alone is told; of the ends of relations no type was asked.
    assert (values["entities_precision"], found.sheet.only([1]).sums[0][1]) == (0.0, 1.0)
    assert values["mean_iou_image"] == pytest.approx((1 + 0 + 1) / 3)
    alone = written(tmp_path / "alone.jsonl", {**told, "task": "re"})
    values = scored("muie", written(tmp_path / "one.jsonl", MUIE), alone).sheet.plain()
    assert values["mean_iou_image"] == 0.5, "what was told for the task alone counts whole"
