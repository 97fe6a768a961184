"""A user's own types are treated as what they are seen as, whatever they are called."""

from pathlib import Path
from typing import Any

import pytest

from deixis.agents.main.entail import entail
from deixis.agents.main.ground import ground
from deixis.agents.riveg.ground import ground as ground_of_riveg

PICTURE = {"sha256": "00", "width": 400, "height": 300, "source": "bytes"}
LOOKED = {"people": "looked", "words": "looked"}
TYPES = """
types:
  - {name: PLAYER, crf: PER}
  - {name: COACH, seen_as: person}
  - {name: CLUB, crf: ORG}
  - {name: FANS, seen_as: group}
  - {name: TROPHY, crf: OTHER}
"""


def people(*scores: float) -> list[dict[str, Any]]:
    return [
        {"id": f"o{n}", "label": "person", "box": [100.0 * n, 0.0, 100.0 * n + 80, 300.0],
         "score": score}
        for n, score in enumerate(scores)
    ]  # fmt: skip


@pytest.fixture
def schema(tmp_path: Path) -> str:
    path = tmp_path / "sport.yaml"
    path.write_text(TYPES)
    return str(path)


def seen(*scores: float) -> dict[str, Any]:
    return {"caption": None, "objects": people(*scores), "words": [], "looking": LOOKED}


@pytest.mark.parametrize(
    ("kind", "shown"),
    [("PLAYER", True), ("COACH", True), ("CLUB", False), ("FANS", False), ("TROPHY", False)],
)
def test_people_are_evidence_for_types_that_are_people(
    toolbox_of: Any, run: Any, mention: Any, schema: str, kind: str, shown: bool
) -> None:
    mentions = {"e1": mention("Ann Lee", 0, kind)}
    state = {"text": "Ann Lee", "picture": PICTURE, "mentions": mentions, "observation": seen(0.8)}
    toolbox = toolbox_of(schema=schema, detector="centerface", reader="rapidocr")
    judged = run(entail, state, toolbox)
    assert judged["verdicts"]["e1"]["groundable"] is shown
    placed = run(ground, {**state, **judged}, toolbox)
    assert bool(placed.get("regions")) is shown


def test_the_voted_type_counts_where_it_differs(
    toolbox_of: Any, run: Any, mention: Any, schema: str
) -> None:
    state = {
        "text": "Ann Lee",
        "picture": PICTURE,
        "mentions": {"e1": mention("Ann Lee", 0, "CLUB")},
        "kinds": {"e1": {"type": "PLAYER", "fine_type": None}},
        "observation": seen(0.8),
    }
    verdicts = run(entail, state, toolbox_of(schema=schema, detector="centerface"))["verdicts"]
    assert verdicts["e1"]["groundable"] is True


def fits(order: int) -> dict[str, Any]:
    box = [100.0 * order, 0.0, 100.0 * order + 80, 300.0]
    return {
        "key": f"d{order}",
        "box": box,
        "strength": 0.8,
        "what": "what fits 'in red'",
        "role": "detector",
    }


@pytest.mark.parametrize(
    ("kind", "boxes"), [("CLUB", 3), ("FANS", 3), ("PLAYER", 1), ("TROPHY", 1)]
)
def test_groups_alone_have_several_boxes(
    toolbox_of: Any, run: Any, mention: Any, schema: str, kind: str, boxes: int
) -> None:
    candidates = [fits(order) for order in range(3)]
    state = {
        "mentions": {"e1": mention("Acme", 0, kind)},
        "verdicts": {"e1": {"groundable": True, "probability": 0.8, "candidates": candidates}},
        "picture": PICTURE,
    }
    update = run(ground, state, toolbox_of(schema=schema, detector="centerface"))
    assert len(update["regions"]["e1"]) == boxes


@pytest.mark.extra
@pytest.mark.parametrize("kind", ["PLAYER", "COACH"])
def test_riveg_offers_its_people_to_people(
    toolbox_of: Any, run: Any, mention: Any, schema: str, kind: str
) -> None:
    state = {
        "text": "Ann Lee",
        "mentions": {"e1": mention("Ann Lee", 0, kind)},
        "expressions": {"e1": "Ann Lee (X) - in red"},
        "verdicts": {"e1": {"groundable": True, "probability": 0.8, "candidates": []}},
        "observation": seen(0.8),
        "picture": PICTURE,
    }
    toolbox = toolbox_of(schema=schema, detector="centerface")
    update = run(ground_of_riveg, state, toolbox)
    assert [region["box"] for region in update["regions"]["e1"]] == [[0.0, 0.0, 80.0, 300.0]]


def test_the_order_of_the_text_counts_people_alone(
    toolbox_of: Any, run: Any, mention: Any, schema: str
) -> None:
    """Between two players a club is named: the second player is still the second person."""
    two = [
        {
            "key": each["id"],
            "box": each["box"],
            "strength": 0.8,
            "what": "a person",
            "role": "detector",
            "order": order,
        }
        for order, each in enumerate(people(0.8, 0.8))
    ]
    writing = {**fits(3), "key": "w1/acme", "what": "the writing 'ACME'", "role": "reader"}
    verdict = {"groundable": True, "probability": 0.8}
    state = {
        "mentions": {
            "e1": mention("Acme", 0, "CLUB"),
            "e2": mention("Ann", 5, "PLAYER"),
            "e3": mention("Bob", 9, "PLAYER"),
        },
        "verdicts": {
            "e1": {**verdict, "candidates": [writing]},
            "e2": {**verdict, "candidates": [*reversed(two), writing]},
            "e3": {**verdict, "candidates": [*reversed(two), writing]},
        },
        "picture": PICTURE,
    }
    update = run(ground, state, toolbox_of(schema=schema, detector="centerface", reader="rapidocr"))
    lefts = {entity: own[0]["box"][0] for entity, own in update["regions"].items()}
    assert lefts == {"e1": 300.0, "e2": 0.0, "e3": 100.0}
