"""Identities in a video: values by hand, and what exchanged tracks cost."""

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deixis.errors import DataError
from deixis.evaluation.metrics.muie_grounding import grounding_sheet, score_grounding
from deixis.evaluation.metrics.muie_tracks import track_sheet
from deixis.formats.muie_rows import MuieRow
from deixis.schema import Mask

LEFT, RIGHT = (0, 0, 10, 10), (50, 0, 60, 10)
Boxes = list[tuple[float, float, float, float] | None]


def video(*tracks: Boxes, step: int = 1, id_: str = "1") -> MuieRow:
    """Return a row whose entities a, b, ... are in these boxes, frame by frame."""
    entities = [
        {
            "text": "abcdef"[number],
            "type": "x",
            "track": [
                {"frame": at * step, "regions": [{"box": box}] if box else []}
                for at, box in enumerate(boxes)
            ],
        }
        for number, boxes in enumerate(tracks)
    ]
    return MuieRow.model_validate({"id": id_, "task": "ner", "entities": entities})


def scores(gold: MuieRow, told: MuieRow) -> dict[str, float | None]:
    tracks = track_sheet([gold], [told]).plain()
    return {**grounding_sheet([gold], [told]).plain(), **tracks}


GOLD = video([LEFT] * 4, [RIGHT] * 4)


def test_a_perfect_track_is_right_in_every_score() -> None:
    found = scores(GOLD, GOLD)
    values = (found[n] for n in ("mean_iou_video", "named_iou_video", "hota", "idf1"))
    assert [*values] == pytest.approx([1, 1, 1, 1])


def test_tracks_that_change_their_things_cost() -> None:
    changed = video([LEFT, LEFT, RIGHT, RIGHT], [RIGHT, RIGHT, LEFT, LEFT])
    found = scores(GOLD, changed)
    assert found["mean_iou_video"] == 1.0  # the paper's score does not see it
    assert found["named_iou_video"] == 0.5
    # Each of the 4 pairs shares 2 of 6 detections: association 1/3, detection 1.
    assert found["hota"] == pytest.approx(math.sqrt(1 / 3))
    assert found["idf1"] == 0.5


def test_names_that_are_exchanged_throughout_cost_in_the_named_score() -> None:
    exchanged = video([RIGHT] * 4, [LEFT] * 4)
    found = scores(GOLD, exchanged)
    assert (found["mean_iou_video"], found["hota"], found["idf1"]) == (1.0, 1.0, 1.0)
    assert found["named_iou_video"] == 0.0


def test_missed_and_wrong_detections_by_hand() -> None:
    told = video([LEFT, LEFT, None, None], [], [RIGHT, None, None, None])
    found = scores(GOLD, told)
    # 3 of 8 + 3 detections are shared: 2 of a (2 of 4 + 2 - 2), 1 of the other (1 of 4 + 1 - 1).
    associated = 2 * (2 / 4) + 1 * (1 / 4)
    assert found["hota"] == pytest.approx(math.sqrt(associated / (8 + 3 - 3)))
    assert found["idf1"] == pytest.approx(2 * 3 / 11)


def test_boxes_count_up_to_the_overlap_that_they_have() -> None:
    told = video([(0, 0, 10, 5)] * 4)
    found = scores(video([LEFT] * 4), told)
    assert found["hota"] == pytest.approx(10 / 19)  # right at 0.05 to 0.5, at 0.55 to 0.95 nothing
    assert found["idf1"] == 1.0
    assert found["mean_iou_video"] == 0.5


def test_videos_add_up_and_rows_without_one_do_not_count() -> None:
    other = MuieRow.model_validate({"id": "3", "task": "ner", "text": "Ann"})
    gold = [GOLD, video([LEFT] * 8, id_="2"), other]
    told = [GOLD, video(id_="2"), other]
    found = track_sheet(gold, told).plain()
    assert found["idf1"] == pytest.approx(2 * 8 / (16 + 8))
    assert found["hota"] == pytest.approx(math.sqrt(8 / 16))
    assert track_sheet([other], [other]).plain() == {"hota": None, "idf1": None}


def test_a_thing_of_several_parts_is_one_identity() -> None:
    def of_two(*boxes: Any) -> MuieRow:
        regions = [{"box": box} for box in boxes]
        track = [{"frame": 0, "regions": regions}]
        entity = {"text": "a", "type": "x", "track": track}
        return MuieRow.model_validate({"id": "1", "task": "ner", "entities": [entity]})

    found = scores(of_two(LEFT, RIGHT), of_two(LEFT, RIGHT))
    assert (found["hota"], found["idf1"]) == (1.0, 1.0)
    found = scores(of_two(LEFT, LEFT), of_two(LEFT, LEFT))
    assert found["idf1"] == 1.0
    assert scores(of_two(LEFT, RIGHT), of_two(LEFT))["idf1"] == pytest.approx(2 / 3)


boxes = st.one_of(st.none(), st.sampled_from([LEFT, RIGHT, (2, 0, 12, 10), (48, 2, 58, 12)]))
tracks = st.lists(st.lists(boxes, min_size=3, max_size=3), max_size=3)


@given(tracks, tracks)
def test_scores_are_shares_and_the_order_of_entities_is_nothing(
    gold: list[Boxes], told: list[Boxes]
) -> None:
    found = track_sheet([video(*gold)], [video(*told)]).plain()
    assert all(value is None or 0 <= value <= 1 + 1e-12 for value in found.values())
    turned = track_sheet([video(*gold)], [video(*reversed(told))]).plain()
    assert found["idf1"] == turned["idf1"]
    itself = track_sheet([video(*gold)], [video(*gold)]).plain()
    assert itself["idf1"] in (None, 1.0)


def test_masks_of_two_sizes_are_an_error_that_names_the_row() -> None:
    def masked(height: int) -> MuieRow:
        region = {"box": LEFT, "mask": Mask(size=(height, 1), counts=chr(48 + height))}
        track = [{"frame": 0, "regions": [region]}]
        entity = {"text": "a", "type": "x", "track": track}
        return MuieRow.model_validate({"id": "9", "task": "ner", "entities": [entity]})

    with pytest.raises(DataError, match="row '9': masks of two sizes"):
        track_sheet([masked(2)], [masked(3)])
    with pytest.raises(DataError, match="row '9': masks of two sizes"):
        score_grounding([masked(2)], [masked(3)])
