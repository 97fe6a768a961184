"""The plainest answer that fits a schema."""

from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field

from deixis.testing import fill


class Part(BaseModel):
    model_config = ConfigDict(extra="forbid")

    seen: Literal["yes", "no"]
    only: Literal["this"]
    words: Annotated[str, Field(max_length=6)]


class Whole(BaseModel):
    model_config = ConfigDict(extra="forbid")

    part: Part
    parts: Annotated[list[Part], Field(min_length=2)]
    none: list[Part]
    box: Annotated[list[int], Field(min_length=4, max_length=4)]
    pair: tuple[str, int]
    share: float
    large: Annotated[int, Field(ge=10)]
    small: Annotated[float, Field(le=0.1)]
    perhaps: Part | None
    nothing: None
    sure: bool


def test_what_is_filled_in_fits() -> None:
    whole = Whole.model_validate(fill(Whole.model_json_schema()))
    part = Part(seen="yes", only="this", words="dark b")
    assert whole.part == part == whole.perhaps and whole.parts == [part, part]
    assert whole.none == [] and whole.box == [100, 100, 600, 900] and whole.pair == ("dark blue", 1)
    assert (whole.share, whole.large, whole.small, whole.sure) == (0.5, 10, 0.1, True)


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ({}, "dark blue"),
        ({"type": ["integer", "null"]}, 1),
        ({"properties": {"a": {"type": "null"}, "b": True}}, {"a": None, "b": "dark blue"}),
        ({"items": True, "minItems": 4}, ["dark blue"] * 4),
        (
            {
                "allOf": [{"$ref": "#/$defs/A"}, {"properties": {"b": {"const": 2}}}],
                "$defs": {"A": {"type": "object", "properties": {"a": {"const": 1}}}},
            },
            {"a": 1, "b": 2},
        ),
        ({"type": "integer", "exclusiveMinimum": 1}, 2),
        ({"type": "number", "exclusiveMinimum": 0.5, "exclusiveMaximum": 1}, 0.75),
        ({"type": "integer", "exclusiveMaximum": 0}, -1),
    ],
)
def test_schemas_can_be_written_in_many_ways(schema: Any, value: Any) -> None:
    assert fill(schema) == value


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "odd"},
        {"$ref": "#/$defs/Missing"},
        {"type": "integer", "minimum": 2, "maximum": 1},
        {"anyOf": [False]},
    ],
)
def test_what_cannot_be_filled_in_is_said(schema: Any) -> None:
    with pytest.raises(ValueError, match=r"filled in|does not define"):
        fill(schema)


@pytest.mark.parametrize("schema", [None, {"type": "string"}])
def test_a_text_is_the_one_that_is_given(schema: Any) -> None:
    assert fill(schema, "tall") == "tall"
