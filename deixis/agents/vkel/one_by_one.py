"""Asking about each entity of a post on its own, several of them at once."""

from collections.abc import Callable, Collection
from typing import TypeVar

from deixis.agents.context.side_by_side import side_by_side

T = TypeVar("T")
AT_ONCE = 8
"""Questions of one node that run at once; a provider may be asked fewer (`options.limits`)."""


def one_by_one(ask: Callable[[int, str], T], entities: Collection[str]) -> list[T]:
    """Return ``ask(number, entity)`` of every entity, numbered from 0, in order."""
    return side_by_side(ask, range(len(entities)), entities, most=AT_ONCE)
