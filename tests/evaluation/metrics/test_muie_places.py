"""Where things of MUIE are: several pictures, triggers in speech, frames that were not followed."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deixis.evaluation.metrics.muie_grounding import grounding_sheet, score_grounding
from deixis.evaluation.metrics.muie_places import Held, on_frames
from deixis.formats.muie_rows import MuieRow
from deixis.rows import RowRegion


def row(task: str = "ner", **fields: Any) -> MuieRow:
    return MuieRow.model_validate({"id": "1", "task": task, **fields})


def thing(text: str, **places: Any) -> dict[str, Any]:
    return {"text": text, "type": "x", **places}


def region(x: float, image: int = 0) -> dict[str, Any]:
    return {"box": (x, 0, x + 10, 10), "image": image}


def held(x: float, holder: int = 0) -> Held:
    return Held(holder, RowRegion(box=(x, 0, x + 10, 10)))


def lefts(*frames: int, **told: Any) -> list[list[float]]:
    units = {int(name[1:]): value for name, value in told.items()}
    found = on_frames(units, frames)
    return [
        [each.place.box[0] for each in found[frame] if isinstance(each.place, RowRegion)]
        for frame in frames
    ]


def test_places_of_several_pictures_are_paired_picture_by_picture() -> None:
    gold = row(entities=[thing("a", regions=[region(0), region(0, 1)])])
    exchanged = row(entities=[thing("a", regions=[region(0), region(50, 1)])])
    assert score_grounding([gold], [gold]).image == 1.0
    assert score_grounding([gold], [exchanged]).image == 0.5
    # In one picture both would be right; in the other nothing is.
    heaped = row(entities=[thing("a", regions=[region(0), region(0)])])
    assert score_grounding([gold], [heaped]).image == pytest.approx((0.5 + 0) / 2)


def test_triggers_count_where_they_are_heard() -> None:
    def said(*spans: tuple[float, float]) -> MuieRow:
        trigger = {"text": "fired", "spans": spans}
        entity = thing("Ann", spans=[(0, 1)])
        return row("ee", entities=[entity], events=[{"type": "Attack", "trigger": trigger}])

    assert score_grounding([said((2, 3))], [said((2, 3))]).audio == 1.0
    assert score_grounding([said((2, 3))], [said()]).audio == 0.5
    assert score_grounding([said((2, 4))], [said((2, 3))]).audio == 0.75


def test_pairs_of_two_names_are_not_the_same_in_the_named_score() -> None:
    gold = row(
        text="Ann met Bo", entities=[thing("Ann", spans=[(0, 1)]), thing("Bo", spans=[(2, 3)])]
    )
    told = row(
        text="Ann met Bo", entities=[thing("Bo", spans=[(0, 1)]), thing("ann", spans=[(2, 3)])]
    )
    found = grounding_sheet([gold], [told]).plain()
    assert (found["mean_iou_audio"], found["named_iou_audio"]) == (1.0, 0.0)
    assert score_grounding([gold], [told], named=True).audio == 0.0
    assert score_grounding([gold], [gold], named=True).audio == 1.0
    half = row(
        text="Ann met Bo", entities=[thing("Ann", spans=[(0, 1)]), thing("x", spans=[(2, 3)])]
    )
    assert grounding_sheet([gold], [half]).plain()["named_iou_audio"] == 0.5


def test_a_medium_in_which_nobody_looked_does_not_count() -> None:
    told = row(entities=[thing("a", regions=[region(0)], spans=[(0, 1)])])
    unknown, absent = row(entities=[thing("a")]), row(entities=[thing("a", regions=[], spans=[])])
    assert score_grounding([unknown], [told]) == (None, None, None)
    assert score_grounding([absent], [told]) == (0.0, None, 0.0)


def test_of_a_video_in_which_the_gold_has_nothing_the_frames_are_those_told() -> None:
    track = [{"frame": 3, "regions": [region(0)]}]
    gold, told = row(entities=[thing("a", track=[])]), row(entities=[thing("a", track=track)])
    assert score_grounding([gold], [told]).video == 0.0


def test_between_two_frames_a_box_goes_straight() -> None:
    assert lefts(0, 2, 5, 10, f0=[held(0)], f5=[held(10)], f10=[held(20)]) == [[0], [4], [10], [20]]


def test_a_thing_in_one_of_two_frames_is_there_in_the_nearer_half() -> None:
    told = {"f0": [held(0), held(50, 1)], "f10": [held(20)], "f20": [held(40)]}
    assert lefts(4, 6, **told) == [[8, 50], [12]]


def test_of_a_thing_in_several_parts_the_nearer_frame_counts() -> None:
    told = {"f0": [held(0), held(50)], "f10": [held(20), held(70)]}
    assert lefts(4, 6, **told) == [[0, 50], [20, 70]]


def test_a_gap_is_not_bridged() -> None:
    told = {f"f{at}": [held(at)] for at in (0, 5, 10, 40, 45, 50)}
    # 4 frames after the last that was followed it holds still; 5 after it, nobody knows.
    assert lefts(14, 15, 25, 36, 54, 55, **told) == [[10], [], [], [40], [50], []]


def test_a_frame_that_was_looked_at_in_vain_has_nothing() -> None:
    assert lefts(5, 4, 6, f0=[held(0)], f5=[], f10=[held(20)]) == [[], [], []]
    assert lefts(2, 8, f0=[held(0)], f5=[], f10=[held(20)]) == [[0], [20]]


def test_nothing_told_is_nothing_anywhere() -> None:
    assert lefts(0, 7) == [[], []]
    assert lefts(3, 4, f3=[held(1)]) == [[1], []]


@given(st.integers(1, 9), st.integers(3, 9), st.lists(st.integers(0, 30), min_size=1, unique=True))
def test_a_thing_that_goes_straight_is_right_whatever_frames_were_followed(
    step: int, number: int, frames: list[int]
) -> None:
    def track(*at: int) -> MuieRow:
        seen = [{"frame": frame, "regions": [region(2 * frame)]} for frame in at]
        return row(entities=[thing("a", track=seen)])

    followed = range(0, step * number, step)
    inside = [frame for frame in frames if frame <= followed[-1]] or [0]
    score = score_grounding([track(*inside)], [track(*followed)]).video
    assert score == pytest.approx(1.0)


things = st.lists(
    st.builds(
        thing,
        st.sampled_from(["Ann", "Bo"]),
        regions=st.lists(st.builds(region, st.integers(0, 20), st.integers(0, 1)), max_size=2),
        spans=st.lists(st.integers(0, 5).map(lambda start: (start, start + 2)), max_size=2),
        track=st.lists(
            st.builds(
                lambda frame, x: {"frame": frame, "regions": [region(x)]},
                st.integers(0, 4),
                st.integers(0, 20),
            ),
            max_size=3,
            unique_by=lambda frame: frame["frame"],
        ),
    ),
    max_size=3,
)


@given(things, things, things, things)
def test_sums_over_rows_are_the_score(one: Any, two: Any, told: Any, other: Any) -> None:
    gold = [row(entities=one), row(entities=two)]
    predicted = [row(entities=told), row(entities=other)]
    found = grounding_sheet(gold, predicted).plain()
    for kind, named in (("mean", False), ("named", True)):
        whole = score_grounding(gold, predicted, named=named)
        for medium, value in whole._asdict().items():
            assert found[f"{kind}_iou_{medium}"] == (
                value if value is None else pytest.approx(value)
            )
    for medium in ("image", "video", "audio"):
        mean, own = found[f"mean_iou_{medium}"], found[f"named_iou_{medium}"]
        assert mean is None or own is None or own <= mean + 1e-12
