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

from deixis.errors import SettingsError
from deixis.llms.box_conventions import (
    FAMILIES,
    BoxConvention,
    convention_of,
    family_named,
    why_unknown,
)
from deixis.llms.photos import photo
from deixis.llms.picture_frames import Resize, Shrink, Size

pytestmark = [pytest.mark.slow, pytest.mark.extra]

KNOWN = {name: family.convention for name, family in FAMILIES.items() if family.convention}
QWEN_25 = KNOWN["qwen25vl"]
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


@pytest.mark.parametrize(
    ("tier", "size", "seen"),
    [  # the examples of Claude's documentation, and what keeps its size
        (Shrink(2576, 4784), (3840, 2160), (2576, 1449)),
        (Shrink(1568, 1568), (1920, 1080), (1456, 819)),
        (Shrink(1568, 1568), (1075, 1520), (924, 1307)),
        (Shrink(1568, 1568), (1092, 1092), (1092, 1092)),
        (Shrink(1568, 1568), (10_000, 3), (1568, 1)),
    ],
)
def test_claude_sees_a_picture_of_the_documented_size(tier: Shrink, size: Size, seen: Size) -> None:
    assert tier.frame(size) == seen


ALL = {
    **KNOWN,
    "older claude": BoxConvention(resize=Shrink(1568, 1568)),
    **{f"limits{i}": BoxConvention("xyxy", each) for i, each in enumerate(RESIZES)},
}


@pytest.mark.parametrize("family", ALL)
def test_a_box_goes_there_and_back_within_half_a_unit_for_1000_sizes(family: str) -> None:
    convention, draw = ALL[family], random.Random(2)
    for size in sizes(1000, seed=3):
        units = [each / 10**convention.decimals for each in convention._units(size)]
        box = [0.0] * 4
        for axis in (0, 1):  # at least two units wide: a thinner one can round to nothing
            least = min(2 * units[axis], size[axis])
            box[axis] = draw.uniform(0, size[axis] - least)
            box[axis + 2] = draw.uniform(box[axis] + least, size[axis])
        written = convention.to_model(box, size)
        assert all(isinstance(each, float if convention.decimals else int) for each in written)
        back = convention.from_model(written, size)
        if back is None:  # only where a side of the picture is shorter than what a digit counts
            assert convention.padded and min(size) < 3 * max(units)
            continue
        for edge, (before, after) in enumerate(zip(box, back, strict=True)):
            most = 1.0 if family == "paligemma" else 0.5  # its last bin has no far edge
            assert abs(before - after) <= units[edge % 2] * most + 1e-6
        x1, y1, x2, y2 = back
        assert 0 <= x1 < x2 <= size[0] and 0 <= y1 < y2 <= size[1]


WRITTEN = {
    "qwen2vl": [250, 0, 1000, 500],
    "qwen3vl": [250, 0, 1000, 500],
    "internvl": [250, 0, 1000, 500],
    "gemini": [0, 250, 500, 1000],
    "qwen25vl": [161, 0, 644, 238],  # the frame is 644 x 476
    "claude": [160, 0, 640, 240],
    "llava": [0.25, 0.12, 1.0, 0.5],  # of a square with a band of 80 pixels above and below
    "florence2": [250, 0, 999, 500],
    "paligemma": [0, 256, 512, 1023],
    "gpt": None,
}


@pytest.mark.parametrize("family", FAMILIES)
def test_each_family_writes_one_box_in_its_own_way(family: str) -> None:
    """The table of all families: what is written for the right half, above the middle."""
    convention, expected = FAMILIES[family].convention, WRITTEN[family]
    assert FAMILIES[family].source
    if convention is None:
        assert expected is None
    else:
        assert convention.to_model((160, 0, 640, 240), (640, 480)) == expected
        assert convention.number == ("number" if family == "llava" else "integer")


@pytest.mark.parametrize(
    ("family", "form"),
    [
        ("qwen2.5-vl", "[x1, y1, x2, y2], whole pixels"),
        ("internvl", "[x1, y1, x2, y2], whole numbers from 0 to 1000"),
        ("gemini", "[y1, x1, y2, x2], whole numbers from 0 to 1000"),
        ("paligemma", "[y1, x1, y2, x2], whole numbers from 0 to 1023"),
        ("florence-2", "[x1, y1, x2, y2], whole numbers from 0 to 999"),
        ("llava", "[x1, y1, x2, y2], numbers from 0 to 1 with 2 decimals"),
        ("claude", "[x1, y1, x2, y2], whole pixels"),
    ],
)
def test_a_box_is_asked_for_in_words(family: str, form: str) -> None:
    found = family_named(family).convention
    assert found is not None and found.form == form


def test_what_is_written_is_read_as_the_makers_read_it() -> None:
    """Florence-2 at the middle of a bin, PaliGemma at its edge, LLaVA without the padding."""
    size = (1000, 500)
    assert KNOWN["florence2"].from_model([0, 0, 999, 999], size) == (0.5, 0.25, 999.5, 499.75)
    assert KNOWN["paligemma"].from_model([0, 512, 1023, 768], size) == (
        500,
        0,
        750,
        1023 * 500 / 1024,
    )
    assert KNOWN["llava"].from_model([0.0, 0.25, 0.5, 0.5], size) == (0, 0, 500, 250)
    assert KNOWN["llava"].from_model([0.0, 0.0, 1.0, 0.25], size) is None, "all of it is padding"


def test_a_picture_sent_smaller_still_brings_boxes_of_the_picture() -> None:
    sent = photo(np.zeros((1000, 3001, 3), np.uint8), 1536)
    x1, y1, x2, y2 = QWEN_25.from_model(
        QWEN_25.to_model((0, 100 * sent.height / 1000, sent.width, sent.height), sent[2:4]),
        sent[2:4],
    ) or (0, 0, 0, 0)
    ratios = 3001 / sent.width, 1000 / sent.height
    assert (x1 * ratios[0], x2 * ratios[0], y2 * ratios[1]) == pytest.approx((0, 3001, 1000))
    assert y1 * ratios[1] == pytest.approx(100, abs=1000 / Resize().frame(sent[2:4])[1] / 2)


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
@pytest.mark.parametrize("family", KNOWN)
def test_what_is_no_box_is_none(family: str, bad: Any) -> None:
    assert KNOWN[family].from_model(bad, (400, 300)) is None


def test_a_box_that_leaves_the_picture_is_clipped() -> None:
    assert KNOWN["qwen2vl"].from_model([-5, 0, 1200, 500.0], (400, 300)) == (0, 0, 400, 150)


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
        ("transformers:OpenGVLab/InternVL3_5-8B-HF", "internvl"),
        ("openai:google/paligemma2-3b-mix-448?base_url=http://127.0.0.1:1/v1", "paligemma"),
        ("openai:microsoft/Florence-2-large?base_url=http://127.0.0.1:1/v1", "florence2"),
        ("anthropic:claude-opus-4-7", "claude"),
        ("transformers:/my/weights?family=qwen2.5-vl", "qwen25vl"),
        ("transformers:/my/weights?family=QWEN25VL&dtype=float32", "qwen25vl"),
        ("openai:Qwen2-VL?family=gemini&base_url=http://127.0.0.1:1/v1", "gemini"),
        ("transformers:/my/llava?family=llava", "llava"),
        ("openai:gemini-2.5?family=gpt", None),
        ("transformers:Qwen/Qwen2.5-7B-Instruct", None),
        ("crf", None),
    ],
)
def test_the_name_tells_the_convention(spec: str, family: str | None) -> None:
    assert convention_of(spec) == (FAMILIES[family].convention if family else None)


def test_the_users_limit_of_pixels_makes_the_frame_smaller() -> None:
    found = convention_of("transformers:Qwen/Qwen2.5-VL-3B-Instruct?max_pixels=100000")
    assert found == BoxConvention("xyxy", Resize(most_pixels=100_000))
    high, wide = smart_resize(480, 640, max_pixels=100_000)
    assert found.resize and found.resize.frame((640, 480)) == (wide, high) != (644, 476)
    found = convention_of("transformers:/a?family=qwen25vl&min_pixels=200704&max_pixels=802816")
    assert found == BoxConvention("xyxy", Resize(28, 200_704, 802_816))
    high, wide = smart_resize(150, 200, min_pixels=200_704, max_pixels=802_816)
    assert found.resize and found.resize.frame((200, 150)) == (wide, high) == (532, 392)


@pytest.mark.parametrize(
    ("name", "older"),
    [
        ("claude-3-5-sonnet-20241022", True),
        ("claude-sonnet-4-20250514", True),
        ("anthropic.claude-haiku-4-5-20251001-v1:0", True),
        ("claude-opus-4.6", True),
        ("claude-opus-4-7", False),
        ("claude-sonnet-5", False),
        ("claude-opus-latest", False),
    ],
)
def test_older_claudes_see_smaller_pictures(name: str, older: bool) -> None:
    found = convention_of(f"anthropic:{name}")
    assert found is not None and found.resize == Shrink(*((1568, 1568) if older else (2576, 4784)))


def test_a_family_that_is_not_known_has_a_near_name() -> None:
    with pytest.raises(SettingsError, match=r"no family 'qwen2.5-lv' \(did you mean 'qwen2.5-vl'"):
        convention_of("transformers:/my/weights?family=qwen2.5-lv")


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ("openai:mine", "name its family in its spec, such as ?family=qwen2.5-vl"),
        ("openai:gpt-5-mini", "OpenAI documents no convention"),
        ("openai:mine?family=gpt", "OpenAI documents no convention"),
        ("transformers:llava-hf/llava-1.5-7b-hf", "if it pads, say so: ?family=llava"),
    ],
)
def test_why_nothing_is_known_is_said(spec: str, said: str) -> None:
    assert convention_of(spec) is None
    words = why_unknown(spec)
    assert words.startswith(f"it is not known how {spec} writes boxes") and said in words
