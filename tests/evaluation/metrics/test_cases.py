"""Hard cases with the number of correct mentions that each rule gives them, by hand.

Most boxes are ``W`` (100 wide, 60 high), a part of it, or far away from it.
"""

from collections.abc import Callable
from dataclasses import replace

import pytest

from deixis.evaluation.metrics.convention import convention
from deixis.evaluation.metrics.scoring import How, evaluate
from deixis.evaluation.metrics.tasks import task
from deixis.rows import Row

Post = Callable[..., Row]

W, HALF, FAR, POINT, TURNED = (
    "20,10,120,70",
    "20,10,70,70",
    "300,9,360,80",
    "7,7,7,7",
    "120,70,20,10",
)
MOST, RIGHT = "20,10,100,70", "40,10,120,70"  # IoU 0.8 with W
CASES: dict[str, tuple[list[str], list[str], str]] = {
    # name: gold, predictions, and of each rule (>=, >, greedy) gmner mner eeg
    "the very same": ([f"Ada PER {W}"], [f"Ada PER {W}"], "111 111 111"),
    "none and none": (["Rome LOC None"], ["Rome LOC None"], "111 111 111"),
    "none, but a box was said": (["Ada PER None"], [f"Ada PER {W}"], "010 010 010"),
    "a box, but none was said": ([f"Ada PER {W}"], ["Ada PER None"], "010 010 010"),
    "a box, but nothing was said": ([f"Ada PER {W}"], ["Ada PER"], "010 010 010"),
    "none, but nothing was said": (["Ada PER None"], ["Ada PER"], "010 010 010"),
    "IoU of one half": ([f"Ada PER {W}"], [f"Ada PER {HALF}"], "111 010 111"),
    "IoU of nothing": ([f"Ada PER {W}"], [f"Ada PER {FAR}"], "010 010 010"),
    "the second gold box is met": ([f"Ada PER {FAR} {W}"], [f"Ada PER {MOST}"], "111 111 111"),
    "the second said box meets": ([f"Ada PER {W}"], [f"Ada PER {FAR} {MOST}"], "111 111 111"),
    "no said box meets": ([f"Ada PER {W}"], [f"Ada PER {FAR} {POINT}"], "010 010 010"),
    "a point on itself": ([f"Ada PER {POINT}"], [f"Ada PER {POINT}"], "010 010 010"),
    "a turned box on itself": ([f"Ada PER {TURNED}"], [f"Ada PER {TURNED}"], "010 010 010"),
    "another case": (["UNESCO ORG None"], ["Unesco ORG None"], "000 000 000"),
    "a blank at the end": (["Rome LOC None"], ["Rome_ LOC None"], "000 000 000"),
    "another type": ([f"Ada PER {W}"], [f"Ada ORG {W}"], "001 001 001"),
    "another name": ([f"Ada PER {W}"], [f"Bob PER {W}"], "000 000 000"),
    "twice in gold, said once": (["Ada PER None"] * 2, ["Ada PER None"], "111 111 111"),
    "once in gold, said twice": (["Ada PER None"], ["Ada PER None"] * 2, "111 111 111"),
    "twice in both": (["Ada PER None"] * 2, ["Ada PER None"] * 2, "222 222 222"),
    "said wrong, then right": ([f"Ada PER {W}"], ["Ada PER None", f"Ada PER {W}"], "111 111 111"),
    "said with two types": ([f"Ada PER {W}"], [f"Ada ORG {W}", f"Ada PER {W}"], "111 111 111"),
    "nothing in both": ([], [], "000 000 000"),
    "nothing said": (["Ada PER None"], [], "000 000 000"),
    "nothing in gold": ([], ["Ada PER None"], "000 000 000"),
    "another order": (
        ["Ada PER None", f"Bob PER {W}"],
        [f"Bob PER {W}", "Ada PER None"],
        "222 222 222",
    ),
    "one shown, one not, said the other way round": (
        [f"Ada PER {W}", "Ada PER None"],
        ["Ada PER None", f"Ada PER {W}"],
        "222 222 222",
    ),
    "the first takes what only the second can have": (
        [f"Ada PER {RIGHT}", f"Ada PER {W}"],
        [f"Ada PER {W}", "Ada PER 80,10,120,70"],
        "222 121 121",
    ),
    "the first two take what the last needs": (
        ["Ada PER 0,0,10,10", "Ada PER 0,0,10,14", "Ada PER 0,0,10,20"],
        ["Ada PER 0,0,10,14", "Ada PER 0,0,10,20", "Ada PER 0,0,10,7"],
        "333 333 232",
    ),
    "a duplicate beside a mention of another type": (
        [f"Ada PER {W}", "Ada ORG None"],
        [f"Ada PER {W}", f"Ada PER {W}", "Ada ORG None"],
        "222 222 222",
    ),
}
DEFAULT = convention("deixis")
RULES = (DEFAULT, replace(DEFAULT, strict=True), replace(DEFAULT, matching="greedy"))


@pytest.mark.parametrize("name", CASES)
def test_case(name: str, post: Post) -> None:
    gold, predicted, expected = CASES[name]
    found = [
        "".join(
            str(
                evaluate(
                    [post("a", *gold)], [post("a", *predicted)], How(task(each), rule)
                ).all.score.correct
            )
            for each in ("gmner", "mner", "eeg")
        )
        for rule in RULES
    ]
    assert " ".join(found) == expected


@pytest.mark.parametrize("name", CASES)
def test_counts_are_those_of_the_rows(name: str, post: Post) -> None:
    gold, predicted, _ = CASES[name]
    found = evaluate([post("a", *gold)], [post("a", *predicted)], How(task("gmner"), DEFAULT))
    assert found.all.score[1:] == (len(predicted), len(gold))
