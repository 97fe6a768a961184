"""Predictions out of fold: no model says anything of a row, or of a text, that it has learned."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from deixis.errors import DataError, InputError
from deixis.evaluation.construction.samples import all_samples
from deixis.rows import read_rows
from deixis.training.folds import dealt, out_of_fold


def write(path: Path, *rows: dict[str, Any]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def posts(path: Path, count: int = 103, **more: Any) -> Path:
    """Every tenth row has the text of the row before."""
    rows = [{"id": f"r{n}", "text": f"post {n - (n % 10 == 9)}", **more} for n in range(count)]
    return write(path, *rows)


class Model:
    """Learns ids and texts by heart, and says of a row whether it knows it."""

    def __init__(self) -> None:
        self.trained: list[Path] = []

    def learn(self, rows: Path, run: Path) -> Path:
        stack = run / "stack.yaml"
        if not stack.exists():
            self.trained.append(run)
            run.mkdir()
            known = read_rows(rows)
            stack.write_text(json.dumps([[r.id for r in known], [r.text for r in known]]))
        return stack

    def predict(self, stack: Path, rows: Path, out: Path) -> None:
        ids, texts = json.loads(stack.read_text())
        found = read_rows(rows)
        assert not {row.id for row in found} & set(ids)
        assert not {row.text for row in found} & set(texts)
        write(out, *({"id": row.id, "text": row.text, "run": str(stack)} for row in found[::-1]))


def test_every_row_is_predicted_once_by_who_has_not_learned_it(tmp_path: Path) -> None:
    model, rows = Model(), posts(tmp_path / "rows.jsonl", image="a.png")
    made = out_of_fold(rows, tmp_path / "out", 5, 1, model.learn, model.predict)
    lines = [json.loads(line) for line in made.read_text().splitlines()]
    assert [line["id"] for line in lines] == [row.id for row in read_rows(rows)]
    sizes = Counter(line["run"] for line in lines)
    assert len(sizes) == len(model.trained) == 5 and max(sizes.values()) - min(sizes.values()) <= 8
    for fold in (tmp_path / "out").glob("fold-*"):
        learned, held = read_rows(fold / "rows.jsonl"), read_rows(fold / "held_out.jsonl")
        assert len(learned) + len(held) == 103
        assert not {row.id for row in learned} & {row.id for row in held}
        assert not {row.text for row in learned} & {row.text for row in held}
        assert {row.image for row in learned} == {"../../a.png"}, "pictures are found from there"


def test_the_same_call_again_learns_nothing_anew(tmp_path: Path) -> None:
    model, rows = Model(), posts(tmp_path / "rows.jsonl")
    first = out_of_fold(rows, tmp_path / "out", 3, 1, model.learn, model.predict).read_bytes()
    again = out_of_fold(rows, tmp_path / "out", 3, 1, model.learn, model.predict).read_bytes()
    assert first == again and len(model.trained) == 3
    for folds, seed, other in ((4, 1, rows), (3, 2, rows), (3, 1, posts(tmp_path / "x.jsonl", 9))):
        with pytest.raises(InputError, match=r"is of other rows, folds or seed"):
            out_of_fold(other, tmp_path / "out", folds, seed, model.learn, model.predict)


def test_folds_are_those_of_the_seed(tmp_path: Path) -> None:
    samples = all_samples(posts(tmp_path / "rows.jsonl"))
    assert dealt(samples, 5, 1) == dealt(samples, 5, 1) != dealt(samples, 5, 2)
    by_id = dict(zip([each.row.id for each in samples], dealt(samples, 5, 1), strict=True))
    turned = samples[::-1]
    assert dealt(turned, 5, 1) == [by_id[each.row.id] for each in turned]
    with pytest.raises(DataError, match="2 different texts, too few for 3 folds"):
        dealt(samples[:2], 3, 1)


def test_rows_that_all_learn_are_not_predicted(tmp_path: Path) -> None:
    model, rows = Model(), posts(tmp_path / "rows.jsonl", 20)
    also = write(
        tmp_path / "pairs.jsonl", {"id": "p", "text": "a pair"}, {"id": "q", "text": "post 3"}
    )
    made = out_of_fold(rows, tmp_path / "out", 2, 1, model.learn, model.predict, also)
    assert {row.id for row in read_rows(made)} == {row.id for row in read_rows(rows)}
    learned = [read_rows(path) for path in (tmp_path / "out").glob("fold-*/rows.jsonl")]
    assert sum("p" in {row.id for row in each} for each in learned) == 2
    assert sum("q" in {row.id for row in each} for each in learned) == 1, (
        "its text is held out once"
    )


def test_a_row_without_a_prediction_is_told(tmp_path: Path) -> None:
    model, rows = Model(), posts(tmp_path / "rows.jsonl", 8)

    def fails(stack: Path, held: Path, out: Path) -> None:
        write(out, *({"id": row.id} for row in read_rows(held)[1:]))

    with pytest.raises(DataError, match="2 rows have no prediction, such as"):
        out_of_fold(rows, tmp_path / "out", 2, 1, model.learn, fails)
    assert not (tmp_path / "out" / "predictions.jsonl").exists()
