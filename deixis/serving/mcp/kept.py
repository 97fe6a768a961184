"""The last results, so that a client can ask about one without giving its sample again."""

import secrets
import threading
from collections import OrderedDict
from typing import Any, NamedTuple, cast

import numpy as np
from numpy.typing import NDArray

from deixis.agents.context.media import pictures_of, video_of
from deixis.agents.context.state import State
from deixis.base.video import OpenedVideo
from deixis.errors import InputError
from deixis.schema import Extraction
from deixis.serving.orders import Encoded, Order
from deixis.settings import Options

MOST = 64
MOST_BYTES = 256_000_000
"""Media that are kept; URLs are opened again."""


class Found(NamedTuple):
    """A result, and what it was found in."""

    id: str
    extraction: Extraction
    order: Order
    options: Options

    def picture(self, number: int) -> NDArray[np.uint8] | None:
        """Return a picture as the graph saw it; None if it saw none.

        Raises:
            InputError: there is no such picture, or what is at its URL is another one by now.
        """
        several = self.extraction.pictures
        if not several and not number:
            return None
        if number >= len(several):
            raise InputError(f"there is no picture {number}; {len(several)} were looked at, from 0")
        records = [info.model_dump() for info in several]
        state = cast("State", {**self.order.given(), "pictures": records})
        return pictures_of(state, self.options)[number]

    def video(self) -> OpenedVideo | None:
        """Return the video that the graph saw, if it did; raises as `picture`."""
        if (info := self.extraction.video) is None:
            return None
        state = cast("State", {**self.order.given(), "film": info.model_dump()})
        return video_of(state, self.options)


class Kept:
    """Results by ids that nobody can guess; the oldest make room for the newest."""

    def __init__(self, most: int = MOST, most_bytes: int = MOST_BYTES) -> None:
        self._most = most
        self._most_bytes = most_bytes
        self._bytes = 0
        self._found: OrderedDict[str, tuple[Found, int]] = OrderedDict()
        self._lock = threading.Lock()

    def add(self, extraction: Extraction, order: Order, options: Options) -> Found:
        """Keep a result under a new id."""
        found = Found(secrets.token_urlsafe(16), extraction, order, options)
        size = _bytes_of(order)
        with self._lock:
            self._found[found.id] = found, size
            self._bytes += size
            while self._found and (len(self._found) > self._most or self._bytes > self._most_bytes):
                _, (_, gone) = self._found.popitem(last=False)
                self._bytes -= gone
        return found

    def find(self, id_: str) -> Found:
        """Return what is kept.

        Raises:
            InputError: nothing is, under this id, or not any more.
        """
        with self._lock:
            if id_ not in self._found:
                raise InputError(
                    "no extraction of this id is kept (any more); give the sample again, "
                    "which is answered from the cache"
                )
            self._found.move_to_end(id_)
            return self._found[id_][0]


def _bytes_of(order: Order) -> int:
    media: list[Any] = [order.image, *(order.images or ()), order.audio, order.video]
    return sum(len(each.data) for each in media if isinstance(each, Encoded))
