"""The page of reliability diagrams: dots where they belong, and no trust in names."""

from collections.abc import Callable

import pytest

from deixis.base.curves import Curve
from deixis.evaluation.calibration import Part, Reliability
from deixis.evaluation.pages.calibration_page import SIDE, calibration_page, dots

EVIL = "<script>alert(1)</script>"
BEFORE = Reliability(0.7, 0.2, ((30, 0.25, 0.0), (10, 0.75, 1.0)))
AFTER = Reliability(0.8, 0.05, ((40, 0.3, 0.25),))


def test_dots_stand_where_they_were_measured() -> None:
    often, seldom = dots(BEFORE)
    assert (often.x, often.y) == (SIDE / 4, SIDE), "nothing of it is shown: at the bottom"
    assert (seldom.x, seldom.y) == (SIDE * 3 / 4, 0), "all of it is: at the top"
    assert (often.radius - 2) ** 2 == pytest.approx(3 * (seldom.radius - 2) ** 2)


def test_the_page(tags_of: Callable[[str], list[str]]) -> None:
    parts = [
        Part(EVIL, "*", 40, 10, Curve(a=0.5, b=-0.25, threshold=0.45), True, BEFORE, AFTER),
        Part(EVIL, "PER", 40, 10, None, False, BEFORE, None),
    ]
    page = calibration_page(EVIL, EVIL, parts, [EVIL])
    tags = tags_of(page)
    assert EVIL not in page and "script" not in tags
    assert tags.count("svg") == 2 and tags.count("circle") == 5
    assert "error 0.200 as stated, 0.050 after the curve" in page
    assert "none: too few" in page and "0.450" in page
