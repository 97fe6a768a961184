"""Long sounds are cut where it is quiet."""

import numpy as np
import pytest

from deixis.tools.hearing.pieces import RATE, is_silent, pieces


@pytest.mark.parametrize("seconds", [0.0, 0.5, 10.0, 10.001, 35.2, 60.0])
def test_pieces_cover_all_and_are_short(seconds: float) -> None:
    sound = np.random.default_rng(0).normal(0, 0.1, int(seconds * RATE)).astype(np.float32)
    found = pieces(sound, 10.0)
    assert [start for start, _ in found] == [0, *(stop for _, stop in found)][: len(found)]
    assert (found[-1][1] if found else 0) == len(sound)
    assert all(0 < stop - start <= 10 * RATE for start, stop in found)
    assert len(found) <= np.ceil(seconds / (10 * 5 / 6)) + 1


def test_a_cut_is_where_it_is_quiet() -> None:
    sound = np.random.default_rng(0).normal(0, 0.1, 15 * RATE).astype(np.float32)
    sound[int(9.2 * RATE) : int(9.4 * RATE)] = 0
    (_, stop), _ = pieces(sound, 10.0)
    assert 9.2 * RATE <= stop <= 9.4 * RATE


def test_silence() -> None:
    assert is_silent(np.zeros(0, np.float32)) and is_silent(np.full(99, 1e-5, np.float32))
    assert not is_silent(np.array([0, 0.01], np.float32))
