"""Boxes as models write them: every family's frame, there and back, and what is no box."""

import random
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import (
    Qwen2VLImageProcessorPil,
    smart_resize,
)

from deixis.llms.box_conventions import FAMILIES, BoxConvention, Resize, convention_of
from deixis.llms.photos import photo

pytestmark = [pytest.mark.slow, pytest.mark.extra]

QWEN_25 = FAMILIES["qwen25vl"]
# The published settings, transformers' own default, a user's limit, and Qwen3-VL's patches.
RESIZES = [
    Resize(),
    Resize(28, 56 * 56, 28 * 28 * 1280),
    Resize(28, 56 * 56, 300_000),
    Resize(32, 256 * 256, 4096 * 4096),
]


def sizes(number: int, seed: int) -> list[tuple[int, int]]:
    """Sizes of all orders of magnitude, small and large sides equally likely."""
    draw = random.Random(seed)
    found: list[tuple[int, int]] = []
    while len(found) < number:
        width, height = (round(2 ** draw.uniform(0, 13)) for _ in range(2))
        if max(width, height) <= 200 * min(width, height):  # the processors take no others
            found.append((width, height))
    return found


@pytest.mark.parametrize("resize", RESIZES)
def test_the_frame_is_that_of_the_processor_for_1000_sizes(resize: Resize) -> None:
    for width, height in sizes(1000, seed=1):
        high, wide = smart_resize(height, width, *resize)
        assert resize.frame((width, height)) == (wide, high)


def test_the_processor_itself_makes_pictures_of_that_size() -> None:
    for most in (28 * 28 * 1280, 100_000):
        eyes = Qwen2VLImageProcessorPil(size={"shortest_edge": 56 * 56, "longest_edge": most})
        for width, height in [(640, 480), (33, 500), (1, 150), (1536, 1024), (1000, 13)]:
            made = eyes(np.zeros((height, width, 3), np.uint8), return_tensors="np")
            _, rows, columns = made["image_grid_thw"][0].tolist()
            assert Resize(28, 56 * 56, most).frame((width, height)) == (columns * 14, rows * 14)


ALL = {**FAMILIES, **{f"limits{i}": BoxConvention("xyxy", each) for i, each in enumerate(RESIZES)}}


@pytest.mark.parametrize("family", ALL)
def test_a_box_goes_there_and_back_within_half_a_unit_for_1000_sizes(family: str) -> None:
    convention, draw = ALL[family], random.Random(2)
    for size in sizes(1000, seed=3):
        units = [side / count for side, count in zip(size, convention.frame(size), strict=True)]
        box = [0.0] * 4
        for axis in (0, 1):  # at least two units wide: a thinner one can round to nothing
            least = min(2 * units[axis], size[axis])
            box[axis] = draw.uniform(0, size[axis] - least)
            box[axis + 2] = draw.uniform(box[axis] + least, size[axis])
        written = convention.to_model(box, size)
        assert all(isinstance(each, int) for each in written)
        back = convention.from_model(written, size)
        assert back is not None
        for edge, (before, after) in enumerate(zip(box, back, strict=True)):
            moved, unit = abs(before - after), units[edge % 2]
            assert moved <= unit / 2 + 1e-6, "half a unit of the model's frame"
            assert moved <= max(1.0, unit), "so within one pixel of picture or frame"
        x1, y1, x2, y2 = back
        assert 0 <= x1 < x2 <= size[0] and 0 <= y1 < y2 <= size[1]


def test_each_family_writes_one_box_in_its_own_way() -> None:
    written = {name: each.to_model((160, 0, 640, 240), (640, 480)) for name, each in ALL.items()}
    assert written["qwen2vl"] == written["qwen3vl"] == [250, 0, 1000, 500]
    assert written["gemini"] == [0, 250, 500, 1000]
    assert written["qwen25vl"] == [161, 0, 644, 238], "the frame is 644 x 476"


def test_a_picture_sent_smaller_still_brings_boxes_of_the_picture() -> None:
    sent = photo(np.zeros((1000, 3001, 3), np.uint8), 1536)
    x1, y1, x2, y2 = QWEN_25.from_model(
        QWEN_25.to_model((0, 100 * sent.height / 1000, sent.width, sent.height), sent[2:4]),
        sent[2:4],
    ) or (0, 0, 0, 0)
    ratios = 3001 / sent.width, 1000 / sent.height
    assert (x1 * ratios[0], x2 * ratios[0], y2 * ratios[1]) == pytest.approx((0, 3001, 1000))
    assert y1 * ratios[1] == pytest.approx(100, abs=1000 / QWEN_25.frame(sent[2:4])[1] / 2)


@pytest.mark.parametrize(
    "bad",
    [
        *(None, "", "[1, 2, 3, 4]", 7, {}, [], [1, 2, 3], [1, 2, 3, 4, 5]),
        *([1, 2, 3, "4"], [1, 2, 3, None], [[1], 2, 3, 4], [True, 2, 30, 40]),
        *([500, 100, 100, 500], [100, 500, 500, 100], [5, 5, 5, 9], [0, 0, 0, 0]),
        *([1200, 10, 1300, 90], [-90, 10, -10, 90], [10, -90, 90, -10]),
        *([0, 0, float("nan"), 9], [0, 0, float("inf"), 9], [0, 0, 10**400, 9]),
    ],
)
@pytest.mark.parametrize("family", FAMILIES)
def test_what_is_no_box_is_none(family: str, bad: Any) -> None:
    assert FAMILIES[family].from_model(bad, (400, 300)) is None


def test_a_box_that_leaves_the_picture_is_clipped() -> None:
    assert FAMILIES["qwen2vl"].from_model([-5, 0, 1200, 500.0], (400, 300)) == (0, 0, 400, 150)


@given(st.lists(st.integers() | st.floats(), min_size=4, max_size=4), st.sampled_from(list(ALL)))
def test_numbers_of_any_size_give_a_box_inside_or_none(box: list[Any], family: str) -> None:
    found = ALL[family].from_model(box, (400, 300))
    if found is not None:
        x1, y1, x2, y2 = found
        assert 0 <= x1 < x2 <= 400 and 0 <= y1 < y2 <= 300


@pytest.mark.parametrize(
    ("spec", "family"),
    [
        ("transformers:Qwen/Qwen2-VL-7B-Instruct", "qwen2vl"),
        ("transformers:/models/Qwen2.5-VL-3B-Instruct/", "qwen25vl"),
        ("transformers:Qwen/Qwen2.5-VL-3B-Instruct@main", "qwen25vl"),
        ("openai:Qwen/Qwen2.5-VL-7B-Instruct?base_url=http://127.0.0.1:8000/v1", "qwen25vl"),
        ("ollama:qwen2.5vl:7b", "qwen25vl"),
        ("ollama:qwen3-vl:8b", "qwen3vl"),
        ("google_genai:gemini-2.5-flash", "gemini"),
        ("openai:google/gemini-2.5-pro?base_url=http://127.0.0.1:1/v1", "gemini"),
        ("transformers:llava-hf/llava-1.5-7b-hf", None),
        ("openai:gpt-5-mini", None),
        ("transformers:/home/gemini/llava", None),
        ("transformers:Qwen/Qwen2.5-7B-Instruct", None),
        ("crf", None),
    ],
)
def test_the_name_tells_the_convention(spec: str, family: str | None) -> None:
    assert convention_of(spec) == (FAMILIES[family] if family else None)


def test_the_users_limit_of_pixels_makes_the_frame_smaller() -> None:
    found = convention_of("transformers:Qwen/Qwen2.5-VL-3B-Instruct?max_pixels=100000")
    assert found == BoxConvention("xyxy", Resize(most_pixels=100_000))
    high, wide = smart_resize(480, 640, max_pixels=100_000)
    assert found.frame((640, 480)) == (wide, high) != QWEN_25.frame((640, 480))
