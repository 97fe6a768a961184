"""Channels that merge by key, copied in a moment.

LangGraph copies all channels each time that an edge asks where to go, and for a copy of this kind
it works out anew from the annotation what such a channel begins with.
"""

from typing import Any, Self

from langgraph.channels import BinaryOperatorAggregate


class MergingChannel(BinaryOperatorAggregate[Any]):
    """LangGraph's channel of a reducer."""

    __slots__ = ()

    def copy(self) -> Self:
        """Return a copy of the channel."""
        copied = object.__new__(type(self))
        copied.typ, copied.key = self.typ, self.key
        copied.operator, copied.value = self.operator, self.value
        return copied


def merging(channel: Any) -> Any:
    """Return a channel of a graph: that of a reducer as one of this kind, any other as it is."""
    if type(channel) is not BinaryOperatorAggregate:
        return channel
    made = MergingChannel(channel.typ, channel.operator)
    made.key = channel.key
    return made
