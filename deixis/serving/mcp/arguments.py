"""What the tools take and give: their schemas are what assistants read."""

from typing import Any, Literal

from mcp.server.mcpserver.utilities.func_metadata import ArgModelBase
from pydantic import BaseModel, ConfigDict, Field

from deixis.schema import Entity, Extraction, ModelReply
from deixis.serving.orders import Order

Part = Literal["decisions", "masks", "replies"]


class ExtractArguments(Order, ArgModelBase):
    """A sample."""

    include: list[Part] = Field(
        default=[],
        description="what is long, and left out otherwise: who decided what and why (ask explain "
        "for one entity), masks of regions (COCO RLE), what language models said word for word",
    )


class EarlierArguments(Order, ArgModelBase):
    """A sample, or the id of what was found in it."""

    extraction: str = Field(
        default="",
        max_length=100,
        description="the id that extract returned, in place of a sample",
    )


class OverlayArguments(EarlierArguments):
    """What to draw."""

    picture: int = Field(default=0, ge=0, le=15, description="which of several pictures, from 0")
    max_side: int = Field(
        default=1024, ge=64, le=8192, description="make it smaller, to so many pixels a side"
    )


class ExplainArguments(EarlierArguments):
    """What to explain."""

    entity: str = Field(
        min_length=1, max_length=1000, description="the id of an entity, or its text"
    )


class Extracted(BaseModel):
    """What was found in a sample, and by what id overlay and explain know it."""

    model_config = ConfigDict(extra="forbid")

    id: str = Field(description="give it to overlay and explain, as extraction")
    extraction: Extraction


class Explained(BaseModel):
    """One entity, and what speaks for what was decided about it; the last word first."""

    model_config = ConfigDict(extra="forbid")

    extraction: str = Field(description="the id of the extraction")
    entity: Entity
    why: list[str]
    replies: list[ModelReply] = Field(description="what language models said that it rests on")


def order_of(arguments: dict[str, Any]) -> Order:
    """Return the sample among the arguments of a tool."""
    names = {field.alias or name for name, field in Order.model_fields.items()}
    return Order(**{name: value for name, value in arguments.items() if name in names})
