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


@pytest.mark.parametrize("schema", [None, {"type": "string"}])
def test_a_text_is_the_one_that_is_given(schema: Any) -> None:
    assert fill(schema, "tall") == "tall"
