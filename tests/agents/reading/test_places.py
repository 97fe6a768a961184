"""Where something is, as models write it in words and in JSON."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deixis.agents.reading.places import where

ONE = [(1.0, 2.0, 3.0, 4.0)]
TWO = [*ONE, (5.0, 6.0, 7.0, 8.0)]


@pytest.mark.parametrize(
    ("said", "boxes"),
    [
        ([1, 2, 3, 4], ONE),
        ([[1, 2, 3, 4]], ONE),
        ([[1, 2], [3, 4]], ONE),
        ([[1, 2, 3, 4], [5, 6, 7, 8]], TWO),
        ([1, 2, 3, 4, 5, 6, 7, 8], TWO),
        ([[1, 2, 3, 4], [9, 9]], ONE),
        ({"x1": 1, "y1": 2, "x2": 3, "y2": 4}, ONE),
        ({"xmin": 1, "ymin": 2, "xmax": 3, "ymax": 4}, ONE),
        ({"bbox_2d": [1, 2, 3, 4], "label": "Ann"}, ONE),
        ([{"box": [1, 2, 3, 4]}, {"box": [5, 6, 7, 8]}], TWO),
        ("[1, 2, 3, 4]", ONE),
        ("(1, 2), (3, 4)", ONE),
        ("x1: 1, y1: 2, x2: 3, y2: 4", ONE),
        ("<box>1 2 3 4</box>", ONE),
        ("(1, 2, 3, 4) and (5, 6, 7, 8)", TWO),
        ("(100%, 200%, 300%, 400%)", ONE),
        (None, []),
        ([], []),
        ([None], []),
        ("None", []),
        ("null.", []),
        ("not visible in the image", []),
        ("it is not to be seen", []),
        ("n/a", []),
        ("-", []),
        ("", None),
        ("left", None),
        ("at the left, near 1, 2, 3 or 4", None),
        ("1, 2, 3", None),
        ([1, 2, 3], None),
        ([1, 2, 3, "4"], None),
        ([1, 2, 3, True], None),
        ([1, 2, 3, float("nan")], None),
        ([1, 2, 3, 10**400], None),
        ("1, 2, 3, 4e999", None),
        (True, None),
        (7, None),
        ({"left": "there"}, None),
    ],
)
def test_boxes_are_read_as_they_are_written(said: Any, boxes: Any) -> None:
    assert where(said) == boxes


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["box", "x1", "a"]), inner),
)


@given(JSON)
def test_nothing_that_is_said_raises(said: Any) -> None:
    boxes = where(said)
    assert boxes is None or all(len(box) == 4 for box in boxes)
