"""What was heard in the last sounds is kept by what is in them."""

import numpy as np

from deixis.tools.base import Heard, TimedWord
from deixis.tools.hearing.last import LastHeard

HEARD = Heard([TimedWord("said", 0.0, 1.0, 1.0)], "en")


def test_what_was_heard_is_known_of_the_same_sound_alone() -> None:
    last, sound = LastHeard(), np.arange(9, dtype=np.float32)
    assert last.of(sound) is None
    assert last.keep(sound, HEARD) is HEARD
    assert last.of(sound.copy()) is HEARD and last.of(np.repeat(sound, 2)[::2]) is HEARD
    assert last.of(sound[:-1]) is None and last.of(sound + 1) is None


def test_few_sounds_are_kept() -> None:
    last = LastHeard()
    sounds = [np.full(3, number, np.float32) for number in range(20)]
    for sound in sounds:
        last.keep(sound, HEARD)
    assert [last.of(sound) is not None for sound in sounds] == [False] * 4 + [True] * 16
