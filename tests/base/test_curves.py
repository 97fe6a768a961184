"""Platt curves: what they make of a probability."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from deixis.base.curves import Curve, logit

shares = st.floats(0.0, 1.0)


@given(shares)
def test_one_and_zero_leave_a_probability(probability: float) -> None:
    assert Curve(a=1, b=0).of(probability) == pytest.approx(min(max(probability, 0.001), 0.999))


@given(shares, shares, st.floats(0.0, 100.0), st.floats(-500.0, 500.0))
def test_it_keeps_the_order_and_stays_a_probability(
    one: float, other: float, a: float, b: float
) -> None:
    low, high = sorted((one, other))
    curve = Curve(a=a, b=b)
    assert 0.0 <= curve.of(low) <= curve.of(high) <= 1.0


def test_the_odds_are_raised_and_multiplied() -> None:
    assert Curve(a=2, b=0).of(0.75) == pytest.approx(0.9), "3 squared is 9"
    assert logit(Curve(a=1, b=1).of(0.5)) == pytest.approx(1.0)


@pytest.mark.parametrize(
    "wrong", [{"a": -1.0}, {"b": float("nan")}, {"threshold": 1.0}, {"slope": 1.0}]
)
def test_a_wrong_curve_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValidationError):
        Curve.model_validate({"a": 1.0, "b": 0.0, **wrong})
