"""ground: one box a name, one name a box, and the loser is told who won."""

from itertools import permutations
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from deixis.agents.ground import clipped, ground, same_names
from deixis.tools.assignment import assign

PICTURE = {"sha256": "00", "width": 400, "height": 300, "source": "bytes"}


def person(order: int, of: int, strength: float = 0.8) -> dict[str, Any]:
    return {
        "key": f"o{order}",
        "box": [100.0 * order, 0.0, 100.0 * order + 80, 300.0],
        "strength": strength,
        "what": f"person {order + 1} of {of} from the left",
        "role": "detector",
        "order": order,
    }


def writing(text: str) -> dict[str, Any]:
    return {
        "key": f"w1/{text}",
        "box": [5.0, 5.0, 50.0, 20.0],
        "strength": 0.9,
        "what": f"the writing {text!r}",
        "role": "reader",
    }


def verdict(*candidates: dict[str, Any], probability: float = 0.8) -> dict[str, Any]:
    return {"groundable": True, "probability": probability, "candidates": list(candidates)}


NO = {"groundable": False, "probability": 0.1, "candidates": []}


@pytest.fixture
def grounded(mention: Any, toolbox_of: Any, run: Any) -> Any:
    def go(*pairs: tuple[str, dict[str, Any]], type: str = "PER", **more: Any) -> dict[str, Any]:
        mentions, verdicts, start = {}, {}, 0
        for number, (text, judged) in enumerate(pairs, start=1):
            mentions[f"e{number}"] = mention(text, start, type)
            verdicts[f"e{number}"] = judged
            start += len(text) + 1
        state = {"mentions": mentions, "verdicts": verdicts, "picture": PICTURE, **more}
        toolbox = toolbox_of(detector="centerface", reader="rapidocr")
        update: dict[str, Any] = run(ground, state, toolbox)
        return update

    return go


def boxes(update: dict[str, Any]) -> dict[str, float]:
    """Return the left edge of each entity's only box."""
    return {key: each[0]["box"][0] for key, each in update["regions"].items() if len(each) == 1}


def test_a_name_gets_its_box_score_and_source(grounded: Any) -> None:
    update = grounded(("Ann", verdict(person(0, 1))), ("NASA", NO))
    ((region,),) = update["regions"].values()
    assert region["box"] == [0.0, 0.0, 80.0, 300.0]
    assert region["score"] == pytest.approx(0.64) and region["source"] == "centerface"
    assert region["mask"] is None
    said = update["decisions"]["e1/ground/box"]
    assert said["outcome"] == "[0, 0, 80, 300]" and said["model"] == "centerface"
    assert said["evidence"] == ["person 1 of 1 from the left"]
    assert update["verdicts"] == {}


def test_writing_is_found_by_the_reader(grounded: Any) -> None:
    update = grounded(("NASA", verdict(writing("NASA"))), type="ORG")
    assert update["regions"]["e1"][0]["source"] == "rapidocr"


def test_when_nothing_is_groundable_nothing_is_done(grounded: Any) -> None:
    undecided = {**NO, "groundable": None}
    assert grounded(("Ann", NO), ("Bob", undecided)) == {}


@pytest.mark.parametrize("winner", ["e1", "e2"])
def test_of_two_names_for_one_person_the_likelier_wins_and_the_other_is_told(
    grounded: Any, winner: str
) -> None:
    chances = {"e1": 0.6, "e2": 0.6, winner: 0.9}
    ann, bob = (verdict(person(0, 1), probability=chances[each]) for each in ("e1", "e2"))
    update = grounded(("Ann", ann), ("Bob", bob))
    loser = {"e1": "e2", "e2": "e1"}[winner]
    assert list(update["regions"]) == [winner]
    assert update["verdicts"][loser]["groundable"] is False
    assert update["verdicts"][loser]["candidates"] == []
    said = update["decisions"][f"{loser}/ground/groundable"]
    name = {"e1": "Ann", "e2": "Bob"}[winner]
    assert said["outcome"] == "no"
    assert said["evidence"] == [f"person 1 of 1 from the left went to {name!r}"]


@pytest.mark.parametrize("number", [2, 3, 4])
def test_equal_people_go_to_names_in_reading_order(grounded: Any, number: int) -> None:
    everybody = [person(order, number) for order in range(number)]
    names = [(name, verdict(*everybody[::-1])) for name in ("Ann", "Bob", "Cy", "Di")[:number]]
    update = grounded(*names)
    assert boxes(update) == {f"e{i + 1}": 100.0 * i for i in range(number)}
    evidence = update["decisions"]["e1/ground/box"]["evidence"]
    assert f"person 2 of {number} from the left went to 'Bob'" in evidence


def test_a_name_tag_outweighs_the_order(grounded: Any) -> None:
    tagged = verdict(person(0, 2, 0.4), person(1, 2))
    other = verdict(person(0, 2), person(1, 2))
    assert boxes(grounded(("Ann", tagged), ("Bob", other))) == {"e1": 100.0, "e2": 0.0}


def test_a_name_and_its_short_form_share_a_box(grounded: Any) -> None:
    two = [person(0, 2), person(1, 2)]
    update = grounded(
        ("Ann Lee", verdict(*two)), ("Bob", verdict(*two)), ("Lee", verdict(*two)), ("LEE", NO)
    )
    assert boxes(update) == {"e1": 0.0, "e2": 100.0, "e3": 0.0}
    assert update["decisions"]["e3/ground/box"]["outcome"] == "[0, 0, 80, 300]"


def test_nobody_gets_what_was_not_offered(grounded: Any) -> None:
    update = grounded(("Ann", verdict(person(0, 2))), ("Bob", verdict(person(1, 2))))
    assert boxes(update) == {"e1": 0.0, "e2": 100.0}


@pytest.mark.parametrize(
    ("names", "groups"),
    [
        (["Ann Lee", "Lee"], {"e1": ["e1", "e2"]}),
        (["Lee", "Ann Lee"], {"e2": ["e2", "e1"]}),
        (["Ann", "ANN"], {"e1": ["e1", "e2"]}),
        (["Ann Lee", "Bob Lee", "Lee"], {"e1": ["e1"], "e2": ["e2"], "e3": ["e3"]}),
        (["Ann", "Anna"], {"e1": ["e1"], "e2": ["e2"]}),
        (["Bob", "Ann"], {"e1": ["e1"], "e2": ["e2"]}),
    ],
)
def test_mentions_of_one_name_are_one_claimant(
    mention: Any, names: list[str], groups: dict[str, list[str]]
) -> None:
    mentions = {f"e{i}": mention(name, 20 * i) for i, name in enumerate(names, start=1)}
    found = same_names(mentions)
    assert found == groups
    assert list(found) == sorted(found, key=lambda head: mentions[head]["start"])


def test_a_person_and_a_ship_of_one_name_are_two(mention: Any) -> None:
    mentions = {"e1": mention("Hopper"), "e2": mention("Hopper", 9, "ORG")}
    assert same_names(mentions) == {"e1": ["e1"], "e2": ["e2"]}


@given(st.lists(st.floats(-1000, 1000), min_size=4, max_size=4))
def test_every_box_is_clipped_into_the_picture(box: list[float]) -> None:
    given_box = list(box)
    x1, y1, x2, y2 = clipped(box, PICTURE)
    assert 0 <= x1 < x2 <= 400 and 0 <= y1 < y2 <= 300
    assert box == given_box


def test_a_box_that_is_inside_stays_and_one_outside_is_cut(grounded: Any) -> None:
    assert clipped([1.5, 2.0, 300.0, 299.5], PICTURE) == [1.5, 2.0, 300.0, 299.5]
    out = {**person(0, 1), "box": [-5.0, -0.1, 500.0, 300.4]}
    update = grounded(("Ann", verdict(out)))
    assert update["regions"]["e1"][0]["box"] == [0.0, 0.0, 400.0, 300.0]


SHAPES = st.tuples(st.integers(0, 4), st.integers(0, 4))


@given(arrays(np.float64, SHAPES, elements=st.floats(-1, 1)))
def test_an_assignment_is_one_to_one_and_the_best(scores: np.ndarray) -> None:
    given_columns = assign(scores)
    rows, columns = scores.shape
    chosen = [column for column in given_columns if column is not None]
    assert len(given_columns) == rows and len(set(chosen)) == len(chosen)
    got = [scores[row, c] for row, c in enumerate(given_columns) if c is not None]
    assert all(score > 0 for score in got)
    wide = np.maximum(np.hstack([scores, np.zeros((rows, rows))]), 0)
    best = max(
        sum(wide[row, column] for row, column in enumerate(order))
        for order in permutations(range(columns + rows), rows)
    )
    assert sum(got) == pytest.approx(best)
