import json
from itertools import permutations
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deixis.base.boxes import box_iou
from deixis.errors import DataError
from deixis.evaluation.metrics.mner import Score
from deixis.evaluation.metrics.muie_facts import score_extraction
from deixis.evaluation.metrics.muie_grounding import (
    Grounding,
    mean_iou,
    overlaps_of,
    pair,
    score_grounding,
    video_jaccard,
)
from deixis.evaluation.metrics.muie_places import region_iou, span_iou
from deixis.formats.muie import parse_answer, row_of
from deixis.formats.muie_rows import MuieRow
from deixis.rows import RowRegion
from deixis.schema import Mask

DEV = Path(__file__).parents[3].parent / "shared" / "data" / "reference" / "gmner_dev"
TEXT = "Police fired at Ann in Annapolis; Ann fled."


def row(task: str, **fields: Any) -> MuieRow:
    return MuieRow.model_validate({"id": "1", "task": task, "text": TEXT, **fields})


def region(*box: float) -> dict[str, Any]:
    return {"box": box}


@pytest.mark.parametrize(
    ("gold", "said", "correct"),
    [
        (["dog", "Dog"], ["dog 1", "dog 2"], 2),
        (["dog", "dog", "cat"], ["dog 1", "dog 2", "dog 3"], 2),
        (["dog", "cat"], ["dog 1", "dog 2"], 1),
        (["dog"], ["dog 1"], 0),  # one alone is told apart from none
        (["Apollo 11", "Apollo 13"], ["apollo 11", "apollo 13"], 2),
        (["Apollo 11"], ["Apollo 13"], 0),
    ],
)
def test_numbers_tell_things_of_a_kind_apart(
    gold: list[str], said: list[str], correct: int
) -> None:
    rows = [
        row("ner", entities=[{"text": n, "type": "x"} for n in names]) for names in (gold, said)
    ]
    score = score_extraction(rows[:1], rows[1:]).entities
    assert score == Score(correct, len(said), len(gold))


def test_entities_are_found_in_the_text() -> None:
    gold = row(
        "ner",
        entities=[
            {"text": "Ann", "type": "person", "start": 16, "end": 19},
            {"text": "Annapolis", "type": "location", "start": 23, "end": 32},
            {"text": "Ann", "type": "person", "start": 34, "end": 37},
        ],
    )
    texts = row("ner", entities=[{"text": "Ann", "type": "person"}] * 3)
    assert score_extraction([gold], [texts]).entities == Score(correct=2, predicted=3, gold=3)
    spans = [{"text": "Ann", "type": "person", "start": 23, "end": 26}]
    assert score_extraction([gold], [row("ner", entities=spans)]).entities == Score(0, 1, 3)
    assert score_extraction([gold], [gold]).entities.f1 == 1.0


def test_what_is_not_in_the_text_is_compared_as_text() -> None:
    gold = row("ner", text="", entities=[{"text": "Ann", "type": "person"}])
    told = row("ner", text="", entities=[{"text": "Ann", "type": "person"}] * 2)
    assert score_extraction([gold], [told]).entities == Score(1, 2, 1)


def test_relations_need_both_ends_and_the_type() -> None:
    entities = [{"text": "Ann", "type": "person"}, {"text": "Annapolis", "type": "location"}]
    there = {"subject": 0, "type": "located_in", "object": 1}
    gold = row("re", entities=entities, relations=[there])
    for relations, correct in (
        ([there], 1),
        ([there, there], 1),
        ([{**there, "type": "born_in"}], 0),
        ([{"subject": 1, "type": "located_in", "object": 0}], 0),
    ):
        found = score_extraction([gold], [row("re", entities=entities, relations=relations)])
        assert found.relations == Score(correct, len(relations), 1)


def test_triggers_and_arguments() -> None:
    entities = [{"text": "Police", "type": "organization"}, {"text": "Ann", "type": "person"}]

    def said(kind: str, trigger: str | None, *arguments: tuple[str, int]) -> MuieRow:
        event = {
            "type": kind,
            "trigger": trigger and {"text": trigger},
            "arguments": [{"role": role, "entity": place} for role, place in arguments],
        }
        return row("ee", entities=entities, events=[event])

    gold = said("Attack", "fired", ("Agent", 0), ("Target", 1))
    for told, triggers, arguments in (
        (gold, 1, 2),
        (said("Attack", "fled", ("Agent", 0), ("Target", 1)), 0, 2),
        (said("Attack", None, ("Agent", 1)), 0, 0),
        (said("Meet", "fired", ("Agent", 0)), 0, 0),
    ):
        found = score_extraction([gold], [told])
        assert found.triggers.correct == triggers
        assert found.arguments.correct == arguments
        assert found.triggers.gold == 1
        assert found.arguments.gold == 2
    assert score_extraction([gold], [said("Attack", None)]).triggers.predicted == 0


def test_a_meta_response_is_scored() -> None:
    entities = [
        {"text": "Police", "type": "organization", "start": 0, "end": 6},
        {"text": "Ann", "type": "person", "start": 16, "end": 19},
    ]
    event = {
        "type": "Attack",
        "trigger": {"text": "fired", "start": 7, "end": 12},
        "arguments": [{"role": "Agent", "entity": 0}, {"role": "Target", "entity": 1}],
    }
    gold = row("ee", entities=entities, events=[event])
    told = row_of(parse_answer("(fired, Attack, Agent: Police, Target: Bo)", "ee"), gold)
    assert score_extraction([gold], [told]) == (
        Score(0, 0, 0),
        Score(0, 0, 0),
        Score(1, 1, 1),
        Score(1, 2, 2),
    )


def test_samples_must_agree() -> None:
    broken = row("re", relations=[{"subject": 0, "type": "x", "object": 1}])
    with pytest.raises(DataError, match="row '1'"):
        score_extraction([broken], [broken])
    for score in (score_extraction, score_grounding):
        with pytest.raises(ValueError, match="same ids"):
            score([broken], [])


squares = st.tuples(st.integers(0, 6), st.integers(0, 6)).map(
    lambda corner: (corner[0], corner[1], corner[0] + 4, corner[1] + 4)
)


@given(
    st.lists(squares, max_size=4), st.lists(squares, max_size=4), st.sampled_from(["iou", "dice"])
)
def test_the_assignment_is_the_cheapest_of_all(gold: list[Any], told: list[Any], cost: Any) -> None:
    overlaps = overlaps_of(gold, told, box_iou)
    size = max(len(gold), len(told))
    padded = np.zeros((size, size))
    padded[: len(gold), : len(told)] = overlaps
    gain = padded if cost == "iou" else 2 * padded / (1 + padded)
    best = max(
        (sum(gain[i, j] for i, j in enumerate(order)) for order in permutations(range(size))),
        default=0.0,
    )
    found = pair(overlaps, cost)
    reached = sum(found.ious if cost == "iou" else (2 * i / (1 + i) for i in found.ious))
    assert reached == pytest.approx(best)
    assert (found.gold, found.predicted) == (len(gold), len(told))
    assert len(found.ious) in (0, min(len(gold), len(told)))


def test_costs_may_choose_otherwise() -> None:
    overlaps = np.array([[0.95, 0.45], [0.45, 0.0]])
    assert sum(pair(overlaps, "iou").ious) == pytest.approx(0.95)
    assert sum(pair(overlaps, "dice").ious) == pytest.approx(0.9)


def test_means() -> None:
    groundings = [Grounding((1.0, 0.5), 2, 3), Grounding((), 0, 1), Grounding((), 0, 0)]
    assert mean_iou(groundings) == pytest.approx((0.5 + 0) / 2)
    assert mean_iou(groundings, over="gold") == pytest.approx(0.75)
    assert mean_iou(groundings, "pooled") == pytest.approx(1.5 / 4)
    assert mean_iou(groundings, "pooled", "gold") == pytest.approx(0.75)
    assert mean_iou([Grounding((), 0, 0)]) is None
    assert mean_iou([], "pooled") is None
    assert video_jaccard(groundings) == pytest.approx(0.25)
    assert video_jaccard([]) is None


def test_spans_and_regions() -> None:
    assert span_iou((0, 2), (1, 3)) == pytest.approx(1 / 3)
    assert span_iou((0, 1), (1, 2)) == span_iou((1, 1), (1, 1)) == span_iou((3, 1), (0, 4)) == 0
    left = np.zeros((4, 4), dtype=bool)
    left[:, :2] = True
    masks = [Mask.from_array(left), Mask.from_array(left[:, ::-1].copy())]
    one, other = (RowRegion(box=(0, 0, 4, 4), mask=mask) for mask in masks)
    assert region_iou(one, other) == 0
    assert region_iou(one, one) == 1
    assert region_iou(one, RowRegion(box=(0, 0, 4, 2))) == 0.5


def test_three_media() -> None:
    gold = row(
        "ner",
        entities=[
            {"text": "Ann", "type": "person", "regions": [region(0, 0, 2, 2)]},
            {
                "text": "Police",
                "type": "organization",
                "spans": [(0, 2), (4, 5)],
                "track": [
                    {"frame": 0, "regions": [region(0, 0, 2, 2)]},
                    {"frame": 1, "regions": [region(0, 0, 2, 2)]},
                    {"frame": 3, "regions": []},
                ],
            },
        ],
    )
    told = row(
        "ner",
        entities=[
            {
                "text": "Ann",
                "type": "person",
                "regions": [region(0, 0, 2, 1), region(5, 5, 6, 6)],
                "spans": [(1, 2)],
                "track": [
                    {"frame": 0, "regions": [region(0, 0, 2, 2)]},
                    {"frame": 2, "regions": [region(0, 0, 2, 2)]},
                ],
            }
        ],
    )
    found = score_grounding([gold], [told])
    assert found.image == pytest.approx(0.5 / 2)
    # On the frames of the gold: 0; 1, between two that were told; 3, where it is not any more.
    assert found.video == pytest.approx((1 + 1 + 0) / 3)
    assert found.audio == pytest.approx(0.5 / 2)
    by_gold = score_grounding([gold], [told], over="gold")
    assert by_gold.image == pytest.approx(0.5)
    assert by_gold.video == pytest.approx(1.0)
    assert score_grounding([row("ner")], [row("ner")]) == (None, None, None)
    assert score_grounding([gold], [gold]) == (1.0, 1.0, 1.0)


@pytest.mark.skipif(
    not DEV.is_dir(), reason="the reference predictions are not beside the checkout"
)
def test_boxes_of_the_dev_split() -> None:
    sides: list[dict[str, list[Any]]] = []
    for name in ("gold", "pred"):
        lines = (DEV / f"{name}.jsonl").read_text(encoding="utf-8").rstrip("\n").split("\n")
        records = map(json.loads, lines)
        sides.append(
            {r["id"]: [b for e in r["entities"] for b in e["boxes"] or []] for r in records}
        )
    gold, told = sides
    groundings = [pair(overlaps_of(boxes, told[name], box_iou)) for name, boxes in gold.items()]
    assert sum(each.gold for each in groundings) == 1171
    both, pooled = mean_iou(groundings), mean_iou(groundings, "pooled")
    by_gold, seen = mean_iou(groundings, "pooled", "gold"), mean_iou(groundings, over="gold")
    assert both and pooled and by_gold and seen
    # The same order as the known figures of the test split: 0.519, 0.490, 0.640, 0.693.
    assert pooled < both < by_gold < seen
    perfect = [pair(overlaps_of(boxes, boxes, box_iou)) for boxes in gold.values()]
    assert mean_iou(perfect) == 1.0
