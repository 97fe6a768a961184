"""Curves of the settings: whose they are, for which types, and which are refused."""

from typing import Any

import pytest

from deixis.agents.context.calibration import worth
from deixis.base.curves import Curve
from deixis.errors import SettingsError
from deixis.settings import Options

CURVES = {
    "evidence": {"PER": Curve(a=1, b=1, threshold=0.7), "*": Curve(a=0, b=0, threshold=0.4)},
    "openai:eyes": {"*": Curve(a=2, b=0)},
}


@pytest.mark.parametrize(
    ("judge", "kind", "probability", "threshold"),
    [
        ("evidence", "PER", 0.731, 0.7),
        ("evidence", "LOC", 0.5, 0.4),
        ("openai:eyes?temperature=0", "PER", 0.5, 0.5),
        ("openai:other", "PER", 0.5, 0.6),
    ],
)
def test_a_curve_is_found_by_judge_and_type(
    judge: str, kind: str, probability: float, threshold: float
) -> None:
    options = Options(calibration=CURVES, groundable_threshold=0.6)
    if judge.startswith("openai:eyes"):
        options = options.model_copy(update={"groundable_threshold": 0.9})
    found = worth(0.5, judge, kind, options)
    assert found.probability == pytest.approx(probability, abs=0.001)
    assert found.threshold == threshold and found.shown == (probability >= threshold)
    assert bool(found.words) == (judge != "openai:other")


@pytest.mark.parametrize(
    ("curves", "said"),
    [
        ({"evidence": {"PRE": {"a": 1, "b": 0}}}, "there is no type 'PRE' (did you mean 'PER'?)"),
        ({"evidense": {"*": {"a": 1, "b": 0}}}, "did you mean 'evidence'"),
    ],
)
def test_a_curve_of_nothing_is_refused(toolbox_of: Any, curves: Any, said: str) -> None:
    given = {judge: {n: Curve(**c) for n, c in own.items()} for judge, own in curves.items()}
    with pytest.raises(SettingsError) as caught:
        toolbox_of(calibration=given)
    assert "options.calibration" in str(caught.value) and said in str(caught.value)
