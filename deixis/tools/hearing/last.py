"""What was heard last: a text is often aligned with a sound right after it was transcribed."""

from hashlib import blake2b

import numpy as np

from deixis.base.forks import Lock
from deixis.tools.base import Heard, Samples

_MOST = 16  # sounds: as many as threads may be busy with at a time


class LastHeard:
    """What one transcriber heard in the last sounds, by what is in them."""

    def __init__(self) -> None:
        self._heard: dict[bytes, Heard] = {}
        self._lock = Lock()

    def keep(self, samples: Samples, heard: Heard) -> Heard:
        """Keep what was heard in a sound, and return it."""
        with self._lock:
            self._heard[_key(samples)] = heard
            while len(self._heard) > _MOST:
                del self._heard[next(iter(self._heard))]
        return heard

    def of(self, samples: Samples) -> Heard | None:
        """Return what was heard in a sound, if it is one of the last."""
        return self._heard.get(_key(samples))


def _key(samples: Samples) -> bytes:
    return blake2b(np.ascontiguousarray(samples).data, digest_size=16).digest()
