"""When two boxes show one thing: they are at one place, or one is a part of the other."""

import numpy as np
import pytest

from deixis.agents.main.ground import parts
from deixis.agents.main.places import Places
from deixis.base.boxes import box_iou
from deixis.tools.base import Detection

LEFT, RIGHT = (0.0, 0.0, 80.0, 300.0), (200.0, 0.0, 280.0, 300.0)


def test_boxes_of_one_thing_have_one_key() -> None:
    near = (2.0, 0.0, 82.0, 298.0)
    found = [Detection("a", each, 0.5) for each in (near, RIGHT, RIGHT, (0.0, 0.0, 400.0, 300.0))]
    seen = {"id": "o1", "label": "person", "box": list(LEFT), "score": 0.8}
    places = Places([seen])
    keys = [places.key(each.box) for each in found]
    assert keys[0] == "o1" and keys[1] == keys[2] and len(set(keys)) == 3
    assert box_iou(LEFT, RIGHT) == 0.0 and box_iou(LEFT, LEFT) == 1.0
    assert box_iou((0, 0, 2, 2), (1, 0, 3, 2)) == pytest.approx(1 / 3)


def test_what_is_a_part_of_another() -> None:
    whole, head, beside = [0.0, 0.0, 80.0, 300.0], [10.0, -10.0, 40.0, 40.0], [60, 0, 140, 300]
    found = parts(np.array([whole, head, beside], dtype=float))
    assert found.tolist() == [[True, True, False], [True, True, False], [False, False, True]]
