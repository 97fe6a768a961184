"""Rows brought together: ids, what is missing, what each convention takes for the same."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from deixis.errors import DataError, SettingsError
from deixis.evaluation.metrics.convention import CONVENTIONS, Convention, convention
from deixis.evaluation.metrics.mentions import align
from deixis.evaluation.metrics.mner import Score
from deixis.evaluation.metrics.scoring import How, evaluate
from deixis.evaluation.metrics.tasks import TASKS, task
from deixis.rows import Row, RowEntity, RowRegion
from deixis.schema import Mask

Post = Callable[..., Row]
DEFAULT = convention("deixis")
W = "0,0,10,10"


def score(gold: Row, predicted: Row, rule: Convention, kind: str = "gmner") -> Score:
    return evaluate([gold], [predicted], How(task(kind), rule, rounds=1)).all.score


def test_missing_rows_count_as_empty_and_are_named(post: Post) -> None:
    gold = [post("a", "Ada PER None"), post("b", "Rome LOC None"), post("c")]
    found = align(gold, [gold[1]], task("gmner"), DEFAULT)
    assert found.missing == ("a", "c")
    assert [len(each.predicted) for each in found.samples] == [0, 1, 0]
    report = evaluate(gold, [gold[1]], How(task("gmner"), DEFAULT))
    assert report.all.score == Score(1, 1, 2)
    assert report.document()["missing"] == ["a", "c"]


def test_order_of_the_predictions_does_not_matter(post: Post) -> None:
    gold = [post(each, f"{each} PER None") for each in "abc"]
    found = align(gold, gold[::-1], task("gmner"), DEFAULT)
    assert [each.id for each in found.samples] == ["a", "b", "c"]
    assert all(each.gold == each.predicted for each in found.samples)


def test_ids_that_gold_lacks_are_refused(post: Post) -> None:
    with pytest.raises(DataError, match=r"^1 predictions have an id .* \('x'\); give the gold"):
        align([post("a")], [post("a"), post("x")], task("gmner"), DEFAULT)
    extra = [post(str(number)) for number in range(7)]
    with pytest.raises(DataError, match=r"^7 .* \('0', '1', '2', '3', '4', \.\.\.\)"):
        align([post("a")], extra, task("gmner"), DEFAULT)


def test_no_gold_is_refused() -> None:
    with pytest.raises(DataError, match="no rows of gold"):
        align([], [], task("gmner"), DEFAULT)


def test_gold_must_have_what_is_scored(post: Post) -> None:
    silent = post("a", "Ada PER")
    with pytest.raises(DataError, match="'Ada' of 'a' does not say whether it can be seen"):
        align([silent], [], task("eeg"), DEFAULT)
    assert score(silent, silent, DEFAULT, "mner") == Score(1, 1, 1)
    with pytest.raises(
        DataError, match="no fine type, which fmner scores; give gold that has them"
    ):
        align([silent], [], task("fmner"), DEFAULT)
    assert len(align([silent], [], task("fmner", coarse=True), DEFAULT).samples) == 1
    with pytest.raises(DataError, match="a region without a mask, which smner scores"):
        align([post("a", f"Ada PER {W}")], [], task("smner"), DEFAULT)


def test_odd_predictions_are_counted(post: Post) -> None:
    gold = post("a", f"Ada PER {W}")
    odd = post("a", "Ada PER", "Bob PER 5,5,5,9 9,9,1,1", f"Rome LOC {W}")
    found = align([gold], [odd], task("gmner"), DEFAULT)
    assert (found.undecided, found.unusable) == (1, 2)
    found = align([gold], [odd], task("mner"), DEFAULT)
    assert (found.undecided, found.unusable) == (0, 0)


def masked(name: str, *masks: Mask | None) -> RowEntity:
    box = (0.0, 0.0, 8.0, 6.0)
    return RowEntity(text=name, type="PER", regions=[RowRegion(box=box, mask=m) for m in masks])


def part(columns: int, height: int = 6) -> Mask:
    return Mask.from_array(np.arange(8)[None, :].repeat(height, 0) < columns)


def test_masks_are_scored_by_their_own_overlap(post: Post) -> None:
    gold = post("a", masked("Ada", part(6)), masked("Bob", part(2), part(8)), masked("Rome"))
    said = post("a", masked("Ada", part(3)), masked("Bob", part(3)), masked("Rome"))
    assert score(gold, said, DEFAULT, "smner") == Score(3, 3, 3)  # 3/6, 2/3, nothing to see
    assert score(gold, said, replace(DEFAULT, strict=True), "ees") == Score(2, 3, 3)
    report = evaluate([gold], [said], How(task("smner"), DEFAULT))
    assert report.grounding is not None
    assert report.grounding.mean_iou == pytest.approx((1 / 2 + 2 / 3) / 2)
    bare = post("a", masked("Ada", None), masked("Bob", part(3)), masked("Rome"))
    assert score(gold, bare, DEFAULT, "smner") == Score(2, 3, 3)
    assert align([gold], [bare], task("smner"), DEFAULT).unusable == 1


@pytest.mark.parametrize(
    "runs", ["", "o", "`", "\u00e9", "1 2", "00p", "1", "00Y4", "oooooooooooooo0"]
)
def test_masks_that_do_not_parse_are_refused(runs: str, post: Post) -> None:
    gold = post("a", masked("Ada", part(6)))
    broken = post("a", masked("Ada", Mask(size=(6, 8), counts=runs)))
    for first, second in ((gold, broken), (broken, gold)):
        with pytest.raises(DataError, match="a mask of 'a' is no COCO run-length encoding"):
            score(first, second, DEFAULT, "smner")


def test_masks_of_other_sizes_are_refused(post: Post) -> None:
    gold, other = (post("a", masked("Ada", part(6, height))) for height in (6, 7))
    with pytest.raises(DataError, match=r"several sizes \(height, width\): \(6, 8\) and \(7, 8\)"):
        score(gold, other, DEFAULT, "ees")


def test_folded_case(post: Post) -> None:
    gold, said = post("a", "UNESCO ORG None"), post("a", "Unesco ORG None")
    assert score(gold, said, DEFAULT).correct == 0
    assert score(gold, said, convention("vkel")).correct == 1


def test_first_region_is_that_of_the_prediction_alone(post: Post) -> None:
    both, second = post("a", f"Ada PER 90,0,99,9 {W}"), post("a", f"Ada PER {W}")
    rule = convention("riveg")
    assert score(both, second, rule).correct == 1
    assert score(second, both, rule).correct == 0
    assert score(second, both, convention("e2e")).correct == 1
    assert score(both, both, rule).correct == 1


def test_duplicates(post: Post) -> None:
    twice = post("a", f"Ada PER {W}", f"Ada PER {W}", "Ada PER None", "Ada ORG None")
    once = post("a", f"Ada PER {W}")
    for duplicates, forward, backward in (
        ("count", Score(1, 4, 1), Score(1, 1, 4)),
        ("drop predicted", Score(1, 3, 1), Score(1, 1, 4)),
        ("drop", Score(1, 3, 1), Score(1, 1, 3)),
        ("last", Score(0, 1, 1), Score(0, 1, 1)),
    ):
        rule = replace(DEFAULT, duplicates=duplicates)
        assert score(once, twice, rule) == forward, duplicates
        assert score(twice, once, rule) == backward, duplicates


def placed(name: str, start: int, *boxes: tuple[float, float, float, float]) -> RowEntity:
    regions = [RowRegion(box=box) for box in boxes]
    return RowEntity(text=name, start=start, end=start + 3, type="PER", regions=regions)


def test_hindex_compares_places_and_keeps_the_last(post: Post) -> None:
    rule, box = convention("hindex"), (0.0, 0.0, 10.0, 10.0)
    gold = post("a", placed("Ada", 0, box), placed("Ada", 9))
    assert score(gold, gold, rule) == Score(2, 2, 2)
    moved = post("a", placed("Ada", 0, box), placed("Ada", 12))
    assert score(gold, moved, rule) == Score(1, 2, 2)
    again = post("a", placed("Ada", 0), placed("Ada", 0, box), placed("Ada", 9))
    assert score(gold, again, rule) == Score(2, 2, 2)
    tie = post("a", placed("Ada", 0, (0.0, 0.0, 10.0, 5.0)), placed("Ada", 9))
    assert score(gold, tie, rule) == Score(1, 2, 2)
    with pytest.raises(DataError, match=r"hindex compares places.*'Rome' of 'a' has no start"):
        score(post("a", "Rome LOC None"), gold, rule)


def test_every_rule_is_described() -> None:
    said = {name: rule.describe(0.5) for name, rule in CONVENTIONS.items()}
    assert (
        said["deixis"]
        == said["e2e"]
        == (
            "exact text, optimal one-to-one, duplicates count, IoU >= 0.5, any predicted region, "
            "pixels of the original picture"
        )
    )
    assert "greedy" in said["riveg"] and "first predicted region" in said["riveg"]
    assert "IoU > 0.5" in said["hindex"] and "the last of each place stands" in said["hindex"]
    assert "exact text (case folded)" in said["vkel"] and "IoU > 0.5" in said["vkel"]
    assert DEFAULT.describe(None) == "exact text, optimal one-to-one, duplicates count"
    dropped = {replace(DEFAULT, duplicates=each).describe(None) for each in ("drop", "last")}
    assert len(dropped) == 2


def test_unknown_names_say_what_is_known() -> None:
    with pytest.raises(SettingsError, match="no convention 'e3e'; known: deixis, e2e"):
        convention("e3e")
    with pytest.raises(SettingsError, match="no task 'ner'; known: gmner, fmnerg"):
        task("ner")
    with pytest.raises(SettingsError, match="gmner compares no fine types"):
        task("gmner", coarse=True)
    assert task("fmnerg", coarse=True).type == "type" and TASKS["fmnerg"].type == "fine_type"
