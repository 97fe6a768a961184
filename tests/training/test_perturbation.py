"""GRBP: what comes of the noise, for boxes of all sizes and models of all families."""

import math
import statistics
from random import Random

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from deixis.base.boxes import Box, box_iou
from deixis.llms.box_conventions import FAMILIES, THOUSANDTHS, BoxConvention
from deixis.llms.picture_frames import Resize, Size
from deixis.training.lessons.records import Slot, in_words
from deixis.training.perturbation import PRESETS, Perturbation, grbp

PIXELS = BoxConvention(resize=Resize())
FRAMES = {
    name: family.convention
    for name, family in FAMILIES.items()
    if family.convention and (not family.convention.resize or name == "qwen25vl")
}
PAPER, RELEASED = (Perturbation.model_validate({"preset": name}) for name in PRESETS)
STRONG = Perturbation(beta=0.5, gamma=0.5, tau=0.5)
LARGE: Size = (2800, 2800)
MIDDLE: Box = (1000.0, 1200.0, 1800.0, 1600.0)


@st.composite
def boxes(draw: st.DrawFn, longest: float = 3000) -> tuple[Box, Size]:
    """A picture and a box in it, often at an edge, sometimes as large as the picture."""
    size = draw(st.tuples(st.integers(30, 3000), st.integers(30, 3000)))
    edges = []
    for side in size:
        length = draw(st.floats(1, min(side, longest)) | st.just(float(min(side, longest))))
        start = draw(st.floats(0, side - length) | st.sampled_from([0.0, side - length]))
        edges.append((start, min(start + length, side)))
    (x1, x2), (y1, y2) = edges
    return (x1, y1, x2, y2), size


def written(box: Box, size: Size, frame: BoxConvention) -> Box:
    back = frame.from_model(frame.to_model(box, size), size)
    assert back is not None
    return back


@pytest.mark.parametrize("name", FRAMES)
@pytest.mark.parametrize("how", [PAPER, RELEASED, STRONG])
@settings(deadline=None, max_examples=60)
@given(known=boxes() | boxes(longest=40), seed=st.integers(0, 10**6))
def test_a_moved_box_is_in_the_picture_and_near_the_gold_as_it_is_written(
    name: str, how: Perturbation, known: tuple[Box, Size], seed: int
) -> None:
    (box, size), frame = known, FRAMES[name]
    moved = grbp(how, seed, 0, "a", frame)(box, size)
    assert 0 <= moved[0] < moved[2] <= size[0]
    assert 0 <= moved[1] < moved[3] <= size[1]
    if moved != box:
        assert box_iou(written(moved, size, frame), box) >= how.tau


@settings(deadline=None)
@given(known=boxes() | boxes(longest=40), seed=st.integers(0, 10**6))
def test_sides_and_scales_stay_in_their_bounds(known: tuple[Box, Size], seed: int) -> None:
    box, size = known
    seen = PIXELS.resize.frame(size) if PIXELS.resize else size
    how = Perturbation(beta=0, gamma=0.9, tau=0.001, least_scale=0.7, most_scale=1.2)
    moved = grbp(how, seed, 0, "a", PIXELS)(box, size)
    assume(moved != box)
    for side in (0, 1):
        old, new = ((b[side + 2] - b[side]) * seen[side] / size[side] for b in (box, moved))
        assert max(0.7 * old, 2) - 1e-6 <= new or _at_an_edge(moved, size, side)
        assert new <= max(1.2 * old, 2) + 1e-6


def _at_an_edge(box: Box, size: Size, side: int) -> bool:
    return box[side] == 0 or box[side + 2] == size[side]


@settings(deadline=None)
@given(known=boxes(), seed=st.integers(0, 10**6))
def test_a_box_that_no_noise_leaves_near_enough_stays(known: tuple[Box, Size], seed: int) -> None:
    box, size = known
    how = Perturbation(beta=0.9, gamma=0.9, tau=1.0, tries=2)
    assert grbp(how, seed, 0, "a", BoxConvention(reference=1, decimals=12))(box, size) == box


def test_it_is_drawn_so_often_before_the_gold_box_stays() -> None:
    """With a chance p of being taken, it stays with (1 - p) to the number of tries."""
    shares = []
    for tries in (1, 3):
        how = Perturbation(beta=0.3, gamma=0.0, tau=0.6, tries=tries)
        move = grbp(how, 0, 0, "a", PIXELS)
        shares.append(sum(move(MIDDLE, LARGE) == MIDDLE for _ in range(4000)) / 4000)
    assert 0.2 < shares[0] < 0.8
    assert shares[1] == pytest.approx(shares[0] ** 3, abs=0.03)


@pytest.mark.slow
@pytest.mark.parametrize("how", [PAPER, RELEASED, Perturbation(beta=0.05, gamma=0.02)])
def test_sigma_is_what_the_strength_says(how: Perturbation) -> None:
    """Within 2% over 100,000 draws of each of the four numbers; the means are the gold's."""
    move = grbp(how, 7, 0, "a", PIXELS)
    columns = list(zip(*(_noise(move(MIDDLE, LARGE)) for _ in range(100_000)), strict=True))
    for column, strength in zip(columns, [how.beta, how.beta, how.gamma, how.gamma], strict=True):
        sigma = strength * how.spread * _after_the_cut(how.cut and how.cut / how.spread)
        assert statistics.pstdev(column) == pytest.approx(sigma, rel=0.02)
        assert abs(statistics.fmean(column)) < 0.02 * sigma
        if how.cut is None:
            beyond = sum(abs(value) > 2 * sigma for value in column) / len(column)
            assert beyond == pytest.approx(math.erfc(math.sqrt(2)), rel=0.05)
        else:
            assert max(map(abs, column)) == pytest.approx(how.cut * strength)
    for one, other in ((0, 1), (0, 2), (1, 3), (2, 3)):
        assert abs(statistics.correlation(columns[one], columns[other])) < 0.02


def _noise(box: Box) -> tuple[float, float, float, float]:
    """Say what was drawn: shifts and scales, as shares of the gold box's sides."""
    wide, high = MIDDLE[2] - MIDDLE[0], MIDDLE[3] - MIDDLE[1]
    return (
        (box[0] + box[2] - MIDDLE[0] - MIDDLE[2]) / 2 / wide,
        (box[1] + box[3] - MIDDLE[1] - MIDDLE[3]) / 2 / high,
        (box[2] - box[0]) / wide - 1,
        (box[3] - box[1]) / high - 1,
    )


def _after_the_cut(most: float | None) -> float:
    """Return sigma of a standard normal number that is set to +-most where it is beyond."""
    if most is None:
        return 1.0
    within = math.erf(most / math.sqrt(2))
    density = math.exp(-most * most / 2) / math.sqrt(2 * math.pi)
    return math.sqrt(within - 2 * most * density + most * most * (1 - within))


def test_the_released_numbers_never_meet_their_guard() -> None:
    """Shifted by 0.1 and shrunk by 0.1 along both sides is the worst that can be."""
    corners = [(s, t) for s in (-0.1, 0.0, 0.1) for t in (-0.1, 0.0, 0.1)]
    worst = min(
        box_iou(
            (0, 0, 1, 1),
            (0.5 + s - (1 + t) / 2, 0.5 + u - (1 + v) / 2, 0.5 + s + (1 + t) / 2,
             0.5 + u + (1 + v) / 2),
        )
        for s, t in corners
        for u, v in corners
    )  # fmt: skip
    assert worst == pytest.approx(0.664, abs=0.001)
    assert worst > RELEASED.tau


@pytest.mark.parametrize("frame", [PIXELS, THOUSANDTHS])
def test_small_boxes_are_moved_half_as_far_as_released(frame: BoxConvention) -> None:
    """31 x 32 pixels are small, 32 x 32 are not; one below the least side stays."""
    sigmas = [_sigma((100.0, 100.0, 100.0 + wide, 132.0), frame) for wide in (31, 32)]
    assert sigmas[0] == pytest.approx(sigmas[1] / 2, rel=0.1)
    narrow = (100.0, 100.0, 101.9, 400.0)
    assert grbp(RELEASED, 0, 0, "a", frame)(narrow, (560, 560)) == narrow


def _sigma(box: Box, frame: BoxConvention) -> float:
    move = grbp(RELEASED, 0, 0, "a", frame)
    centres = [(m[1] + m[3]) / 2 for m in (move(box, (560, 560)) for _ in range(4000))]
    return statistics.pstdev(centres)


def test_small_is_what_is_small_where_the_model_looks() -> None:
    """A box of 60 x 60 in a picture that is halved has 30 x 30 pixels left."""
    halved = BoxConvention(resize=Resize(most_pixels=560 * 560))
    box, size = (500.0, 500.0, 560.0, 560.0), (1120, 1120)
    sigmas = []
    for frame in (halved, PIXELS):
        move = grbp(RELEASED, 0, 0, "a", frame)
        sigmas.append(statistics.pstdev([sum(move(box, size)[::2]) for _ in range(4000)]))
    assert sigmas[0] == pytest.approx(sigmas[1] / 2, rel=0.1)


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 10**6), st.integers(0, 100), st.sampled_from(["a", "1 2", "é"]))
def test_the_same_lesson_moves_alike_whatever_came_before(
    seed: int, epoch: int, lesson: str
) -> None:
    answer = ("a|PER|", Slot(box=MIDDLE), "; b|ORG|", Slot(box=MIDDLE))

    def text(epoch: int, lesson: str, seed: int = seed) -> str:
        return in_words(answer, PIXELS, [LARGE], grbp(PAPER, seed, epoch, lesson, PIXELS))

    first = text(epoch, lesson)
    Random(3).random()
    others = [text(epoch + 1, lesson), text(epoch, f"{lesson}2"), text(epoch, lesson, seed + 1)]
    assert text(epoch, lesson) == first
    assert first not in others
    one, other = (piece.partition("|")[2] for piece in first.split("; "))
    assert one.removeprefix("PER") != other.removeprefix("ORG")


def test_no_strength_writes_the_gold() -> None:
    still = grbp(Perturbation(beta=0, gamma=0), 0, 0, "a", PIXELS)
    assert written(still(MIDDLE, LARGE), LARGE, PIXELS) == written(MIDDLE, LARGE, PIXELS)


@pytest.mark.parametrize(
    "wrong",
    [
        {"beta": 1},
        {"gamma": -0.1},
        {"tau": 0},
        {"tries": 0},
        {"least_side": 0},
        {"cut": 0},
        {"preset": "ours"},
        {"preset": []},
        {"delta": 1},
    ],
)
def test_a_number_out_of_range_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Perturbation.model_validate(wrong)


def test_a_preset_is_where_the_rest_comes_from() -> None:
    mine = Perturbation.model_validate({"preset": "released", "beta": 0.05})
    assert (mine.beta, mine.gamma, mine.cut) == (0.05, 0.1, 1.0)
    assert Perturbation.model_validate(mine.model_dump()) == mine
    assert Perturbation() == PAPER
