"""Several files against the first: values, differences, p."""

import json
from pathlib import Path
from typing import Any

import pytest

from deixis.errors import SettingsError
from deixis.evaluation.metrics.scoring import How, compare_two
from deixis.evaluation.variants import compare_variants
from deixis.rows import read_rows

W = [0, 0, 10, 10]


def written(path: Path, boxes: list[list[Any]]) -> Path:
    rows = []
    for number, given in enumerate(boxes):
        sure = 0.9 if given else 0.8
        said = {"subject": "groundable", "outcome": "yes" if given else "no", "confidence": sure}
        entity = {"text": "Ada", "type": "PER", "regions": [{"box": box} for box in given]}
        rows.append({"id": str(number), "entities": [{**entity, "decisions": [said]}]})
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    """Gold of which half can be seen, results that see nothing, and results that see all."""
    halves = [[W], []] * 30
    return [
        written(tmp_path / "gold.jsonl", halves),
        written(tmp_path / "blind.jsonl", [[]] * 60),
        written(tmp_path / "right.jsonl", halves),
    ]


def test_variants_of_a_task(files: list[Path]) -> None:
    gold, *results = files
    first, same, second = compare_variants(gold, [results[0], *results], "gmner")
    assert (first.path, first.above) == (results[0], None)
    assert same.above is not None and same.above.difference.value == 0 and same.above.p == 1
    assert second.measured.value == 1.0 and second.above is not None
    assert second.above.difference == second.above.difference._replace(value=0.5)
    assert second.above.p == pytest.approx(1 / 1001)
    low, high = first.measured.low, first.measured.high
    assert low is not None and high is not None and low < 0.5 < high


def test_they_are_those_of_compare(files: list[Path]) -> None:
    gold, *results = files
    how = How.named("gmner", rounds=200, seed=4)
    rows = [read_rows(path) for path in files]
    whole = compare_two(rows[0], rows[1], rows[2], how)
    (_, second) = compare_variants(gold, results, "gmner.recall", how)
    assert second.above is not None
    assert second.above.p == whole.difference.p[1]
    assert second.above.difference.low == whole.difference.low[1]
    assert second.above.first.low == whole.entries[0].low[1]


def test_components(files: list[Path]) -> None:
    gold, *results = files
    accuracies = [each.measured.value for each in compare_variants(gold, results, "entailment")]
    assert accuracies == [0.5, 1.0]
    aucs = [each.measured.value for each in compare_variants(gold, results, "entailment.auc")]
    assert aucs == [0.5, 1.0]
    hits = [each.measured.value for each in compare_variants(gold, results, "grounding")]
    assert hits == [0.0, 1.0]


def test_a_measure_that_there_is_not(files: list[Path]) -> None:
    with pytest.raises(SettingsError, match=r"no measure 'bleu'.*gmner\.precision or"):
        compare_variants(files[0], files[1:], "gmner.bleu")
    with pytest.raises(SettingsError, match="there is no task 'x'"):
        compare_variants(files[0], files[1:], "x.f1")
