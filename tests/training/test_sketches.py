"""Sketches for VKEL's second stage: predictions, and noise at the paper's rates."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from deixis.errors import DataError
from deixis.evaluation.construction.samples import write_samples
from deixis.rows import RowEntity, read_rows
from deixis.training.sketches import NOISE, SketchedRow, noisy, with_sketches

TYPES = ("person", "location", "product", "event")
SKETCH = tuple(
    RowEntity(text=name, start=at, end=at + 1, type="person") for at, name in enumerate("abc")
)


def test_one_row_in_ten_has_one_mistake_and_half_of_these_are_types() -> None:
    """The standard error of 0.1 over 20,000 rows is 0.002."""
    rows = [noisy(SKETCH, TYPES, NOISE, 7, str(number)) for number in range(20_000)]
    changed = [row for row in rows if row != SKETCH]
    assert len(changed) / len(rows) == pytest.approx(0.1, abs=0.01)
    shorter = [row for row in changed if len(row) == 2]
    retyped = [row for row in changed if len(row) == 3]
    assert len(shorter) / len(changed) == pytest.approx(0.5, abs=0.05)
    wrong = [each for row in retyped for each in row if each.type != "person"]
    assert len(wrong) == len(retyped), "one entity of a row"
    counts = Counter(each.type for each in wrong)
    assert counts.keys() == set(TYPES) - {"person"}
    assert min(counts.values()) > len(wrong) / 4
    gone = Counter(each.text for row in shorter for each in SKETCH if each not in row)
    assert min(gone.values()) > len(shorter) / 4


@pytest.mark.parametrize(("rate", "share"), [(0.0, 0.0), (0.25, 0.25), (1.0, 1.0)])
def test_the_rate_is_the_share_of_rows(rate: float, share: float) -> None:
    rows = [noisy(SKETCH, TYPES, rate, 1, str(number)) for number in range(4000)]
    assert sum(row != SKETCH for row in rows) / 4000 == pytest.approx(share, abs=0.03)


def test_noise_is_that_of_seed_and_row() -> None:
    rows = [str(number) for number in range(200)]
    made = {row: noisy(SKETCH, TYPES, 0.5, 1, row) for row in rows}
    assert made == {row: noisy(SKETCH, TYPES, 0.5, 1, row) for row in reversed(rows)}
    assert made != {row: noisy(SKETCH, TYPES, 0.5, 2, row) for row in rows}


def test_of_one_type_there_is_no_other_and_of_nothing_no_mistake() -> None:
    assert noisy((), TYPES, 1.0, 1, "a") == ()
    made = {noisy(SKETCH, ["person"], 1.0, 1, str(number)) for number in range(20)}
    assert {len(row) for row in made} == {2}


def gold(path: Path) -> Path:
    ann = {"text": "Ann", "start": 0, "end": 3, "type": "person", "fine_type": "author"}
    ann["regions"] = [{"box": [0, 0, 9, 9]}]
    rows: list[dict[str, Any]] = [
        {"id": 1, "text": "Ann met Bob", "image": "a.png", "entities": [ann], "source": "x"},
        {"id": 2, "text": "nothing", "entities": []},
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def test_rows_keep_all_they_have_and_get_the_sketch(tmp_path: Path) -> None:
    made = with_sketches(gold(tmp_path / "gold.jsonl"))
    assert (made.changed, made.wrong) == (0, 0)
    out = tmp_path / "new" / "out.jsonl"
    write_samples(out, made.samples)
    first = json.loads(out.read_text().splitlines()[0])
    assert first["sketch"] == [{"text": "Ann", "start": 0, "end": 3, "type": "person"}]
    assert (first["source"], first["image"]) == ("x", "../a.png")
    assert [row.sketch == () for row in read_rows(out, SketchedRow)] == [False, True]


def test_a_sketch_is_what_was_predicted(tmp_path: Path) -> None:
    bob = {"text": "Bob", "start": 8, "end": 11, "type": "person", "groundable": None}
    lines = [{"id": "2", "text": "nothing"}, {"id": "1", "text": "Ann met Bob", "entities": [bob]}]
    (tmp_path / "out.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    made = with_sketches(gold(tmp_path / "gold.jsonl"), tmp_path / "out.jsonl")
    assert [each["text"] for each in made.samples[0].data["sketch"]] == ["Bob"]
    assert (made.changed, made.wrong) == (0, 1)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ({"id": "1", "text": "Ann met Bob"}, "has no prediction for the row '2'"),
        ({"id": "1", "text": "Ann met him"}, "the prediction for '1' is of another text"),
    ],
)
def test_predictions_of_other_rows_are_refused(
    tmp_path: Path, line: dict[str, Any], message: str
) -> None:
    (tmp_path / "out.jsonl").write_text(json.dumps(line) + "\n")
    with pytest.raises(DataError, match=message):
        with_sketches(gold(tmp_path / "gold.jsonl"), tmp_path / "out.jsonl")
