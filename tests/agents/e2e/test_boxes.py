"""Boxes of E2E-GMNER's answers: brought to the picture, and settled over passes."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deixis.agents.e2e.boxes import fused, to_picture
from deixis.llms.box_conventions import THOUSANDTHS
from deixis.llms.photos import Photo

PICTURE = {"width": 1200, "height": 600}
PHOTO = Photo(b"", "", 600, 300)
ONE, NEAR, FAR = (0.0, 0.0, 100.0, 100.0), (0.0, 0.0, 100.0, 80.0), (300.0, 0.0, 400.0, 100.0)


@pytest.mark.parametrize(
    ("box", "wanted"),
    [
        ((0, 0, 500, 1000), (0, 0, 600, 600)),
        ((250, 500, 1200, 1000), (300, 300, 1200, 600)),  # clipped
        ((500, 0, 100, 100), "inverted"),
        ((0, 500, 100, 100), "inverted"),
        ((7, 0, 7, 100), "without area"),
        ((1100, 0, 1300, 100), "outside the picture"),
        ((-50, -50, -1, -1), "outside the picture"),
        ((0, 0, 1e12, 100), "outside the picture"),
    ],
)
def test_a_box_comes_to_the_picture_or_has_a_fault(box: Any, wanted: Any) -> None:
    assert to_picture(box, THOUSANDTHS, PHOTO, PICTURE) == wanted


@pytest.mark.parametrize(
    ("passes", "boxes", "shares"),
    [
        ([[ONE]], [ONE], [1.0]),
        ([[]], [], []),
        ([None], None, []),
        ([[ONE], [NEAR]], [(0, 0, 100, 90)], [1.0]),
        ([[ONE], [ONE], [FAR]], [ONE], [2 / 3]),
        ([[ONE], [FAR]], None, []),  # one word against another
        ([[ONE], []], None, []),
        ([[ONE], [], []], [], []),
        ([[ONE], [NEAR], []], [(0, 0, 100, 90)], [2 / 3]),
        ([[ONE], [NEAR], [], []], None, []),
        ([[ONE], None, None], [ONE], [1.0]),  # what says nothing usable has no vote
        ([[FAR, ONE], [NEAR, FAR], [FAR]], [FAR, (0, 0, 100, 90)], [1.0, 2 / 3]),
        ([[ONE, NEAR]], [ONE, NEAR], [1.0, 1.0]),  # two things of one pass stay two, in its order
    ],
)
def test_what_most_passes_say_holds(passes: Any, boxes: Any, shares: list[float]) -> None:
    found = fused(passes)
    assert found.boxes == boxes
    assert found.shares == pytest.approx(shares)


def test_a_box_is_compared_with_the_mean_of_a_cluster() -> None:
    """The third has 0.5 with the first, 0.71 with the mean of the first two."""
    passes = [[(0.0, 0.0, 100.0, height)] for height in (100.0, 60.0, 50.0)]
    assert fused(passes[:1] + passes[2:]).boxes is None
    assert fused(passes).boxes == [(0.0, 0.0, 100.0, 70.0)]


def test_the_evidence_is_a_sentence() -> None:
    assert fused([[ONE], [], None]).reason.startswith(
        "1 of 3 passes that name it point at it, 1 say"
    )
    assert "no place is that of most" in fused([[ONE], [FAR]]).reason
    assert fused([None]).reason == "nothing usable was said of where it is"


box = st.tuples(*[st.floats(0, 50)] * 2, *[st.floats(51, 100)] * 2)


@given(st.lists(st.none() | st.lists(box, max_size=3), min_size=1, max_size=7))
def test_any_votes_are_settled(passes: Any) -> None:
    found = fused(passes)
    assert len(found.boxes or []) == len(found.shares)
    assert all(0.5 < share <= 1.0 for share in found.shares)
    for x1, y1, x2, y2 in found.boxes or []:
        assert 0 <= x1 <= 50 < x2 <= 100 and 0 <= y1 <= 50 < y2 <= 100
