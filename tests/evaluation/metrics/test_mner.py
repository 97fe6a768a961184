import math

import pytest

from deixis.evaluation.metrics.mner import (
    Score,
    correct_flags,
    expected_calibration_error,
    score_mentions,
)

ADA, PARIS, PARIS_ORG = ("Ada", "PER"), ("Paris", "LOC"), ("Paris", "ORG")


def test_counts_are_multisets_within_a_sample() -> None:
    scores = score_mentions([[ADA, ADA, PARIS]], [[ADA, ADA, ADA, PARIS_ORG]])
    assert scores["all"] == Score(correct=2, predicted=4, gold=3)
    assert scores["PER"] == Score(2, 3, 2)
    assert scores["LOC"] == Score(0, 0, 1)
    assert scores["ORG"] == Score(0, 1, 0)


def test_no_match_across_samples_or_cases() -> None:
    assert score_mentions([[ADA], [PARIS]], [[PARIS], [ADA]])["all"].correct == 0
    assert score_mentions([[ADA]], [[("ada", "PER")]])["all"].correct == 0


def test_shares() -> None:
    score = Score(correct=2, predicted=4, gold=3)
    assert score.precision == 0.5
    assert score.recall == pytest.approx(2 / 3)
    assert score.f1 == pytest.approx(4 / 7)
    assert Score(0, 0, 0) == score_mentions([], [])["all"]
    assert Score(0, 0, 0).f1 == Score(0, 0, 0).precision == Score(0, 0, 0).recall == 0.0


def test_lengths_must_agree() -> None:
    with pytest.raises(ValueError, match="1 gold samples but 0"):
        score_mentions([[]], [])


def test_flags_spend_gold_once() -> None:
    assert correct_flags([ADA, PARIS], [ADA, ADA, PARIS_ORG, PARIS]) == [True, False, False, True]


def test_calibration_error_by_hand() -> None:
    # Bin 0.9..1: two of three right at a mean of 0.95; bin 0.2..0.3: none of one at 0.25.
    error = expected_calibration_error([0.95, 0.9, 1.0, 0.25], [1, 1, 0, 0])
    assert error == pytest.approx((3 * abs(2 / 3 - 0.95) + 0.25) / 4)
    assert expected_calibration_error([], []) == 0.0
    assert expected_calibration_error([0.5, 0.5], [True, False]) == 0.0


@pytest.mark.parametrize("bad", [-0.1, 1.1, math.nan])
def test_calibration_error_wants_probabilities(bad: float) -> None:
    with pytest.raises(ValueError, match="outside"):
        expected_calibration_error([bad], [1])


def test_calibration_error_wants_equal_shapes() -> None:
    with pytest.raises(ValueError, match="shape"):
        expected_calibration_error([0.5], [1, 0])
