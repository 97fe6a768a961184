"""Numbered marks: a model with eyes says which box is whose, and the confusions this settles."""

import base64
import io
import json
from typing import Any, NamedTuple

import numpy as np
import pytest
from PIL import Image

from deixis.agents.context import pictures
from deixis.agents.main.choose import LEAST, MOST_MARKS, PASSED_OVER
from deixis.agents.main.ground import ground

EYES = "scripted:eyes"


def offer(key: str, box: tuple[float, ...], strength: float = 0.8, **more: Any) -> dict[str, Any]:
    what = f"what is at {key}"
    return {"key": key, "box": list(box), "strength": strength, "what": what, **more}


def person(order: int, strength: float = 0.8) -> dict[str, Any]:
    box = (100.0 * order, 20.0, 100.0 * order + 80, 280.0)
    return offer(f"o{order + 1}", box, strength, role="detector", order=order)


CROWD = offer("d9", (0.0, 10.0, 390.0, 290.0), 0.5, role="detector")
HEAD = offer("d8", (10.0, 20.0, 60.0, 80.0), 0.7, role="detector")
SHIRT = offer("d7", (5.0, 90.0, 75.0, 200.0), 0.9, role="detector")
LOGO = offer("d6", (30.0, 110.0, 50.0, 130.0), 0.4, role="detector")


ACME_AND_ANN = [("Acme", "ORG"), ("Ann", "PER")]


class Sample(NamedTuple):
    """What one sample came to: the update, and what the model was asked."""

    update: dict[str, Any]
    asked: list[Any]

    def boxes(self) -> dict[str, list[float]]:
        return {entity: each[0]["box"] for entity, each in self.update["regions"].items()}

    def all_boxes(self) -> dict[str, list[list[float]]]:
        regions = self.update["regions"].items()
        return {entity: [region["box"] for region in each] for entity, each in regions}


@pytest.fixture
def grounded(mention: Any, toolbox_of: Any, run: Any) -> Any:
    """``grounded(reply, (name, type, probability, candidates), ...)`` runs the whole step."""

    def go(reply: Any, *entities: tuple[str, str, float, list[Any]], **more: Any) -> Sample:
        opened = pictures.take_in(np.full((300, 400, 3), 90, np.uint8), 1_000_000)
        size = {"width": 400, "height": 300, "source": "array", "sha256": opened.sha256}
        state: dict[str, Any] = {"mentions": {}, "verdicts": {}, "picture": size, **more}
        for number, (name, kind, probability, candidates) in enumerate(entities, start=1):
            state["mentions"][f"e{number}"] = mention(name, 20 * number, kind)
            verdict = {"groundable": True, "probability": probability, "candidates": candidates}
            state["verdicts"][f"e{number}"] = verdict
        asked: list[Any] = []

        def script(_name: str, messages: list[Any], options: dict[str, Any]) -> Any:
            asked.append((messages[1].content, options["json_schema"]))
            return json.dumps(reply) if isinstance(reply, dict) else reply

        roles = {} if reply is None else {"entailer": EYES}
        return Sample(run(ground, state, toolbox_of(script, detector="centerface", **roles)), asked)

    return go


# Marks are numbered from left to right. A name that is missing in the end has no box.
CONFUSIONS = {
    "two people with one box": (
        [("Ann", "PER", 0.9, [person(0)]), ("Bob", "PER", 0.6, [person(0)])],
        {"e1": "none", "e2": "1"},
        {"e2": person(0)},
    ),
    "one person with two boxes": (
        [("Ann", "PER", 0.8, [person(0), HEAD]), ("Bob", "PER", 0.8, [person(0), HEAD])],
        {"e1": "1", "e2": "none"},
        {"e1": person(0)},
    ),
    "three athletes and two names": (
        [(name, "PER", 0.8, [person(0), person(1), person(2)]) for name in ("Ann", "Bob")],
        {"e1": "3", "e2": "1"},
        {"e1": person(2), "e2": person(0)},
    ),
    "both names are said to be one athlete": (
        [(name, "PER", 0.8, [person(0), person(1), person(2)]) for name in ("Ann", "Bob")],
        {"e1": "2", "e2": "2"},
        {"e1": person(1)},
    ),
    "a logo inside a shirt": (
        [("Ann", "PER", 0.8, [person(0)]), ("Acme", "ORG", 0.6, [SHIRT, LOGO])],
        {"e1": "1", "e2": "3"},
        {"e1": person(0), "e2": LOGO},
    ),
    "an organisation that is a crowd": (
        [
            ("Ann", "PER", 0.8, [person(0), person(1)]),
            ("Acme", "ORG", 0.8, [person(0), person(1), CROWD]),
        ],
        {"e1": "3", "e2": "1"},
        {"e1": person(1), "e2": CROWD},
    ),
}


@pytest.mark.parametrize("confusion", CONFUSIONS)
def test_the_marks_settle_the_classic_confusions(grounded: Any, confusion: str) -> None:
    entities, reply, expected = CONFUSIONS[confusion]
    sample = grounded(reply, *entities)
    assert sample.boxes() == {entity: each["box"] for entity, each in expected.items()}
    assert len(sample.asked) == 1, "one call for all"
    assert grounded(None, *entities).boxes() != sample.boxes(), "boxes alone do not settle it"
    for entity in reply:
        decisions = sample.update["decisions"]
        (said,) = [each for key, each in decisions.items() if key.startswith(f"{entity}/")]
        assert said["replies"] == ["ground/1/1"]
        assert any(line.startswith(EYES) for line in said["evidence"])
        if entity not in expected:
            assert said["outcome"] == "no" and sample.update["verdicts"][entity]["candidates"] == []


# Of several numbers, a name has those boxes that are no other's, and not a thing and a part of it.
SEVERAL = {
    "an organisation that is a crowd": (
        [(name, kind, 0.8, [person(n) for n in range(4)]) for name, kind in ACME_AND_ANN],
        {"e1": ["1", "3", 4], "e2": ["2"]},
        {"e1": [person(0), person(2), person(3)], "e2": [person(1)]},
    ),
    "one person shown twice": (
        [("Ann", "PER", 0.8, [person(0), person(1, 0.7), person(2, 0.6)])],
        {"e1": ["1", "3", "3"]},
        {"e1": [person(0), person(2)]},
    ),
    "one person with two boxes": (
        [("Ann", "PER", 0.8, [person(0), HEAD])],
        {"e1": ["1", "2"]},
        {"e1": [person(0)]},
    ),
    "a crowd, and each of its members": (
        [("Acme", "ORG", 0.8, [CROWD, person(0), person(1)])],
        {"e1": ["1", "2", "3"]},
        {"e1": [person(0), person(1)]},
    ),
    "two names want one person": (
        [(name, "PER", 0.8, [person(0), person(1), person(2)]) for name in ("Ann", "Bob")],
        {"e1": ["1", "2"], "e2": ["2"]},
        {"e1": [person(0)], "e2": [person(1)]},
    ),
    "all names want all people": (
        [(name, "PER", 0.8, [person(0), person(1), person(2)]) for name in ("Ann", "Bob")],
        {"e1": ["1", "2", "3"], "e2": ["1", "2", "3"]},
        {"e1": [person(0)], "e2": [person(2)]},
    ),
}


@pytest.mark.parametrize("case", SEVERAL)
def test_a_model_may_choose_several_boxes_for_a_name(grounded: Any, case: str) -> None:
    entities, reply, expected = SEVERAL[case]
    sample = grounded(reply, *entities)
    found = sample.all_boxes()
    assert found == {entity: [each["box"] for each in own] for entity, own in expected.items()}
    for entity, own in expected.items():
        evidence = sample.update["decisions"][f"{entity}/ground/box"]["evidence"]
        several = [f"several: {each['what']}, chosen too" for each in own[1:]]
        assert evidence[1 : len(own)] == several
        assert not any(line.startswith("several") for line in evidence[len(own) :])


def test_a_part_of_what_was_chosen_is_told(grounded: Any) -> None:
    sample = grounded({"e1": ["1", "2"]}, ("Ann", "PER", 0.8, [person(0), HEAD]))
    assert sample.update["decisions"]["e1/ground/box"]["evidence"] == [
        "what is at o1",
        "what is at d8 shows the same as what it has",
        f"{EYES} chose what is at o1, mark 1 and what is at d8, mark 2 of 2",
    ]


def test_the_losers_stay_in_the_trace_and_the_score_is_fused(grounded: Any) -> None:
    two = [person(0), person(1, strength=0.9)]
    sample = grounded({"e1": "1"}, ("Ann", "PER", 0.8, two))
    said = sample.update["decisions"]["e1/ground/box"]
    assert said["evidence"] == [
        "what is at o1",
        "what is at o2 was less likely",
        f"{EYES} chose what is at o1, mark 1 of 2",
    ]
    assert said["confidence"] == pytest.approx(0.8 * 0.8), "what was chosen keeps its score"
    (call,) = sample.update["calls"].values()
    assert (call["role"], call["prompt"]) == ("entailer", "choose 3")


@pytest.mark.parametrize(("probability", "given"), [(0.97, True), (0.6, False)])
def test_strong_evidence_outlives_a_none(grounded: Any, probability: float, given: bool) -> None:
    tag = offer("w1/ann", (5.0, 5.0, 50.0, 20.0), 0.9, role="detector")
    sample = grounded({"e1": "none"}, ("Ann", "PER", probability, [tag, person(2, 0.3)]))
    left = PASSED_OVER * probability * 0.9
    assert (left >= LEAST) is given
    assert (sample.boxes() == {"e1": tag["box"]}) is given
    if given:
        assert sample.update["regions"]["e1"][0]["score"] == pytest.approx(left)


def test_the_question_has_the_marked_picture_and_for_each_its_own_numbers(grounded: Any) -> None:
    sample = grounded(
        {"e1": "1", "e2": "unclear"},
        ("Ann Lee", "PER", 0.8, [person(0), person(2)]),
        ("Acme", "ORG", 0.8, [person(1), person(2)]),
        ("Lee", "PER", 0.8, [person(0), person(2)]),
        expressions={"e1": "Ann Lee: a tall woman", "e2": "Acme"},
    )
    (((_, image, question), schema),) = sample.asked
    assert "woman</post> (1, 3)\ne2: <post>Acme</post> (2, 3)" in question["text"]
    assert "e3" not in question["text"], "a short form of e1"
    own = {entity: each["items"]["enum"] for entity, each in schema["properties"].items()}
    assert {each["maxItems"] for each in schema["properties"].values()} == {2}
    assert own == {"e1": ["unclear", "none", "1", "3"], "e2": ["unclear", "none", "2", "3"]}
    seen = np.asarray(Image.open(io.BytesIO(base64.b64decode(image["base64"])))).astype(int)
    assert (np.abs(seen - 90).max(axis=2) > 60).mean() > 0.01, "boxes are drawn on the grey picture"
    assert set(sample.boxes()) == {"e1", "e2", "e3"}


@pytest.mark.parametrize("reply", ["", "no JSON", ValueError("down"), {"e1": "4", "e2": "1"}])
def test_a_failure_changes_nothing_but_a_notice(grounded: Any, reply: Any) -> None:
    everybody = [person(order) for order in range(3)]
    entities = [("Ann", "PER", 0.8, everybody), ("Bob", "PER", 0.7, everybody)]
    sample, plain = grounded(reply, *entities), grounded(None, *entities)
    assert sample.update["regions"] == plain.update["regions"]
    (said,) = sample.update["notices"].values()
    assert said["step"] == "ground" and "gave no answer" in said["message"]
    assert plain.update["notices"] == {} and plain.asked == []


@pytest.mark.parametrize("unclear", ["unclear", "Unclear", ["unclear", "none"]])
def test_unclear_changes_nothing(grounded: Any, unclear: str) -> None:
    entities = [("Ann", "PER", 0.8, [person(0), person(1)])]
    sample, plain = grounded({"e1": unclear}, *entities), grounded(None, *entities)
    assert sample.update["regions"] == plain.update["regions"]
    assert sample.update["notices"] == {}


@pytest.mark.parametrize(
    ("reply", "box"),
    [
        (2, person(1)),
        ("2", person(1)),
        ([2], person(1)),
        (["none", "2"], person(1)),
        (None, None),
        ([], None),
        ("None", None),
    ],
)
def test_a_bare_word_will_do(grounded: Any, reply: Any, box: Any) -> None:
    sample = grounded({"e1": reply}, ("Ann", "PER", 0.8, [person(0), person(1)]))
    assert sample.boxes() == ({"e1": box["box"]} if box else {})
    assert len(sample.asked) == 1


def test_where_nothing_competes_nobody_is_asked(grounded: Any) -> None:
    sample = grounded({}, ("Ann", "PER", 0.8, [person(0)]), ("Bob", "PER", 0.8, [person(1)]))
    assert sample.asked == [] and len(sample.boxes()) == 2
    assert grounded({}, ("Ann", "PER", 0.8, []), ("Bob", "PER", 0.8, [person(1)])).asked == []


def test_of_very_many_boxes_the_strongest_are_drawn(grounded: Any) -> None:
    many = [
        offer(f"o{n}", (4.0 * n, 0.0, 4.0 * n + 30, 200.0), 0.9 - n / 100, role="detector")
        for n in range(MOST_MARKS + 5)
    ]
    sample = grounded({"e1": "7", "e2": "1"}, ("Ann", "PER", 0.9, many), ("Bob", "PER", 1, many))
    enum = sample.asked[0][1]["properties"]["e1"]["items"]["enum"]
    assert len(enum) == MOST_MARKS + 2
    assert sample.boxes() == {"e1": many[6]["box"], "e2": many[0]["box"]}
    few = grounded({"e1": "7"}, ("Ann", "PER", 0.9, many), ("Bob", "PER", 0.9, many[-1:]))
    assert "e2" not in few.asked[0][1]["properties"], "none of its boxes is drawn"
    assert few.boxes()["e2"] == many[-1]["box"]
