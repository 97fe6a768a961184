"""Patches that a user gives: what is taken, what is refused, and for how long they hold."""

from typing import Any

import numpy as np
import pytest

from deixis.agents.context.patches import MOST, checked_patches, letter
from deixis.agents.context.state import OVERWRITE
from deixis.agents.open import open_sample
from deixis.errors import InputError

BOX = [1, 2, 30, 20.5]


def test_boxes_get_the_letters_of_their_places() -> None:
    found = checked_patches([BOX, (0, 0, 5, 5)])
    assert found == [
        {"letter": "a", "box": [1.0, 2.0, 30.0, 20.5]},
        {"letter": "b", "box": [0.0, 0.0, 5.0, 5.0]},
    ]
    assert checked_patches(found) == found
    assert checked_patches(None) is None and checked_patches([]) == []
    many = checked_patches([BOX] * MOST)
    assert many is not None and [many[n]["letter"] for n in (25, 26, 27, -1)] == [
        *("z", "aa", "ab", "zz")
    ]
    assert letter(1) == "b"


def test_rows_of_m_mre_keep_their_letters_and_lose_the_gold() -> None:
    given = [{"letter": "c", "box": BOX, "entity": "Ann"}, {"letter": "a", "box": BOX}]
    assert checked_patches(given) == [
        {"letter": "c", "box": BOX},
        {"letter": "a", "box": BOX},
    ]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("a", "patches must be a list of at most 702 boxes"),
        ({"a": BOX}, "must be a list"),
        (5, "must be a list"),
        ([BOX] * (MOST + 1), "at most 702"),
        ([[1, 2, 3]], "patches.0.box.3: Field required"),
        ([BOX, 7], "patches.1.box"),
        ([BOX, None], "patches.1.box"),
        ([[1, 2, "x", 4]], "patches.0.box.2"),
        ([[1, 2, float("nan"), 4]], "patches.0.box.2"),
        ([[1, 2, float("inf"), 4]], "patches.0.box.2"),
        ([[5, 2, 5, 4]], "a box needs x1 < x2 and y1 < y2; got (5.0"),
        ([[5, 4, 6, 2]], "a box needs x1 < x2 and y1 < y2"),
        ([{"box": BOX}], "patches.0.letter: Field required"),
        ([{"letter": "A", "box": BOX}], "patches.0.letter"),
        ([{"letter": "abc", "box": BOX}], "patches.0.letter"),
        ([{"letter": "a"}], "patches.0.box: Field required"),
        ([BOX, {"letter": "a", "box": BOX}], "stands twice: a, a"),
    ],
)
def test_what_is_no_patch_is_refused(given: Any, said: str) -> None:
    with pytest.raises(InputError) as caught:
        checked_patches(given)
    assert said in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.extra
def test_open_hands_them_on_and_says_which_leave_the_picture(toolbox_of: Any) -> None:
    image = np.zeros((30, 40, 3), dtype=np.uint8)
    given = [[0, 0, 40, 30], [-1, 0, 9, 9], [30, 20, 41, 31]]
    update = open_sample({"text": "Ann", "image": image, "patches": given}, toolbox_of())
    notes = update["notes"][OVERWRITE]
    assert [each["box"] for each in notes["given_patches"]] == given
    (notice,) = update["notices"][OVERWRITE].values()
    assert notice == {
        "step": "open",
        "message": "cut to the picture: patch b, c",
        "kind": "degraded",
    }
    unsaid = open_sample({"text": "Ann", "image": image}, toolbox_of())
    assert unsaid["notes"][OVERWRITE] == {} == unsaid["notices"][OVERWRITE]
    empty = open_sample({"text": "Ann", "image": None, "patches": []}, toolbox_of())
    assert empty["notes"][OVERWRITE] == {"given_patches": []}


@pytest.mark.extra
@pytest.mark.parametrize(
    ("box", "said"),
    [
        ([40, 0, 50, 9], "patch 'a', [40.0, 0.0, 50.0, 9.0], is outside of the picture"),
        ([0, 30, 9, 60], "which is 40 x 30"),
        ([-9, 0, 0, 9], "is outside"),
        ([0, -9, 9, 0], "is outside"),
    ],
)
def test_a_patch_outside_is_refused(toolbox_of: Any, box: Any, said: str) -> None:
    image = np.zeros((30, 40, 3), dtype=np.uint8)
    with pytest.raises(InputError) as caught:
        open_sample({"text": "Ann", "image": image, "patches": [box]}, toolbox_of())
    assert said in str(caught.value)


@pytest.mark.extra
def test_patches_without_a_picture_are_refused(toolbox_of: Any) -> None:
    with pytest.raises(InputError, match="no picture that they could be cut from"):
        open_sample({"text": "Ann", "image": None, "patches": [BOX]}, toolbox_of())
