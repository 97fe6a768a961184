"""What two files say of the same rows: in what they differ, who is right, what each has cost."""

from typing import Any

import numpy as np
import pytest

from deixis.errors import DataError
from deixis.evaluation.compare import Agreement, Result, agree, figure
from deixis.evaluation.metrics.convention import convention
from deixis.evaluation.metrics.scoring import How
from deixis.evaluation.metrics.tasks import task
from deixis.rows import Row
from deixis.schema import Mask

BOX, NEAR, FAR = (0, 0, 10, 10), (0, 0, 10, 8), (0, 6, 10, 16)  # IoU with BOX: 1, 0.8, 0.25


def how(name: str = "gmner", rules: str = "deixis", **fields: Any) -> How:
    return How(task(name), convention(rules), rounds=200, **fields)


def mention(text: str, kind: str, *boxes: Any, start: int | None = None, **fields: Any) -> Any:
    """A mention with these boxes, none, or (by None) undecided."""
    regions = None if boxes == (None,) else [{"box": box} for box in boxes]
    return {"text": text, "type": kind, "start": start, "regions": regions, **fields}


def row(id_: str, *mentions: Any, text: str = "") -> Row:
    return Row.model_validate({"id": id_, "text": text, "entities": mentions})


def one(first: list[Any], second: list[Any], gold: list[Any] | None = None, **fields: Any) -> Any:
    """Compare one row; return what is said of each mention that differs."""
    golds = [] if gold is None else [row("a", *gold)]
    found = agree([row("a", *first)], [row("a", *second)], how(**fields), golds)
    return [(each.text, each.kinds, each.right) for each in found.rows[0].differences]


@pytest.mark.parametrize(
    ("first", "second", "kinds"),
    [
        (mention("Ada", "PER", BOX), mention("Ada", "PER", NEAR), {}),
        (mention("Ada", "PER", BOX), mention("Ada", "PER", FAR), {"region": 0.75}),
        (mention("Ada", "PER", BOX), mention("Ada", "PER", FAR, NEAR), {}),
        (mention("Ada", "PER", BOX), mention("Ada", "PER"), {"groundable": 1}),
        (mention("Ada", "PER", None), mention("Ada", "PER"), {"groundable": 1}),
        (mention("Ada", "PER", None), mention("Ada", "PER", None), {}),
        (mention("Ada", "PER"), mention("Ada", "LOC"), {"type": 1}),
        (mention("Ada", "PER", BOX), mention("Ada", "LOC", FAR), {"type": 1, "region": 0.75}),
    ],
)
def test_in_what_a_mention_differs(first: Any, second: Any, kinds: dict[str, float]) -> None:
    assert one([first], [second]) == ([("Ada", pytest.approx(kinds), None)] if kinds else [])


def test_mentions_that_one_alone_has() -> None:
    found = one([mention("Ada", "PER"), mention("Bob", "PER")], [mention("Bob", "PER")])
    assert found == [("Ada", {"only first": 1}, None)]
    assert one([], [mention("Bob", "PER")]) == [("Bob", {"only second": 1}, None)]


def test_the_task_says_what_counts() -> None:
    first, second = mention("Ada", "PER", BOX), mention("Ada", "LOC", FAR)
    assert one([first], [second], name="mner") == [("Ada", {"type": 1}, None)]
    assert one([first], [second], name="eeg") == [("Ada", {"region": 0.75}, None)]
    assert one([first], [second], name="eeg", threshold=0.25) == []
    fine = [mention("Ada", "PER", fine_type=each) for each in ("author", "actor")]
    assert one([fine[0]], [fine[1]]) == []
    assert one([fine[0]], [fine[1]], name="fmner") == [("Ada", {"type": 1}, None)]
    cased = [mention("ADA", "PER")], [mention("Ada", "PER")]
    assert len(one(*cased)) == 2 and one(*cased, rules="vkel") == []


def masked(rows: slice, shape: tuple[int, int] = (20, 10)) -> Any:
    array = np.zeros(shape, np.bool_)
    array[rows] = True
    region = {"box": BOX, "mask": Mask.from_array(array).model_dump()}
    return {"text": "Ada", "type": "PER", "regions": [region]}


def test_masks_and_not_boxes() -> None:
    first, second = masked(slice(0, 10)), masked(slice(6, 16))
    assert one([first], [second]) == []
    assert one([first], [second], name="smner") == [("Ada", {"region": 0.75}, None)]
    with pytest.raises(DataError, match="a mask of 'a' cannot be compared: masks of two sizes"):
        one([first], [masked(slice(0, 5), (10, 10))], name="smner")


def test_mentions_of_one_text_are_paired_by_place() -> None:
    first = [mention("Ada", "PER", BOX, start=0), mention("Ada", "PER", start=9)]
    second = [mention("Ada", "PER", start=0), mention("Ada", "PER", BOX, start=9)]
    assert [kinds for _, kinds, _ in one(first, second)] == [{"groundable": 1}] * 2
    assert one(first, second[::-1]) == one(first, second)
    for each in first + second:
        each["start"] = None
    assert one(first, second) == [], "without places so that they differ least"
    assert one(first, second[:1]) == [("Ada", {"only first": 1}, None)]


@pytest.mark.parametrize(
    ("gold", "right"),
    [
        ([mention("Ada", "PER", NEAR)], "first"),
        ([mention("Ada", "PER")], "second"),
        ([mention("Ada", "PER", BOX, FAR)], "first"),
        ([mention("Ada", "LOC")], "neither"),
        ([], "neither"),
    ],
)
def test_who_is_right(gold: list[Any], right: str) -> None:
    found = one([mention("Ada", "PER", BOX)], [mention("Ada", "PER")], gold)
    assert found == [("Ada", {"groundable": 1}, right)]


def test_who_is_right_where_one_lacks_a_mention() -> None:
    ada = mention("Ada", "PER")
    assert one([ada], [], [ada])[0][2] == "first"
    assert one([], [ada], [ada])[0][2] == "second"
    assert one([ada], [], [])[0][2] == "second"
    assert one([ada], [], [mention("Ada", "LOC")])[0][2] == "neither"
    assert one([ada, ada], [ada], [ada])[0][2] == "second", "one too many is an error"
    boxes = [mention("Ada", "PER", BOX)], [mention("Ada", "PER", FAR)]
    assert one(*boxes, [mention("Ada", "PER", BOX, FAR)])[0][2] == "both"
    undecided = mention("Ada", "PER", None)
    assert one([undecided], [ada], [ada])[0][2] == "second"


@pytest.fixture
def found() -> Agreement:
    """Four rows: alike, one difference of 0.75, two differences, none at all; two elsewhere."""
    ada, bob = mention("Ada", "PER", BOX), mention("Bob", "PER")
    first = [row("x"), row("a", ada), row("b", ada), row("c", ada, bob), row("d")]
    moved = mention("Ada", "PER", FAR)
    second = [row("d"), row("c", mention("Ada", "LOC", BOX)), row("b", moved), row("a", ada)]
    gold = [row("a", ada), row("b", ada), row("c", ada), row("d"), row("x"), row("y")]
    return agree(first, [*second, row("y")], how(), gold)


def test_the_whole(found: Agreement) -> None:
    assert [each.id for each in found.rows] == ["a", "b", "c", "d"]
    assert (found.only_first, found.only_second, found.same) == (("x",), ("y",), 2)
    assert found.kinds == {
        "only first": 1,
        "only second": 0,
        "type": 1,
        "groundable": 0,
        "region": 1,
    }
    assert found.right == {"first": 2, "second": 1, "both": 0, "neither": 0}
    assert found.f1 == pytest.approx(2 * 1 / (4 + 3))
    assert 0 <= found.low < found.f1 < found.high <= 1
    assert [(each.id, each.amount) for each in found.ranked(9)] == [("c", 2), ("b", 0.75)]
    assert [each.id for each in found.ranked(1)] == ["c"]


def test_the_document(found: Agreement) -> None:
    document = found.document(1)
    assert document["rows"] == {"both": 4, "only_first": ["x"], "only_second": ["y"]}
    agreement = document["agreement"]
    assert (agreement["same_rows"], agreement["same_share"]) == (2, 0.5)
    assert agreement["f1"] == {"value": found.f1, "interval": [found.low, found.high]}
    assert (agreement["kinds"], agreement["right"]) == (found.kinds, found.right)
    assert document["cost"] == {"first": None, "second": None}
    (listed,) = document["disagreements"]
    assert (listed["id"], listed["amount"]) == ("c", 2)
    ada, bob = listed["mentions"]
    assert (ada["first"]["type"], ada["second"]["type"], ada["right"]) == ("PER", "LOC", "first")
    assert ada["gold"]["boxes"] == [list(BOX)]
    assert (bob["first"]["boxes"], bob["second"], bob["gold"]) == ([], None, None)


def test_files_without_a_mention_agree() -> None:
    found = agree([row("a")], [row("a")], how())
    assert (found.f1, found.low, found.high, found.same, found.right) == (1, 1, 1, 1, None)


def test_files_that_do_not_fit() -> None:
    with pytest.raises(DataError, match="no id is in both files"):
        agree([row("a")], [row("b")], how())
    with pytest.raises(DataError, match="the texts of 'b' differ"):
        agree([row("a"), row("b", text="x")], [row("b", text="y"), row("a", text="z")], how())


def result(id_: str, *usage: Any, warnings: Any = ()) -> Result:
    return Result.model_validate({"id": id_, "usage": usage, "warnings": warnings})


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (6_590_000, "6,590,000"),
        (37.8221, "37.82"),
        (2187.45, "2,187"),
        (0.0, "0"),
        (None, "no price"),
    ],
)
def test_figures(value: float | None, written: str) -> None:
    assert figure(value) == written


def test_costs_are_of_the_rows_in_both() -> None:
    asked = {"role": "voter", "model": "m", "calls": 3, "input_tokens": 10, "seconds": 1.5}
    priced = {"role": "vlm", "model": "n", "calls": 1, "output_tokens": 4, "cost": 0.5}
    warned = [
        {"step": "ground", "message": f"'{name}' has {n} boxes"} for n, name in ((1, "x"), (2, "y"))
    ]
    first = [result("a", asked, priced, warnings=warned), result("b", asked), result("x", asked)]
    second = [result("a", priced, warnings=warned[:1]), result("b")]
    found = agree(first, second, how())
    one, other = found.costs
    assert one is not None and other is not None
    assert (one.rows, one.total.calls, one.total.input_tokens, one.total.cost) == (2, 7, 20, 0.5)
    assert (one.unpriced, other.unpriced, other.total.calls) == (6, 0, 1)
    assert one.measure("calls", a_row=True) == 3.5 and one.measure("seconds") == 3.0
    assert {key: each.calls for key, each in one.roles.items()} == {
        ("voter", "m"): 6,
        ("vlm", "n"): 1,
    }
    assert one.document()["a_row"]["cost"] == 0.25
    assert found.warnings == {("ground", "'...' has N boxes"): (2, 1)}
    unpriced = agree(first[1:], second[1:], how()).costs[0]
    assert unpriced is not None and unpriced.measure("cost", a_row=True) is None
    assert agree(first[1:], second[1:], how()).costs[1].measure("cost") == 0.0, "nobody was asked"
    assert agree(first, [row("a")], how()).costs[1] is None, "other predictions say nothing"
