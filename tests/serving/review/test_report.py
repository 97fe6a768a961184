"""How far reviewers agree, and what is made of it."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from deixis.errors import DataError, InputError
from deixis.rows import read_rows
from deixis.serving.review.merging import disputed_of, merge, reviews_of
from deixis.serving.review.report import cohen_kappa, report
from deixis.serving.review.store import Store

from .conftest import gold_of, results, retyped


@pytest.fixture
def store(file: Path) -> Iterator[Store]:
    made = Store(file, reviews_of(file))
    yield made
    made.close()


def test_kappa_is_that_of_cohen() -> None:
    pairs = [("yes", "yes")] * 20 + [("yes", "no")] * 5 + [("no", "yes")] * 10 + [("no", "no")] * 15
    assert cohen_kappa(pairs) == pytest.approx(0.4)  # 0.7 observed, 0.5 expected
    assert cohen_kappa([("a", "b"), ("b", "a")]) == pytest.approx(-1.0)
    assert cohen_kappa([("a", "a")]) is None and cohen_kappa([]) is None


def test_the_report_of_two_reviewers(store: Store, run: Callable[..., str]) -> None:
    store.review(1, "ann", "accepted", seconds=2)
    store.review(2, "ann", "corrected", extraction=retyped(results()[1], 1, "ORG"), seconds=4)
    store.review(3, "ann", "skipped")
    store.review(1, "bob", "accepted")
    right = retyped(results()[1], 1, "ORG")
    right["entities"] = right["entities"][1:]  # bob finds no Eileen Collins
    store.review(2, "bob", "corrected", extraction=right)
    told = report(store.results, store.folder)
    ann, bob = told["reviewers"]
    assert (ann["accepted"], ann["corrected"], ann["skipped"]) == (1, 1, 1)
    assert ann["seconds_a_row"] == 3 and ann["changed"] == {"type": 1}
    assert bob["changed"] == {"dropped": 1, "type": 1} and bob["skipped"] == 0
    [pair] = told["pairs"]
    # Mentions: PER/PER, ORG/ORG, PER/none, ORG/ORG.
    expected = (2 * 1 + 2 * 2) / 16
    assert pair["kappa"]["types"] == pytest.approx((3 / 4 - expected) / (1 - expected))
    # yes/yes, no/no, no/none, no/no.
    expected = (1 * 1 + 3 * 2) / 16
    assert pair["kappa"]["visible"] == pytest.approx((3 / 4 - expected) / (1 - expected))
    assert pair["kappa"]["verdicts"] == pytest.approx(1.0)
    assert (pair["rows"], pair["mentions"], pair["mean_iou"]) == (2, 4, 1.0)
    shown = run("review", store.results, "--report")
    assert "ann" in shown and "Cohen" in shown


def test_an_undecided_mention_counts_for_names_alone(store: Store) -> None:
    right = retyped(results()[2], 0, "PER")
    right["entities"][0]["groundable"] = None
    store.review(3, "ann", "corrected", extraction=right)
    [ann] = report(store.results, store.folder)["reviewers"]
    assert ann["score"]["gmner"] is None and ann["score"]["mner"]["rows"] == 1
    assert ann["changed"] == {"type": 1, "visible": 1}


def test_nobody_has_said_anything(store: Store) -> None:
    with pytest.raises(DataError, match="nobody has reviewed"):
        report(store.results, store.folder)
    with pytest.raises(InputError, match="nobody has accepted"):
        merge(store.results, store.folder, store.folder / "gold.jsonl")


def test_what_is_disputed_is_decided_and_merged(store: Store, tmp_path: Path) -> None:
    store.review(1, "ann", "accepted")
    store.review(1, "bob", "accepted")
    store.review(2, "ann", "corrected", extraction=retyped(results()[1], 1, "ORG"))
    store.review(2, "bob", "accepted")
    store.review(3, "ann", "accepted")
    out = tmp_path / "sub" / "gold.jsonl"
    assert merge(store.results, store.folder, out) == (1, 1, 0, 1)
    assert sorted(row.id for row in read_rows(out)) == ["r1", "r3"]
    assert gold_of(out)[0]["image"] == "../one.png"
    disputed = disputed_of(out)
    [row] = gold_of(disputed)
    assert row["id"] == "r2" and row["image"]["source"] == "../one.png"
    judge = Store(disputed, reviews_of(disputed))
    right: dict[str, Any] = retyped(row, 1, "ORG")
    judge.review(1, "eve", "corrected", extraction=right)
    judge.close()
    assert merge(store.results, store.folder, out) == (1, 1, 1, 0)
    decided = next(row for row in gold_of(out) if row["id"] == "r2")
    assert decided["review"]["reviewer"] == "eve" and decided["entities"][1]["type"] == "ORG"
    assert decided["image"] == "../one.png" and disputed.read_text() == ""


def test_gold_is_taken_by_other_commands(
    store: Store, run: Callable[..., str], tmp_path: Path
) -> None:
    for n in (1, 2, 3):
        store.review(n, "ann", "accepted")
    gold = store.folder / "ann.jsonl"
    run("dataset", "split", gold, "--out", tmp_path / "split")
    assert json.loads(run("compare", gold, store.results, "--task", "gmner", "--json"))
    run("export", gold, "--to", "coco", "--out", tmp_path / "coco.json")
    assert (tmp_path / "coco.json").is_file()


@pytest.mark.parametrize("type_", ["\ud800", "x\0y"])
def test_odd_characters_break_nothing(store: Store, type_: str) -> None:
    given = retyped(results()[0], 0, type_)
    try:
        store.review(1, "ann", "corrected", extraction=given)
    except InputError:
        assert store.row(1, "ann")["mine"] is None
    else:
        assert gold_of(store.folder / "ann.jsonl")[0]["entities"][0]["type"] == type_
