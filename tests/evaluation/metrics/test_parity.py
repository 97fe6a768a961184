"""The released evaluators' scores of the reference predictions, to 1e-9, and all of them."""

import json
from collections import Counter
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from deixis.evaluation.metrics.convention import Convention, convention
from deixis.evaluation.metrics.mentions import align
from deixis.evaluation.metrics.mner import Score
from deixis.evaluation.metrics.scoring import How, Report, evaluate
from deixis.evaluation.metrics.tables import compare, count, score
from deixis.evaluation.metrics.tasks import task
from deixis.formats import files
from deixis.rows import Row, RowEntity, RowRegion

DATA = Path(__file__).parents[3].parent / "shared" / "data" / "reference"
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not DATA.is_dir(), reason="the reference scores are not beside the checkout"
    ),
]

E2E = convention("e2e")
CONVENTIONS: dict[str, Convention] = {
    "e2e_objects": E2E,
    "e2e_strictly_above_half": replace(E2E, strict=True),
    "e2e_casefold_text": replace(E2E, fold_case=True),
    "e2e_dedup_predictions": replace(E2E, duplicates="drop predicted"),
    "e2e_dedup_both": replace(E2E, duplicates="drop"),
    "e2e_first_box": replace(E2E, first_region=True),
    "riveg_first_box": convention("riveg"),
}


def entities(found: list[dict[str, Any]]) -> list[RowEntity]:
    return [
        RowEntity(
            text=each["text"],
            type=each.get("coarse") or each["type"],
            fine_type=each.get("fine"),
            regions=[RowRegion(box=box) for box in each["boxes"] or ()],
        )
        for each in found
    ]


@cache
def rows(name: str) -> list[Row]:
    lines = (DATA / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()
    data = [json.loads(line) for line in lines]
    return [Row(id=each["id"], entities=entities(each["entities"])) for each in data]


def reference(name: str) -> dict[str, Any]:
    scores: dict[str, Any] = json.loads((DATA / name / "reference_scores.json").read_text())
    return scores


def check(found: Score, expected: dict[str, Any]) -> None:
    assert found._asdict() == {name: expected[name] for name in found._fields}
    for name in ("precision", "recall", "f1"):
        assert getattr(found, name) == pytest.approx(expected[name], abs=1e-9, rel=0), name


def scored(
    folder: str,
    name: str,
    rule: Convention = E2E,
    predicted: list[Row] | None = None,
    threshold: float = 0.5,
    coarse: bool = False,
) -> Score:
    """The score alone; `evaluate` would sweep and draw, too."""
    wanted = task(name, coarse)
    said = rows(f"{folder}/pred") if predicted is None else predicted
    aligned = align(rows(f"{folder}/gold"), said, wanted, rule)
    return score(count(compare(aligned.samples, wanted), rule, threshold))


def report(folder: str, name: str, by: str) -> Report:
    how = How(task(name), E2E, rounds=1)
    return evaluate(rows(f"{folder}/gold"), rows(f"{folder}/pred"), how, by)


def test_gmner(tmp_path: Path) -> None:
    expected = reference("gmner_dev")
    files.write(tmp_path / "answers", "e2e", rows("gmner_dev/pred"))
    answers = files.read(tmp_path / "answers", "e2e", rows("gmner_dev/gold")).rows
    for kind, wanted in expected.pop("e2e_text").items():
        check(scored("gmner_dev", kind, predicted=answers), wanted)
    for name, rule in CONVENTIONS.items():
        for kind, wanted in expected.pop(name).items():
            check(scored("gmner_dev", kind, rule), wanted)
    for iou in (0.3, 0.7, 0.75, 0.9):
        for kind, wanted in expected.pop(f"e2e_iou_{iou}").items():
            check(scored("gmner_dev", kind, threshold=iou), wanted)
    for kind, wanted in expected.pop("e2e_gold_as_predictions").items():
        check(scored("gmner_dev", kind, predicted=rows("gmner_dev/gold")), wanted)
    for kind, correct in expected.pop("greedy_first_fit_correct").items():
        greedy = scored("gmner_dev", kind, replace(E2E, matching="greedy"))
        assert greedy.correct == correct
    for kind in ("gmner", "mner"):
        found = report("gmner_dev", kind, "type").parts
        assert found.keys() == expected["e2e_per_type"].keys()
        for name, entry in found.items():
            check(entry.score, expected["e2e_per_type"][name].pop(kind))
    assert not any(expected.pop("e2e_per_type").values())
    counts = expected.pop("counts")
    whole = report("gmner_dev", "gmner", "groundable")
    assert len(whole.aligned.samples) == counts["tweets"]
    assert whole.all.score[1:] == (counts["predicted"], counts["gold"])
    shown = whole.parts["groundable"].score
    assert shown[1:] == (counts["predicted_with_box"], counts["gold_groundable"])
    assert not expected


def test_fmnerg() -> None:
    expected = reference("fmnerg_dev")
    names = {"grounded": "fmnerg", "mner": "fmner", "eeg": "eeg"}
    for kind, wanted in expected.pop("fine").items():
        check(scored("fmnerg_dev", names[kind]), wanted)
    for kind, wanted in expected.pop("coarse").items():
        coarse = kind != "eeg"
        check(scored("fmnerg_dev", names[kind], coarse=coarse), wanted)
    parts = expected.pop("per_coarse_with_fine_match")
    for kind, name in names.items():
        found = report("fmnerg_dev", name, "type").parts
        assert found.keys() == parts.keys()
        for coarse, entry in found.items():
            check(entry.score, parts[coarse].pop(kind))
    assert not any(parts.values())
    found = [each for row in rows("fmnerg_dev/gold") for each in row.entities]
    assert Counter(each.fine_type for each in found) == expected.pop("fine_counts_gold")
    for coarse, (number, shown) in expected.pop("groundable_by_coarse_gold").items():
        regions = [each.regions for each in found if each.type == coarse]
        assert (len(regions), sum(map(bool, regions))) == (number, shown)
    assert not expected


def test_edge_cases() -> None:
    cases = json.loads((DATA / "edge_cases.json").read_text())["cases"]
    rules = {
        "correct_at_least_half": E2E,
        "correct_above_half": replace(E2E, strict=True),
        "correct_greedy": replace(E2E, matching="greedy"),
    }
    assert cases
    for case in cases:
        gold, predicted = ([Row(id="a", entities=entities(case[k]))] for k in ("gold", "pred"))
        for key, rule in rules.items():
            for kind, correct in case[key].items():
                found = evaluate(gold, predicted, How(task(kind), rule, rounds=1))
                assert found.all.score.correct == correct, (case["name"], key, kind)


def test_presets_without_a_file_of_their_own() -> None:
    expected = reference("gmner_dev")
    for kind, wanted in expected["e2e_objects"].items():
        check(scored("gmner_dev", kind, convention("deixis")), wanted)
    vkel = replace(convention("vkel"), fold_case=False)
    for kind, wanted in expected["e2e_strictly_above_half"].items():
        check(scored("gmner_dev", kind, vkel), wanted)
