"""ground: one box a name, one name a box, and the loser is told who won."""

from itertools import permutations
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from deixis.agents.main.assignment import assign
from deixis.agents.main.ground import ground, same_names
from deixis.base.boxes import clipped

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
    x1, y1, x2, y2 = clipped(box, 400, 300)
    assert 0 <= x1 < x2 <= 400 and 0 <= y1 < y2 <= 300
    assert box == given_box


def test_a_box_that_is_inside_stays_and_one_outside_is_cut(grounded: Any) -> None:
    assert clipped([1.5, 2.0, 300.0, 299.5], 400, 300) == [1.5, 2.0, 300.0, 299.5]
    out = {**person(0, 1), "box": [-5.0, -0.1, 500.0, 300.4]}
    update = grounded(("Ann", verdict(out)))
    assert update["regions"]["e1"][0]["box"] == [0.0, 0.0, 400.0, 300.0]


def fits(order: int, strength: float, **more: Any) -> dict[str, Any]:
    """What a detector found of a description, in the place of a person."""
    what = f"what fits 'a crew' (score {strength})"
    return {**person(order, 1), "strength": strength, "what": what, "order": None, **more}


TORSO = fits(9, 0.8, box=[10.0, 60.0, 70.0, 200.0])
SEVERAL = {
    "an organisation that is a crowd": ("ORG", [fits(n, 0.8 - n / 50) for n in range(4)], 4),
    "a person, and three whom the description fits": ("PER", [fits(n, 0.8) for n in range(3)], 1),
    "another fits less": ("ORG", [fits(0, 0.8), fits(1, 0.63)], 1),
    "a logo inside a shirt": ("ORG", [fits(0, 0.8), TORSO], 1),
    "two shirts, each with its logo": (
        "ORG",
        [fits(0, 0.81), TORSO, fits(1, 0.8), fits(8, 0.79, box=[110.0, 60.0, 170.0, 200.0])],
        2,
    ),
    "its name is read": ("ORG", [writing("Acme"), fits(1, 0.85), fits(2, 0.85)], 1),
    "a place": ("LOC", [fits(0, 0.8), fits(1, 0.8)], 1),
}


@pytest.mark.parametrize("case", SEVERAL)
def test_who_has_several_boxes_without_a_model_that_says_so(grounded: Any, case: str) -> None:
    kind, candidates, number = SEVERAL[case]
    update = grounded(("Acme", verdict(*candidates)), type=kind)
    (found,) = update["regions"].values()
    assert len(found) == number == len({tuple(each["box"]) for each in found})
    said = update["decisions"]["e1/ground/box"]
    assert sum(line.startswith("several: ") for line in said["evidence"]) == number - 1
    assert len(said["evidence"]) == len(candidates), "every candidate is accounted for"
    assert said["outcome"] == ", ".join(str([int(v) for v in each["box"]]) for each in found)
    assert said["confidence"] == found[0]["score"] == max(each["score"] for each in found)


@pytest.mark.parametrize("athletes", [2, 3, 4])
def test_a_team_has_what_its_athletes_by_name_leave(
    grounded: Any, mention: Any, athletes: int
) -> None:
    everybody = [person(order, athletes) for order in range(athletes)]
    crew = verdict(*(fits(order, 0.7) for order in range(athletes)), probability=0.7)
    pairs = (("Ann", verdict(*everybody)), ("Bob", verdict(*everybody)), ("Acme", crew))
    mentions = {f"e{n}": mention(name, 9 * n) for n, (name, _) in enumerate(pairs, start=1)}
    mentions["e3"]["type"] = "ORG"
    update = grounded(*pairs, mentions=mentions)
    found = {entity: [each["box"][0] for each in own] for entity, own in update["regions"].items()}
    assert (len(found["e1"]), len(found["e2"]), len(found.get("e3", []))) == (1, 1, athletes - 2)
    everyone = sorted(left for own in found.values() for left in own)
    assert everyone == [100.0 * n for n in range(athletes)]
    assert (update["verdicts"] != {}) is (athletes == 2), "nothing is left for it"


def test_three_athletes_and_two_names(grounded: Any) -> None:
    everybody = [person(order, 3) for order in range(3)]
    found = boxes(grounded(("Ann", verdict(*everybody)), ("Bob", verdict(*everybody))))
    assert list(found) == ["e1", "e2"] and len(set(found.values())) == 2


SHAPES = st.tuples(st.integers(0, 4), st.integers(0, 4))


@given(arrays(np.float64, SHAPES, elements=st.floats(-1, 1)))
def test_an_assignment_is_one_to_one_and_the_best(scores: np.ndarray) -> None:
    rows, columns = scores.shape
    none = np.zeros((columns, columns), np.bool_)
    given_columns = assign(scores, np.zeros(scores.shape, np.bool_), none)
    assert len(given_columns) == rows and all(len(each) <= 1 for each in given_columns)
    chosen = [column for each in given_columns for column in each]
    assert len(set(chosen)) == len(chosen)
    got = [scores[row, c] for row, each in enumerate(given_columns) for c in each]
    assert all(score > 0 for score in got)
    wide = np.maximum(np.hstack([scores, np.zeros((rows, rows))]), 0)
    best = max(
        sum(wide[row, column] for row, column in enumerate(order))
        for order in permutations(range(columns + rows), rows)
    )
    assert sum(got) == pytest.approx(best)


@given(
    arrays(np.float64, SHAPES, elements=st.sampled_from([-1, 0, 0.1, 0.25, 0.5, 1])), st.randoms()
)
def test_what_is_left_goes_to_those_who_may_have_several(scores: np.ndarray, draw: Any) -> None:
    rows, columns = scores.shape
    several = np.array([[draw.random() < 0.6 for _ in range(columns)] for _ in range(rows)])
    several = several.reshape(scores.shape).astype(np.bool_)
    clash = np.array([[draw.random() < 0.2 for _ in range(columns)] for _ in range(columns)])
    clash = clash.reshape(columns, columns).astype(np.bool_)
    clash |= clash.T
    one, more = assign(scores, np.zeros_like(several), clash), assign(scores, several, clash)
    taken = [column for each in more for column in each]
    assert len(set(taken)) == len(taken), "no column has two rows"
    for row, (first, own) in enumerate(zip(one, more, strict=True)):
        assert own[:1] == first, "nobody loses a column to another's second"
        assert all(several[row, each] and scores[row, each] > 0 for each in own[1:])
        assert not any(clash[a, b] for n, a in enumerate(own) for b in own[n + 1 :])
        for column in set(range(columns)) - set(taken):
            clashes = any(clash[column, each] for each in own)
            assert clashes or not several[row, column] or scores[row, column] <= 0
