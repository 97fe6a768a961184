"""Agreement of annotators: Fleiss' kappa, consistent regions, rows to decide."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deixis.errors import DataError, InputError
from deixis.evaluation.construction.agreement import Agreement, agreement, fleiss_kappa
from deixis.schema import Mask

LEFT, NEAR, RIGHT = [0, 0, 10, 10], [0, 0, 10, 12], [20, 0, 30, 10]


def test_kappa_of_the_example_in_wikipedia() -> None:
    counts = [
        *([0, 0, 0, 0, 14], [0, 2, 6, 4, 2], [0, 0, 3, 5, 6], [0, 3, 9, 2, 0], [2, 2, 8, 1, 1]),
        *([7, 7, 0, 0, 0], [3, 2, 6, 3, 0], [2, 5, 3, 2, 2], [6, 5, 2, 1, 0], [0, 2, 2, 3, 7]),
    ]
    found = fleiss_kappa(np.array(counts))
    assert found.kappa == pytest.approx(0.210, abs=5e-4)
    assert (found.observed, found.expected) == pytest.approx((0.378, 0.213), abs=5e-4)


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2)), min_size=1, max_size=20))
def test_kappa_of_two_by_counting_pairs(said: list[tuple[int, int]]) -> None:
    found = fleiss_kappa(np.array([np.bincount(pair, minlength=3) for pair in said]))
    everything = [value for pair in said for value in pair]
    same = sum(one == other for one, other in said) / len(said)
    chance = sum((everything.count(value) / len(everything)) ** 2 for value in range(3))
    assert (found.observed, found.expected) == pytest.approx((same, chance))
    if found.kappa is None:
        assert chance == 1
    else:
        assert found.kappa == pytest.approx((same - chance) / (1 - chance))


def test_kappa_needs_as_many_judgements_of_each() -> None:
    for wrong in ([[2, 0], [3, 0]], [[1, 0]], np.zeros((0, 2), int)):
        with pytest.raises(ValueError, match="same number of judgements"):
            fleiss_kappa(np.array(wrong))


def row(id_: str, *shown: Any, text: str = "Ada Bob Cy", **more: Any) -> dict[str, Any]:
    """Return a row of which each entity has boxes, or regions, or None for not judged."""
    starts = {"Ada": 0, "Bob": 4, "Cy": 8}
    entities = [
        {
            "text": name,
            "start": start,
            "end": start + len(name),
            "type": "PER",
            "regions": each
            and [region if isinstance(region, dict) else {"box": region} for region in each],
        }
        for (name, start), each in zip(starts.items(), shown, strict=False)
    ]
    return {"id": id_, "text": text, "entities": entities, **more}


def compare(folder: Path, *annotators: list[dict[str, Any]], **more: Any) -> Agreement:
    files = []
    for number, rows in enumerate(annotators):
        (folder / str(number)).mkdir(exist_ok=True)
        files.append(folder / str(number) / f"{number}.jsonl")
        files[-1].write_text("".join(json.dumps(each) + "\n" for each in rows))
    return agreement(files, **more)


def test_two_annotators_of_each_post(tmp_path: Path) -> None:
    one = [row("1", [LEFT], []), row("2", [LEFT], [RIGHT]), row("3", [], [])]
    other = [row("1", [NEAR], []), row("2", [RIGHT], []), row("3", [], [])]
    found = compare(tmp_path, one, other)
    figures = found.figures
    assert (figures["entities"], figures["consistent"], figures["judgements_each"]) == (6, 4, 2)
    # by hand: first readings 1 1 | 1 2 | 1 0, nothing 0 0 three times
    observed, expected = 4 / 6, (7 / 12) ** 2 + (4 / 12) ** 2 + (1 / 12) ** 2
    assert figures["regions"]["kappa"] == pytest.approx((observed - expected) / (1 - expected))
    observed, expected = 5 / 6, (7 / 12) ** 2 + (5 / 12) ** 2
    assert figures["visible"]["kappa"] == pytest.approx((observed - expected) / (1 - expected))
    (pair,) = figures["pairs"]
    assert (pair["one"], pair["other"], pair["consistent"]) == ("0.jsonl", "1.jsonl", 4)
    assert pair["mean_iou"] == pytest.approx(100 / 120)
    assert pair["regions_shared"] == pytest.approx(2 / 5)
    assert [sample.row.id for sample in found.agreed] == ["1", "3"]
    (dispute,) = found.disputed
    assert dispute.data["entities"] == one[1]["entities"]
    assert dispute.data["annotations"] == [
        {"by": "0.jsonl", "entities": one[1]["entities"]},
        {"by": "1.jsonl", "entities": other[1]["entities"]},
    ]


def test_an_iou_of_exactly_the_threshold_is_not_enough(tmp_path: Path) -> None:
    half = [0, 0, 10, 5]
    assert compare(tmp_path, [row("1", [LEFT])], [row("1", [half])]).figures["consistent"] == 0
    found = compare(tmp_path, [row("1", [LEFT])], [row("1", [half])], iou=0.49)
    assert found.figures["consistent"] == 1


def test_several_regions_are_compared_one_to_one(tmp_path: Path) -> None:
    found = compare(
        tmp_path,
        [row("1", [LEFT, RIGHT], [LEFT, RIGHT], [LEFT, LEFT])],
        [row("1", [RIGHT, NEAR], [RIGHT], [LEFT, RIGHT])],
    )
    assert found.figures["consistent"] == 1
    assert found.figures["pairs"][0]["regions_shared"] == pytest.approx(2 * 4 / 11)


def test_masks_count_where_both_have_them(tmp_path: Path) -> None:
    def region(columns: slice) -> dict[str, Any]:
        drawn = np.zeros((10, 10), dtype=bool)
        drawn[:, columns] = True
        return {"box": LEFT, "mask": Mask.from_array(drawn).model_dump(mode="json")}

    left, right = region(slice(0, 5)), region(slice(5, 10))
    found = compare(
        tmp_path, [row("1", [left], [left], [left])], [row("1", [right], [LEFT], [left])]
    )
    assert found.figures["consistent"] == 2
    small = {"box": LEFT, "mask": Mask.from_array(np.ones((2, 2), dtype=bool)).model_dump()}
    with pytest.raises(DataError, match=r"row '1', entity 'Ada': masks of two sizes"):
        compare(tmp_path, [row("1", [left])], [row("1", [small])])


def test_three_annotators_and_readings(tmp_path: Path) -> None:
    found = compare(tmp_path, *([row("1", [box], [LEFT])] for box in (RIGHT, LEFT, NEAR)))
    assert found.figures["judgements_each"] == 3 and found.figures["consistent"] == 1
    # the reading of two annotators is the first one, so 5 judgements are of it and 1 of the second
    assert found.figures["regions"]["expected"] == pytest.approx((5 / 6) ** 2 + (1 / 6) ** 2)
    assert found.figures["regions"]["observed"] == pytest.approx((1 / 3 + 1) / 2)
    assert len(found.figures["pairs"]) == 3


def test_annotators_who_did_some_of_the_rows(tmp_path: Path) -> None:
    found = compare(
        tmp_path,
        [row("1", [LEFT]), row("2", [LEFT]), row("4", None)],
        [row("2", [LEFT]), row("3", [LEFT]), row("4", [LEFT])],
        [row("3", [LEFT]), row("1", [LEFT])],
    )
    assert (found.figures["entities"], found.figures["entities_left_out"]) == (3, 1)
    assert found.figures["consistent"] == 3 and found.figures["regions"]["kappa"] is None
    assert [sample.row.id for sample in found.disputed] == ["4"]
    alone = compare(tmp_path, [row("1", [LEFT])], [row("2", [LEFT])])
    assert alone.figures["entities"] == 0 and alone.figures["regions"] is None
    assert len(alone.disputed) == 2


def test_what_cannot_be_compared(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"1\.jsonl:1: the text of the row '1' is not that in 0"):
        compare(tmp_path, [row("1", [LEFT])], [row("1", [LEFT], text="Ada Bob Dy")])
    with pytest.raises(InputError, match="two annotators or more"):
        compare(tmp_path, [row("1", [LEFT])])
    file = tmp_path / "0" / "0.jsonl"
    with pytest.raises(InputError, match="a file is given twice"):
        agreement([file, file])
