"""Entailment and grounding on gold mentions, by hand."""

from typing import Any

import pytest

from deixis.errors import DataError
from deixis.evaluation.judgements import JudgedRow
from deixis.evaluation.metrics.given import entailment, given, grounding, of_type, tally
from deixis.rows import Row, parse_row

W, HALF, FAR = [0, 0, 10, 10], [0, 0, 5, 10], [50, 50, 60, 60]
Said = tuple[str, list[Any] | None, float | None]


def gold(name: str, *mentions: tuple[str, str, list[Any]]) -> Row:
    entities = [
        {"text": text, "type": kind, "regions": [{"box": box} for box in boxes]}
        for text, kind, boxes in mentions
    ]
    return Row.model_validate({"id": name, "entities": entities})


def result(name: str, *mentions: Said) -> JudgedRow:
    """Make a row: text, boxes (None: undecided), and how sure it was that it can be seen."""
    entities = []
    for text, boxes, probability in mentions:
        decided: dict[str, Any] = {"step": "entail", "subject": "groundable", "outcome": None}
        if probability is not None:
            yes = probability >= 0.5
            sure = probability if yes else 1 - probability
            decided |= {"outcome": "yes" if yes else "no", "confidence": sure}
        entities.append(
            {
                "text": text,
                "type": "PER",
                "groundable": None if boxes is None else bool(boxes),
                "regions": [{"box": box} for box in boxes or ()],
                "decisions": [{"step": "a", "subject": "type", "outcome": "PER"}, decided],
            }
        )
    return parse_row({"id": name, "entities": entities}, JudgedRow)


GOLD = [
    gold("a", ("Ada", "PER", [W]), ("Rome", "LOC", [])),
    gold("b", ("Bob", "PER", [W, FAR]), ("NASA", "ORG", []), ("Eve", "PER", [W])),
    gold("c", ("Zoe", "PER", [W])),
]
RESULTS = [
    result("a", ("Ada", [HALF], 0.9), ("Rome", [W], 0.6)),
    result("b", ("Bob", [FAR], 0.8), ("NASA", [], 0.1), ("Eve", None, None)),
]


def test_entailment() -> None:
    rows = given(GOLD, RESULTS)
    found = entailment(rows).plain()
    # Right: Ada, Bob, NASA; wrong: Rome; undecided: Eve; without a result: Zoe.
    assert found["accuracy"] == 3 / 6 and found["undecided"] == 2 / 6
    assert found["precision"] == 2 / 3 and found["recall"] == 2 / 4
    assert found["f1"] == pytest.approx(4 / 7)
    # Of 0.9 and 0.8 against 0.6 and 0.1 all four pairs are in order.
    assert found["auc"] == 1.0
    assert found["calibration_error"] == pytest.approx((0.1 + 0.2 + 0.6 + 0.1) / 4)
    assert tally([pair for row in rows for pair in row]) == {
        "groundable": 4,
        "pointed_at": 3,
        "undecided": 2,
        "with_probability": 4,
    }
    people = entailment(of_type(rows, "PER")).plain()
    assert people["accuracy"] == 2 / 4 and people["auc"] is None


def test_auc_counts_ties_half() -> None:
    sides = [gold("a", ("A", "PER", [W]), ("B", "PER", []), ("C", "PER", []))]
    told = [result("a", ("A", [W], 0.7), ("B", [W], 0.7), ("C", [W], 0.9))]
    assert entailment(given(sides, told)).plain()["auc"] == 0.25


def test_without_a_probability() -> None:
    told = [result("a", ("Ada", [W], None), ("Rome", [], None))]
    found = entailment(given(GOLD[:1], told)).plain()
    assert found["accuracy"] == 1.0
    assert found["auc"] is found["calibration_error"] is None


def test_what_entailment_says_counts_whatever_was_pointed_at() -> None:
    # Both are called visible: nothing points at the one, and another took the box of the other.
    told = [result("a", ("Ada", None, 0.8), ("Rome", [], 0.7))]
    found = entailment(given(GOLD[:1], told)).plain()
    assert found["accuracy"] == found["precision"] == 1 / 2 and found["undecided"] == 0
    changed = {"step": "ground", "subject": "groundable", "outcome": "no", "confidence": 0.9}
    row = told[0].model_dump(mode="json")
    row["entities"][0]["decisions"].append(changed)
    again = entailment(given(GOLD[:1], [JudgedRow.model_validate(row)])).plain()
    assert again == found


def test_grounding() -> None:
    found = grounding(given(GOLD, RESULTS)).plain()
    # Of four groundable mentions two are pointed at, with IoU 0.5 and (the second box) 1.
    assert found == {"precision": 2 / 4, "precision_pointed": 1.0, "mean_iou": 1.5 / 4}
    strict = grounding(given(GOLD, RESULTS), threshold=0.75).plain()
    assert strict["precision"] == 1 / 4 and strict["precision_pointed"] == 1 / 2
    assert grounding(given(GOLD[:1], []), 0.5).plain()["precision_pointed"] is None


def test_mentions_of_one_text_are_taken_by_their_places() -> None:
    def at(row: Any, *starts: int) -> Any:
        entities = [
            entity.model_copy(update={"start": start, "end": start + 3})
            for entity, start in zip(row.entities, starts, strict=True)
        ]
        return row.model_copy(update={"entities": tuple(entities)})

    sides = [at(gold("a", ("Ada", "PER", [W]), ("Ada", "PER", [])), 0, 9)]
    told = [at(result("a", ("Ada", [], 0.1), ("Ada", [W], 0.9)), 9, 0)]
    assert entailment(given(sides, told)).plain()["accuracy"] == 1.0


def test_what_is_not_of_gold_mentions() -> None:
    with pytest.raises(DataError, match=r"the mention .Cat. that the gold lacks.*--gold"):
        given(GOLD, [result("a", ("Cat", [], 0.2))])
    unsaid = Row.model_validate({"id": "a", "entities": [{"text": "Ada", "type": "PER"}]})
    with pytest.raises(DataError, match="does not say whether it can be seen"):
        given([unsaid], [])
