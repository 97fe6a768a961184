"""Long pauses are shortened, and times are told as they were."""

import numpy as np
import pytest

from deixis.tools.base import Samples, TimedWord
from deixis.tools.hearing.pauses import shortened
from deixis.tools.hearing.pieces import RATE


def sound(*stretches: tuple[float, float], noise: float = 0.0) -> Samples:
    """Stretches of ``(seconds, loudness)``, one after the other, in noise."""
    random = np.random.default_rng(0)
    parts = [random.normal(0, loud, int(seconds * RATE)) for seconds, loud in stretches]
    made = np.concatenate(parts)
    return (made + random.normal(0, noise, len(made))).astype(np.float32)


@pytest.mark.parametrize("noise", [0.0, 0.003])
def test_long_pauses_are_shortened_and_times_are_those_of_the_sound(noise: float) -> None:
    given = sound((2, 0.1), (3, 0.0), (1, 0.1), (0.6, 0.0), (1, 0.1), (2, 0.0), noise=noise)
    short = shortened(given)
    assert len(short.samples) / RATE == pytest.approx(2 + 0.5 + 1 + 0.6 + 1 + 0.5, abs=0.2)
    word = short.as_given(TimedWord("said", 2.6, 3.4, 1.0))
    assert (word.start, word.end) == pytest.approx((5.1, 5.9), abs=0.1)
    own = given[int(word.start * RATE) :][:100]
    assert np.array_equal(own, short.samples[int(2.6 * RATE) :][:100])


def test_a_word_is_on_one_side_of_a_pause() -> None:
    short = shortened(sound((2, 0.1), (3, 0.0), (2, 0.1)))
    for start, end, side in ((1.5, 2.4, (1.5, 2.25)), (2.1, 3.0, (4.75, 5.5))):
        word = short.as_given(TimedWord("over", start, end, 1.0))
        assert (word.start, word.end) == pytest.approx(side, abs=0.06)


@pytest.mark.parametrize(
    "given",
    [
        sound((0, 0.0)),
        sound((0.01, 0.1)),
        sound((5, 0.1)),
        sound((1, 0.1), (0.8, 0.0), (1, 0.1)),
        sound((2, 0.1), (2, 0.004), (2, 0.1), (0.9, 0.0)),
    ],
    ids=["nothing", "shorter than a frame", "noise", "short pause", "somebody who whispers"],
)
def test_what_has_no_long_pause_stays_as_it_is(given: Samples) -> None:
    short = shortened(given)
    assert short.samples is given
    word = TimedWord("said", 0.0, len(given) / RATE, 1.0)
    assert short.as_given(word) == word
